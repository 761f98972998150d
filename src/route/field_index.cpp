#include "route/field_index.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <unordered_map>

#include "core/hash.h"

namespace headrace {
namespace {

/// So many wildcards may share a head or a tail; from there on what lies inside finds them.
constexpr std::size_t kManyAlike = 16;

std::uint64_t number_hash(double value) {
  return HashTable::mix(std::bit_cast<std::uint64_t>(value));
}

IpAddress masked(IpAddress address, int bits) {
  for (int byte = 0; byte < static_cast<int>(address.bytes.size()); ++byte) {
    const int left = std::clamp(bits - byte * 8, 0, 8);
    address.bytes[static_cast<std::size_t>(byte)] &= static_cast<std::uint8_t>(0xFF00 >> left);
  }
  return address;
}

std::uint64_t block_hash(const IpAddress& masked, int bits) {
  const std::string_view bytes(reinterpret_cast<const char*>(masked.bytes.data()),
                               masked.bytes.size());
  return hash64(bytes, static_cast<std::uint64_t>(bits) << 1 | (masked.v6 ? 1 : 0));
}

/// Is `lower` what `text`, of ASCII alone, is in lower case?
bool same_in_lower_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char t, char l) {
    return l == (t >= 'A' && t <= 'Z' ? static_cast<char>(t + 0x20) : t);
  });
}

}  // namespace

class FieldIndex::Builder {
 public:
  explicit Builder(FieldIndex& index) : index_(index) {}

  void build(const std::vector<std::uint32_t>& numbers) {
    for (const std::uint32_t number : numbers) count_alike(index_.conditions_[number]);
    for (const std::uint32_t number : numbers) add(number);
    index_.prefixes_ = ByteTrie(std::move(prefixes_));
    index_.suffixes_ = ByteTrie(std::move(suffixes_));
    index_.folded_prefixes_ = ByteTrie(std::move(folded_prefixes_));
    index_.folded_suffixes_ = ByteTrie(std::move(folded_suffixes_));
    index_.inside_ = TextFinder(inside_);
    index_.ranges_ = RangeIndex(std::move(ranges_));
    std::ranges::sort(index_.block_sizes_);
    const auto rest = std::ranges::unique(index_.block_sizes_);
    index_.block_sizes_.erase(rest.begin(), rest.end());
  }

 private:
  using Texts = std::vector<ByteTrie::Entry>;

  void add(std::uint32_t number) {
    const Condition& condition = index_.conditions_[number];
    switch (condition.kind) {
      case Condition::Kind::kString:
        return index_.strings_.insert(hash64(condition.text), number);
      case Condition::Kind::kLiteral:
        return index_.literals_.insert(hash64(condition.text), number);
      case Condition::Kind::kNumber:
        return index_.numbers_.insert(number_hash(condition.low), number);
      case Condition::Kind::kRange:
        return void(ranges_.push_back({condition.low, condition.high, number}));
      case Condition::Kind::kPrefix:
        return void(prefixes_.emplace_back(condition.text, number));
      case Condition::Kind::kSuffix:
        return void(suffixes_.emplace_back(reversed(condition.text), number));
      case Condition::Kind::kWildcard:
        return wildcard(*condition.parts->wildcard, number);
      case Condition::Kind::kCidr:
        return block(*condition.parts->cidr, number);
      case Condition::Kind::kAbsent:
        index_.absent_ = number;
        return;
      case Condition::Kind::kIgnoreCase:
      case Condition::Kind::kPrefixIgnoreCase:
      case Condition::Kind::kSuffixIgnoreCase:
        return folded(condition, number);
      case Condition::Kind::kExists:
      case Condition::Kind::kNoneOf:
        index_.others_.push_back(number);
    }
  }

  static std::pair<bool, std::string_view> end_of(const Wildcard& wildcard) {
    const bool front = wildcard.head().size() >= wildcard.tail().size();
    return {front, front ? wildcard.head() : wildcard.tail()};
  }

  void count_alike(const Condition& condition) {
    if (condition.kind != Condition::Kind::kWildcard) return;
    const auto [front, text] = end_of(*condition.parts->wildcard);
    ++alike_[front][text];
  }

  /// Found by its longer end, or by what lies inside if too many others have the same end.
  void wildcard(const Wildcard& wildcard, std::uint32_t number) {
    number |= kUnsure;
    const auto [front, text] = end_of(wildcard);
    const std::string& middle = wildcard.longest_middle();
    if (alike_[front][text] > kManyAlike && !middle.empty()) {
      inside_.emplace_back(middle, number);
    } else if (front) {
      prefixes_.emplace_back(text, number);
    } else {
      suffixes_.emplace_back(reversed(text), number);
    }
  }

  void folded(const Condition& condition, std::uint32_t number) {
    const CaseText& folded = condition.parts->folded;
    const bool back = condition.kind == Condition::Kind::kSuffixIgnoreCase;
    if (!folded.ascii_key()) {
      number |= kUnsure;
      std::vector<std::string> forms;
      std::ranges::copy(back ? folded.last_forms() : folded.first_forms(),
                        std::back_inserter(forms));
      std::ranges::sort(forms);
      const auto rest = std::ranges::unique(forms);
      forms.erase(rest.begin(), rest.end());
      for (std::string& form : forms) {
        if (back) std::ranges::reverse(form);
        (back ? suffixes_ : prefixes_).emplace_back(kept_.emplace_back(std::move(form)), number);
      }
      return;
    }
    const std::string& key = *folded.ascii_key();
    if (back) {
      folded_suffixes_.emplace_back(reversed(key), number);
    } else if (condition.kind == Condition::Kind::kPrefixIgnoreCase) {
      folded_prefixes_.emplace_back(key, number);
    } else {
      index_.folded_.insert(hash64(key), number);
    }
  }

