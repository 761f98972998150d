#include "source/listing/key_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headrace {
namespace {

/// Symbols beyond these change a double no more.
constexpr double kFinest = 1e-15;
constexpr std::size_t kLongestCut = 1000;  // A key has at most 1,024 bytes.

bool may_be_symbol(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::size_t common_length(std::string_view a, std::string_view b) {
  const auto [end, other] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(end - a.begin());
}

std::string_view without(std::string_view key, std::size_t prefix) {
  return key.substr(std::min(prefix, key.size()));
}

/// From where on keys of the range may differ: a whole character, behind the prefix.
std::size_t first_difference(std::string_view after, std::string_view until) {
  if (until.empty()) return 0;
  std::size_t place = common_length(after, until);
  const auto is_inner = [&](std::size_t at) {
    return at < until.size() && (static_cast<unsigned char>(until[at]) & 0xC0) == 0x80;
  };
  while (place > 0 && is_inner(place)) --place;
  return place;
}

}  // namespace

void KeyShape::learn(std::string_view key) {
  if (any_) {
    common_.resize(std::min(common_.size(), key.size()));
    for (std::size_t i = 0; i < common_.size(); ++i) {
      if (common_[i] != key[i]) common_[i] = '\0';
    }
  } else {
    common_ = key;
    any_ = true;
  }
  if (!last_.empty()) {
    const std::size_t at = common_length(last_, key);
    for (const std::string_view one : {std::string_view(last_), key}) {
      if (at >= one.size() || !may_be_symbol(one[at])) continue;
      const auto place = std::ranges::lower_bound(symbols_, one[at]);
      if (place == symbols_.end() || *place != one[at]) symbols_.insert(place, one[at]);
    }
  }
  last_ = key;
}

bool KeyShape::is_fixed(std::size_t place) const {
  return place < common_.size() && common_[place] > '\0' &&
         symbols_.find(common_[place]) == std::string::npos;
}

double KeyShape::position(std::string_view key, std::size_t place) const {
  const auto base = static_cast<double>(symbols_.size());
  double sum = 0;
  double unit = 1;
  for (; place < key.size() && unit > kFinest; ++place) {
    if (is_fixed(place) && key[place] == common_[place]) continue;
    unit /= base;
    const auto symbol = std::ranges::lower_bound(symbols_, key[place]);
    sum += unit * static_cast<double>(symbol - symbols_.begin());
    if (symbol == symbols_.end() || *symbol != key[place]) break;
  }
  return std::min(sum, 1.0);
}

std::vector<std::string> KeyShape::cuts(const KeyRange& range, std::size_t pieces) const {
  std::vector<std::string> cuts;
  if (symbols_.size() < 2) return cuts;
  const std::size_t prefix = range.prefix.size();
  const std::string_view after = without(range.after, prefix);
  const std::string_view until = without(range.until, prefix);
  const std::size_t place = first_difference(after, until);
  const double low = position(after, place);
  const double high = until.empty() ? 1.0 : position(until, place);
  const auto base = static_cast<double>(symbols_.size());
  for (std::size_t i = 1; i < pieces; ++i) {
    // A little more than exact: 1.9999999999999998 of a symbol is the next one.
    double rest =
        low + (high - low) * static_cast<double>(i) / static_cast<double>(pieces) + kFinest;
    std::string cut = range.prefix + std::string(after.substr(0, place));
    for (double unit = 1; unit > kFinest;) {
      if (is_fixed(cut.size() - prefix)) {
        cut += common_[cut.size() - prefix];
        continue;
      }
      rest *= base;
      const double symbol = std::min(std::floor(rest), base - 1);
      cut += symbols_[static_cast<std::size_t>(symbol)];
      rest -= symbol;
      unit /= base;
    }
    const std::string& before = cuts.empty() ? range.after : cuts.back();
    if (cut.size() > kLongestCut) continue;
    if (cut > before && (until.empty() || cut < range.until)) cuts.push_back(std::move(cut));
  }
  return cuts;
}

double KeyShape::pages_left(const KeyRange& range, std::string_view first) const {
  if (symbols_.size() < 2) return 0;
  const std::size_t prefix = range.prefix.size();
  const std::string_view start = without(first, prefix);
  const std::string_view until = without(range.until, prefix);
  const std::size_t place = first_difference(start, until);
  const double now = position(without(range.after, prefix), place);
  const double page = now - position(start, place);
  const double left = (until.empty() ? 1.0 : position(until, place)) - now;
  if (left <= 0) return 0;
  return page <= 0 ? std::numeric_limits<double>::infinity() : left / page;
}

}  // namespace headrace
