#include "route/field_index.h"

#include <algorithm>

namespace headrace {
namespace {

std::string reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }

}  // namespace

struct FieldIndex::Builder {
  FieldIndex& index;
  std::vector<ByteTrie::Entry> prefixes, suffixes, folded_prefixes, folded_suffixes;
  std::vector<RangeIndex::Entry> ranges;

  void add(std::uint32_t place) {
    const Condition& condition = *index.entries_[place].condition;
    switch (condition.kind) {
      case Condition::Kind::kString:
        index.strings_.emplace(condition.text, place);
        break;
      case Condition::Kind::kLiteral:
        index.literals_.emplace(condition.text, place);
        break;
      case Condition::Kind::kNumber:
        index.numbers_.emplace(condition.low, place);
        break;
      case Condition::Kind::kRange:
        ranges.push_back({condition.low, condition.high, place});
        index.unsure_[place] = !condition.low_included || !condition.high_included;
        break;
      case Condition::Kind::kPrefix:
        prefixes.emplace_back(condition.text, place);
        break;
      case Condition::Kind::kSuffix:
        suffixes.emplace_back(reversed(condition.text), place);
        break;
      case Condition::Kind::kWildcard:
        wildcard(*condition.wildcard, place);
        break;
      case Condition::Kind::kAbsent:
        index.absent_ = index.entries_[place].number;
        break;
      default:
        folded(condition, place);
    }
  }

  /// Found by its head, or else by its tail.
  void wildcard(const Wildcard& wildcard, std::uint32_t place) {
    index.unsure_[place] = true;
    if (wildcard.head().empty() && !wildcard.tail().empty()) {
      suffixes.emplace_back(reversed(wildcard.tail()), place);
    } else {
      prefixes.emplace_back(wildcard.head(), place);
    }
  }

  void folded(const Condition& condition, std::uint32_t place) {
    const auto& key = condition.folded.ascii_key();
    if (key && condition.kind == Condition::Kind::kIgnoreCase) {
      // Two spellings of one text are two conditions: the first is found by hash.
      if (index.folded_.emplace(*key, place).second) return;
    } else if (key && condition.kind == Condition::Kind::kPrefixIgnoreCase) {
      return void(folded_prefixes.emplace_back(*key, place));
    } else if (key && condition.kind == Condition::Kind::kSuffixIgnoreCase) {
      return void(folded_suffixes.emplace_back(reversed(*key), place));
    }
    index.others_.push_back(place);
  }
};

FieldIndex::FieldIndex(std::vector<Entry> entries)
    : entries_(std::move(entries)), unsure_(entries_.size(), false) {
  Builder builder{*this, {}, {}, {}, {}, {}};
  for (std::uint32_t place = 0; place < entries_.size(); ++place) builder.add(place);
  prefixes_ = ByteTrie(std::move(builder.prefixes));
  suffixes_ = ByteTrie(std::move(builder.suffixes));
  folded_prefixes_ = ByteTrie(std::move(builder.folded_prefixes));
  folded_suffixes_ = ByteTrie(std::move(builder.folded_suffixes));
  ranges_ = RangeIndex(std::move(builder.ranges));
}

void FieldIndex::find(const FieldValue& value, Scratch& scratch,
                      std::vector<std::uint32_t>& found) const {
  scratch.candidates.clear();
  if (value.kind() == FieldValue::Kind::kString) {
    find_string(value.text(), scratch);
  } else {
    find_number(value, scratch);
  }
  check(value, scratch, found);
  for (const std::uint32_t place : others_) {
    if (entries_[place].condition->fits(value)) found.push_back(entries_[place].number);
  }
}

void FieldIndex::find_string(std::string_view text, Scratch& scratch) const {
  if (!strings_.empty()) {
    const auto same = strings_.find(text);
    if (same != strings_.end()) scratch.candidates.push_back(same->second);
  }
  prefixes_.find(text, scratch.candidates);
  if (!suffixes_.empty()) {
    scratch.reversed.assign(text.rbegin(), text.rend());
    suffixes_.find(scratch.reversed, scratch.candidates);
  }
  find_folded(text, scratch);
}

void FieldIndex::find_folded(std::string_view text, Scratch& scratch) const {
  if (folded_.empty() && folded_prefixes_.empty() && folded_suffixes_.empty()) return;
  ascii_lower(text, scratch.lower);
  const auto same = folded_.find(scratch.lower);
  if (same != folded_.end()) scratch.candidates.push_back(same->second);
  folded_prefixes_.find(scratch.lower, scratch.candidates);
  std::ranges::reverse(scratch.lower);
  folded_suffixes_.find(scratch.lower, scratch.candidates);
}

void FieldIndex::find_number(const FieldValue& value, Scratch& scratch) const {
  if (!literals_.empty()) {
    const auto literal = literals_.find(value.text());
    if (literal != literals_.end()) scratch.candidates.push_back(literal->second);
  }
  if ((numbers_.empty() && ranges_.empty()) || !value.number()) return;
  const auto same = numbers_.find(*value.number());
  if (same != numbers_.end()) scratch.candidates.push_back(same->second);
  ranges_.find(*value.number(), scratch.candidates);
}

void FieldIndex::check(const FieldValue& value, Scratch& scratch,
                       std::vector<std::uint32_t>& found) const {
  for (const std::uint32_t place : scratch.candidates) {
    const Entry& entry = entries_[place];
    if (!unsure_[place] || entry.condition->fits(value)) found.push_back(entry.number);
  }
}

}  // namespace headrace
