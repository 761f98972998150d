#include "route/places.h"

#include <algorithm>

namespace headrace {
namespace {

/// From so many alternatives under one condition on they get a place of their own, ...
constexpr std::size_t kManyCandidates = 12;
/// ... if a condition that less than this share of events should fit can order them.
constexpr double kWorthOrdering = 0.5;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaskBits = 32;
constexpr std::size_t kKinds = 16;

/// The share of events that may fit a condition, if `distinct` different ones of its kind are asked
/// for: a guess that is only used to compare.
double guess(const Condition& condition, std::uint32_t distinct) {
  switch (condition.kind) {
    case Condition::Kind::kRange:
    case Condition::Kind::kCidr:
      return 0.3;
    case Condition::Kind::kExists:
    case Condition::Kind::kAbsent:
    case Condition::Kind::kNoneOf:
      return 0.95;
    case Condition::Kind::kWildcard: {
      const Wildcard& wildcard = *condition.parts->wildcard;
      if (wildcard.head().empty() && wildcard.tail().empty() && wildcard.stars() == 1) return 0.95;
      break;
    }
    default:
      break;
  }
  return 1.0 / (1.0 + distinct);
}

}  // namespace

bool Places::Builder::open(const Candidate& member, std::size_t test) {
  return test < kMaskBits && (member.proved >> test & 1) == 0;
}

Places::Builder::Builder(std::uint32_t fields, Measured measured) : measured_(std::move(measured)) {
  indexed_.resize(fields);
  distinct_.resize(fields * kKinds, 0);
}

void Places::Builder::add(std::uint32_t rule, Pattern::Alternative alternative,
                          const std::vector<std::uint32_t>& fields) {
  out_.alternatives_.push_back({rule, static_cast<std::uint32_t>(spans_.size()),
                                static_cast<std::uint32_t>(alternative.size())});
  for (std::size_t i = 0; i < alternative.size(); ++i) {
    const auto begin = static_cast<std::uint32_t>(numbers_.size());
    for (Condition& condition : alternative[i].any_of) {
      numbers_.push_back(number_of(std::move(condition), fields[i]));
    }
    std::sort(numbers_.begin() + begin, numbers_.end());
    numbers_.erase(std::unique(numbers_.begin() + begin, numbers_.end()), numbers_.end());
    spans_.push_back({fields[i], begin, static_cast<std::uint32_t>(numbers_.size()) - begin});
  }
}

std::uint32_t Places::Builder::number_of(Condition condition, std::uint32_t field) {
  const std::uint64_t hash = HashTable::mix(condition.hash() + field);
  const std::uint32_t known = known_.find(hash, [&](std::uint32_t number) {
    return out_.fields_[number] == field && out_.conditions_[number].same_as(condition);
  });
  if (known != HashTable::kNone) return known;
  const std::uint32_t number = out_.conditions();
  known_.insert(hash, number);
  out_.shares_.push_back(measured_ ? static_cast<float>(measured_(condition.hash(), field))
                                   : -1.0F);
  out_.conditions_.push_back(std::move(condition));
  out_.fields_.push_back(field);
  return number;
}

/// Now that no condition moves any more, tests may point to them.
void Places::Builder::make_tests() {
  out_.conditions_.shrink_to_fit();
  out_.fields_.shrink_to_fit();
  out_.shares_.shrink_to_fit();
  out_.alternatives_.shrink_to_fit();
  out_.pool_.reserve(numbers_.size());
  for (const std::uint32_t number : numbers_) out_.pool_.push_back(&out_.conditions_[number]);
  out_.tests_.reserve(spans_.size());
  for (const Span& span : spans_) {
    out_.tests_.push_back({span.field, std::span(out_.pool_).subspan(span.begin, span.count)});
  }
}

Places Places::Builder::build() && {
  known_ = {};
  make_tests();
  out_.indexed_.resize(out_.conditions_.size(), false);
  out_.top_.resize(out_.conditions_.size(), kNone);
  seen_.resize(out_.conditions_.size(), 0);
  budget_ = 8 * numbers_.size();
  for (const Span& span : spans_) {
    if (span.count <= kLongList) continue;
    for (std::uint32_t i = 0; i < span.count; ++i) index(numbers_[span.begin + i]);
  }
  std::vector<Candidate> all(out_.alternatives_.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = {i, 0};
  make_place(std::move(all), 0);
  out_.code_.shrink_to_fit();
  out_.places_.shrink_to_fit();
  out_.indexes_.reserve(indexed_.size());
  for (const auto& numbers : indexed_) out_.indexes_.emplace_back(out_.conditions_, numbers);
  return std::move(out_);
}

std::span<const std::uint32_t> Places::Builder::numbers(const Alternative& alternative,
                                                        std::size_t test) const {
  const Span& span = spans_[alternative.tests + test];
  return std::span(numbers_).subspan(span.begin, span.count);
}

void Places::Builder::index(std::uint32_t number) {
  if (out_.indexed_[number]) return;
  out_.indexed_[number] = true;
  indexed_[out_.fields_[number]].push_back(number);
}

std::uint32_t Places::Builder::make_place(std::vector<Candidate> members, int depth) {
  const auto place = static_cast<std::uint32_t>(out_.places_.size());
  out_.places_.emplace_back();
  count_distinct(members);
  struct Under {
    std::uint32_t number;
    Candidate member;
  };
  std::vector<Under> all;
  all.reserve(members.size());
  for (const Candidate& member : members) {
    const std::size_t test = cheapest(member).first;
    const std::uint32_t proved = member.proved | (test < kMaskBits ? std::uint32_t{1} << test : 0);
    for (const std::uint32_t number : numbers(out_.alternatives_[member.alternative], test)) {
      all.push_back({number, {member.alternative, proved}});
    }
  }
  forget_distinct();
  members = {};
  std::ranges::sort(all, {}, [](const Under& under) {
    return std::pair(under.number, under.member.alternative);
  });

  std::vector<std::uint32_t> fields;
  std::vector<std::pair<std::uint32_t, RangeIndex::Entry>> ranges;  // With their field.
  for (auto begin = all.begin(); begin != all.end();) {
    const std::uint32_t number = begin->number;
    std::vector<Candidate> group;
    for (; begin != all.end() && begin->number == number; ++begin) group.push_back(begin->member);
    const std::uint32_t posting = post(place, number, std::move(group), depth);
    const Condition& condition = out_.conditions_[number];
    if (condition.kind == Condition::Kind::kRange) {
      ranges.push_back({out_.fields_[number], {condition.low, condition.high, posting}});
    } else {
      index(number);
      fields.push_back(out_.fields_[number]);
    }
  }
  std::ranges::sort(fields);
  const auto rest = std::ranges::unique(fields);
  fields.erase(rest.begin(), rest.end());
  fields.shrink_to_fit();
  out_.places_[place].fields = std::move(fields);

  std::ranges::sort(ranges, {},
                    [](const auto& range) { return std::pair(range.first, range.second.number); });
  for (auto begin = ranges.begin(); begin != ranges.end();) {
    const std::uint32_t field = begin->first;
    std::vector<RangeIndex::Entry> entries;
    for (; begin != ranges.end() && begin->first == field; ++begin)
      entries.push_back(begin->second);
    out_.places_[place].ranges.push_back({field, RangeIndex(std::move(entries))});
  }
  return place;
}

void Places::Builder::count_distinct(const std::vector<Candidate>& members) {
  ++round_;
  for (const Candidate& member : members) {
    const Alternative& alternative = out_.alternatives_[member.alternative];
    for (std::size_t test = 0; test < alternative.count; ++test) {
      if (!open(member, test)) continue;
      for (const std::uint32_t number : numbers(alternative, test)) {
        if (seen_[number] == round_) continue;
        seen_[number] = round_;
        const std::size_t at =
            out_.fields_[number] * kKinds + std::to_underlying(out_.conditions_[number].kind);
        if (distinct_[at]++ == 0) counted_.push_back(static_cast<std::uint32_t>(at));
      }
    }
  }
}

void Places::Builder::forget_distinct() {
  for (const std::uint32_t at : counted_) distinct_[at] = 0;
  counted_.clear();
}

double Places::Builder::share(std::uint32_t number) const {
  if (out_.shares_[number] >= 0) return out_.shares_[number];
  const Condition& condition = out_.conditions_[number];
  return guess(condition,
               distinct_[out_.fields_[number] * kKinds + std::to_underlying(condition.kind)]);
}

std::pair<std::size_t, double> Places::Builder::cheapest(const Candidate& member) const {
  const Alternative& alternative = out_.alternatives_[member.alternative];
  std::pair<std::size_t, double> best{0, std::numeric_limits<double>::infinity()};
  for (std::size_t test = 0; test < alternative.count; ++test) {
    if (!open(member, test)) continue;
    double cost = 0;
    for (const std::uint32_t number : numbers(alternative, test)) cost += share(number);
    if (cost < best.second) best = {test, cost};
  }
  return best;
}

std::uint32_t Places::Builder::post(std::uint32_t place, std::uint32_t number,
                                    std::vector<Candidate> group, int depth) {
  const auto at = static_cast<std::uint32_t>(out_.code_.size());
  for (const std::uint32_t head : {place, number, kNone, std::uint32_t{0}}) {
    out_.code_.push_back(head);
  }
  if (out_.conditions_[number].kind == Condition::Kind::kRange) {
    // Found by the ranges of its place.
  } else if (place == kTop) {
    out_.top_[number] = at;
  } else {
    out_.by_key_.insert(key_hash(place, number), at);
  }
  std::vector<Candidate> inner;
  if (group.size() > kManyCandidates && depth < kMaxDepth) {
    count_distinct(group);
    const auto [begin, end] = std::ranges::partition(
        group, [&](const Candidate& member) { return cheapest(member).second >= kWorthOrdering; });
    forget_distinct();
    inner.assign(begin, end);
    if (inner.size() <= kManyCandidates || !spend(inner)) {
      inner.clear();
    } else {
      group.erase(begin, end);
    }
  }
  out_.code_[at + kCount] = static_cast<std::uint32_t>(group.size());
  for (const Candidate& member : group) write(member);
  if (!inner.empty()) {
    group = {};
    const std::uint32_t made = make_place(std::move(inner), depth + 1);
    out_.code_[at + kInner] = made;
  }
  return at;
}

void Places::Builder::write(const Candidate& member) {
  std::vector<std::uint32_t>& code = out_.code_;
  const Alternative& alternative = out_.alternatives_[member.alternative];
  const std::size_t begin = code.size();
  for (const std::uint32_t head : {member.alternative, alternative.rule, std::uint32_t{0}}) {
    code.push_back(head);
  }
  for (std::uint32_t test = 0; test < alternative.count; ++test) {
    if (test < kMaskBits && !open(member, test)) continue;
    const Span& span = spans_[alternative.tests + test];
    code.push_back(span.field);
    if (span.count > kLongList) {
      code.push_back(kLong);
      code.push_back(alternative.tests + test);
    } else {
      code.push_back(span.count);
      const auto from = numbers_.begin() + span.begin;
      code.insert(code.end(), from, from + span.count);
    }
  }
  code[begin + kLength] = static_cast<std::uint32_t>(code.size() - begin - kTests);
}

/// Inner places repeat alternatives, so all of them together stay within a multiple of the
/// conditions there are: long lists of values could multiply.
bool Places::Builder::spend(const std::vector<Candidate>& group) {
  std::size_t most = 0;
  for (const Candidate& member : group) {
    const Alternative& alternative = out_.alternatives_[member.alternative];
    std::size_t longest = 0;
    for (std::size_t test = 0; test < alternative.count; ++test) {
      longest = std::max(longest, numbers(alternative, test).size());
    }
    most += longest;
  }
  if (most > budget_) return false;
  budget_ -= most;
  return true;
}

}  // namespace headrace
