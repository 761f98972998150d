#include "step/row_sorter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::size_t kMostValues =
    100'000;  // Remembered of one object: moments are all different.

std::vector<std::string> paths_of(const SortRules& rules) {
  std::vector<std::string> paths;
  for (const std::string& field : rules.name.fields()) {
    if (!rules.given.contains(field)) paths.push_back(field);
  }
  return paths;
}

/// No segment of a key is empty or holds a slash, and "." and ".." are none.
bool fits_a_key(std::string_view value) {
  return !value.empty() && value != "." && value != ".." && !value.contains('/') &&
         std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

RowSorter::RowSorter(SortRules rules, RowPiles& piles, bool numbered)
    : rules_(std::move(rules)),
      piles_(piles),
      numbered_(numbered),
      paths_(paths_of(rules_)),
      times_(rules_.name),
      rows_(paths_, rules_.rows) {}

void RowSorter::begin_object(const ReadObject& object) {
  index_ = object.index;
  constants_ = object.constants;
  pile_of_.clear();
  piles_before_ = piles_.size();
  rows_.begin_object();
}

void RowSorter::write(BytesView piece) {
  rows_.write(piece, [this](const JsonRows::Row& row) { return sort(row); });
}

ObjectRows RowSorter::end_object() {
  return rows_.end_object([this](const JsonRows::Row& row) { return sort(row); });
}

std::string RowSorter::sort(const JsonRows::Row& row) {
  if (rules_.keep && !rules_.keep(row.text)) {
    ++left_out_;
    return {};
  }
  // Rows of an object differ little: most find their pile by their values alone.
  values_.clear();
  for (const auto& field : row.fields) {
    values_ += field ? fmt::format("{}:", field->size()) : "-";
    if (field) values_ += *field;
  }
  auto found = pile_of_.find(values_);
  if (found == pile_of_.end()) {
    std::string why;
    const std::string name = name_of(row, why);
    if (!why.empty()) return why;
    const bool wanted = !rules_.admit || rules_.admit(name);
    const auto pile = wanted ? piles_.find(name) : std::nullopt;
    if (wanted && !pile) overflow();
    if (pile_of_.size() == kMostValues) pile_of_.clear();
    found = pile_of_.emplace(values_, pile).first;
  }
  if (!found->second) {
    ++left_out_;
    return {};
  }
  head_.clear();
  if (numbered_) head_ = fmt::format("{} {} ", index_, row.line);
  head_ += row.text;
  piles_.add(*found->second, head_, "\n");
  return {};
}

void RowSorter::overflow() {
  full_ = piles_before_ > 0;
  if (full_) throw Error(ErrorKind::kTransient, "the batch is full");
  throw Error(
      ErrorKind::kInvalid,
      fmt::format("the rows of this object alone go to more than {} places, the limit; take "
                  "fields with fewer values, or raise the limit",
                  piles_.size()));
}

std::string RowSorter::name_of(const JsonRows::Row& row, std::string& why) const {
  KeyFields fields = rules_.given;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    std::string value;
    bool there = true;
    if (row.fields[i]) {
      value = *row.fields[i];
    } else if (const auto constant = constants_.find(paths_[i]); constant != constants_.end()) {
      value = constant->second;
    } else {
      there = false;
    }
    value = times_.spelled(paths_[i], std::move(value));
    if (!fits_a_key(value)) {
      if (rules_.missing.empty()) {
        why = there ? fmt::format(
                          "no key can hold the field `{}`: it is empty, `.` or `..`, or has a "
                          "slash or a control character",
                          paths_[i])
                    : fmt::format(
                          "neither the row nor its object's key has a value in the field "
                          "`{}`",
                          paths_[i]);
        return {};
      }
      value = rules_.missing;
    }
    fields.emplace(paths_[i], std::move(value));
  }
  try {
    return rules_.name.build(fields);
  } catch (const Error& error) {
    why = error.what();
    return {};
  }
}

}  // namespace headrace