  void block(const Cidr& cidr, std::uint32_t number) {
    index_.block_sizes_.emplace_back(cidr.base.v6, cidr.bits);
    index_.blocks_.insert(block_hash(masked(cidr.base, cidr.bits), cidr.bits), number);
  }

  std::string_view reversed(std::string_view text) {
    return kept_.emplace_back(text.rbegin(), text.rend());
  }

  FieldIndex& index_;
  Texts prefixes_;
  Texts suffixes_;
  Texts folded_prefixes_;
  Texts folded_suffixes_;
  std::vector<TextFinder::Entry> inside_;
  std::vector<RangeIndex::Entry> ranges_;
  std::unordered_map<std::string_view, std::size_t> alike_[2];
  std::deque<std::string> kept_;  // What the views above point into.
};

FieldIndex::FieldIndex(std::span<const Condition> conditions,
                       const std::vector<std::uint32_t>& numbers)
    : conditions_(conditions) {
  Builder(*this).build(numbers);
}

void FieldIndex::find(const FieldValue& value, Scratch& scratch,
                      std::vector<std::uint32_t>& found) const {
  scratch.candidates.clear();
  if (value.kind() == FieldValue::Kind::kString) {
    find_string(value.text(), scratch);
    check(value, scratch, found);
  } else {
    find_number(value, scratch, found);
  }
  scratch.work += others_.size();
  for (const std::uint32_t number : others_) {
    if (conditions_[number].fits(value)) found.push_back(number);
  }
}

void FieldIndex::find_string(std::string_view text, Scratch& scratch) const {
  const auto add = [&](std::uint32_t number) {
    if (number != HashTable::kNone) scratch.candidates.push_back(number);
  };
  if (!strings_.empty()) {
    add(strings_.find(hash64(text),
                      [&](std::uint32_t number) { return conditions_[number].text == text; }));
  }
  prefixes_.find(text, scratch.candidates);
  if (!suffixes_.empty()) {
    scratch.reversed.assign(text.rbegin(), text.rend());
    suffixes_.find(scratch.reversed, scratch.candidates);
  }
  if (!inside_.empty()) {
    inside_.find(text, scratch.finder, scratch.candidates);
    scratch.work += text.size();
  }
  find_folded(text, scratch);
  if (!blocks_.empty()) find_address(text, scratch);
}

void FieldIndex::find_folded(std::string_view text, Scratch& scratch) const {
  if (folded_.empty() && folded_prefixes_.empty() && folded_suffixes_.empty()) return;
  ascii_lower(text, scratch.lower);
  if (!folded_.empty()) {
    // Two spellings of one text are two conditions.
    folded_.find(hash64(scratch.lower), [&](std::uint32_t number) {
      if (same_in_lower_case(conditions_[number].text, scratch.lower)) {
        scratch.candidates.push_back(number);
      }
      return false;
    });
  }
  folded_prefixes_.find(scratch.lower, scratch.candidates);
  if (folded_suffixes_.empty()) return;
  std::ranges::reverse(scratch.lower);
  folded_suffixes_.find(scratch.lower, scratch.candidates);
}

void FieldIndex::find_address(std::string_view text, Scratch& scratch) const {
  const auto address = parse_ip(text);
  if (!address) return;
  for (const auto& [v6, bits] : block_sizes_) {
    if (v6 != address->v6) continue;
    const IpAddress base = masked(*address, bits);
    blocks_.find(block_hash(base, bits), [&](std::uint32_t number) {
      const Cidr& cidr = *conditions_[number].parts->cidr;
      if (cidr.bits == bits && cidr.contains(*address)) scratch.candidates.push_back(number);
      return false;  // 10.0.0.0/8 and 10.1.0.0/8 are two spellings of one block.
    });
  }
}

void FieldIndex::find_number(const FieldValue& value, Scratch& scratch,
                             std::vector<std::uint32_t>& found) const {
  if (!literals_.empty()) {
    const std::uint32_t literal = literals_.find(hash64(value.text()), [&](std::uint32_t number) {
      return conditions_[number].text == value.text();
    });
    if (literal != HashTable::kNone) found.push_back(literal);
  }
  if ((numbers_.empty() && ranges_.empty()) || !value.nearest()) return;
  const double nearest = *value.nearest();
  const std::uint32_t same = numbers_.find(number_hash(nearest), [&](std::uint32_t number) {
    return conditions_[number].low == nearest;
  });
  if (same != HashTable::kNone) scratch.candidates.push_back(same);
  ranges_.find(nearest, scratch.candidates);
  // Whether the number is comparable costs more than all of that: ask it last.
  if (scratch.candidates.empty() || !value.number()) return;
  scratch.work += scratch.candidates.size();
  for (const std::uint32_t number : scratch.candidates) {
    if (conditions_[number].fits(value)) found.push_back(number);
  }
}

void FieldIndex::check(const FieldValue& value, Scratch& scratch,
                       std::vector<std::uint32_t>& found) const {
  scratch.work += scratch.candidates.size();
  for (const std::uint32_t candidate : scratch.candidates) {
    const std::uint32_t number = candidate & ~kUnsure;
    if ((candidate & kUnsure) != 0) {
      scratch.work += value.text().size();
      if (!conditions_[number].fits(value)) continue;
    }
    found.push_back(number);
  }
}

}  // namespace headrace
