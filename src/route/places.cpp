#include "route/places.h"

#include <algorithm>
#include <map>

namespace headrace {
namespace {

/// From so many alternatives under one condition on they get a place of their own.
constexpr std::size_t kManyCandidates = 12;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaskBits = 64;
constexpr std::size_t kKinds = 16;

/// The share of events that may fit a condition, if `distinct` different ones of its kind are asked
/// for: a guess that is only used to compare.
double share(const Condition& condition, std::size_t distinct) {
  switch (condition.kind) {
    case Condition::Kind::kRange:
    case Condition::Kind::kCidr:
      return 0.3;
    case Condition::Kind::kExists:
    case Condition::Kind::kAbsent:
    case Condition::Kind::kNoneOf:
      return 0.95;
    case Condition::Kind::kWildcard:
      if (condition.wildcard->head().empty() && condition.wildcard->tail().empty()) return 0.9;
      break;
    default:
      break;
  }
  return 1.0 / static_cast<double>(1 + distinct);
}

}  // namespace

class Places::Builder {
 public:
  explicit Builder(Places& places) : places_(places) {}

  void build() {
    number_conditions();
    std::vector<Candidate> all(places_.alternatives_.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = {i, 0};
    make_place(all, 0);
    places_.indexes_.reserve(entries_.size());
    for (auto& entries : entries_) places_.indexes_.emplace_back(std::move(entries));
  }

 private:
  struct Numbered {
    const Condition* condition;
    std::uint32_t field;
    bool indexed = false;
    std::uint32_t seen = kNone;  // The place whose conditions counted it last.
  };
  using Groups = std::map<std::uint32_t, std::vector<Candidate>>;  // By condition.

  /// Conditions that mean the same on the same field share a number.
  void number_conditions() {
    std::unordered_map<std::string, std::uint32_t> known;
    numbers_.resize(places_.alternatives_.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      for (const FieldTest& test : places_.alternatives_[i].tests) {
        auto& numbers = numbers_[i].emplace_back();
        if (entries_.size() <= test.field) entries_.resize(test.field + 1);
        for (const Condition& condition : *test.any_of) {
          const auto [at, fresh] = known.try_emplace(
              fmt::format("{} {}", test.field, condition.key()), conditions_.size());
          if (fresh) conditions_.push_back({&condition, test.field});
          numbers.push_back(at->second);
        }
        budget_ += 8 * numbers.size();
      }
    }
  }

  std::uint32_t make_place(const std::vector<Candidate>& members, int depth) {
    const auto place = static_cast<std::uint32_t>(places_.place_fields_.size());
    places_.place_fields_.emplace_back();
    const auto distinct = count_distinct(members, place);
    Groups groups;
    std::vector<std::uint32_t> fields;
    for (const Candidate& member : members) {
      const std::size_t test = cheapest(member, distinct);
      fields.push_back(tests(member)[test].field);
      for (const std::uint32_t number : numbers_[member.alternative][test]) {
        groups[number].push_back(
            {member.alternative,
             member.proved | (test < kMaskBits ? std::uint64_t{1} << test : 0)});
      }
    }
    std::ranges::sort(fields);
    const auto rest = std::ranges::unique(fields);
    fields.erase(rest.begin(), rest.end());
    places_.place_fields_[place] = std::move(fields);
    for (const auto& [number, group] : groups) post(place, number, group, depth);
    return place;
  }

  const std::vector<FieldTest>& tests(const Candidate& member) const {
    return places_.alternatives_[member.alternative].tests;
  }

  static bool open(const Candidate& member, std::size_t test) {
    return test < kMaskBits && (member.proved >> test & 1) == 0;
  }

  using Distinct = std::map<std::uint32_t, std::array<std::size_t, kKinds>>;  // By field.

  Distinct count_distinct(const std::vector<Candidate>& members, std::uint32_t place) {
    Distinct out;
    for (const Candidate& member : members) {
      const auto& tests_numbers = numbers_[member.alternative];
      for (std::size_t test = 0; test < tests_numbers.size(); ++test) {
        if (!open(member, test)) continue;
        for (const std::uint32_t number : tests_numbers[test]) {
          Numbered& condition = conditions_[number];
          if (condition.seen == place) continue;
          condition.seen = place;
          ++out[condition.field][std::to_underlying(condition.condition->kind)];
        }
      }
    }
    return out;
  }

  /// The open test that the fewest events should pass.
  std::size_t cheapest(const Candidate& member, const Distinct& distinct) const {
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t test = 0; test < tests(member).size(); ++test) {
      if (!open(member, test)) continue;
      const auto& kinds = distinct.at(tests(member)[test].field);
      double cost = 0;
      for (const Condition& condition : *tests(member)[test].any_of) {
        cost += share(condition, kinds[std::to_underlying(condition.kind)]);
      }
      if (cost < least) {
        least = cost;
        best = test;
      }
    }
    return best;
  }

  void post(std::uint32_t place, std::uint32_t number, const std::vector<Candidate>& group,
            int depth) {
    Numbered& condition = conditions_[number];
    if (!condition.indexed) entries_[condition.field].push_back({condition.condition, number});
    condition.indexed = true;

    std::vector<Candidate> inner;
    Posting posting;
    posting.begin = static_cast<std::uint32_t>(places_.candidates_.size());
    const bool split = group.size() > kManyCandidates && depth < kMaxDepth && spend(group);
    for (const Candidate& member : group) {
      (split && any_open(member) ? inner : places_.candidates_).push_back(member);
    }
    posting.count = static_cast<std::uint32_t>(places_.candidates_.size()) - posting.begin;
    if (!inner.empty()) posting.inner = make_place(inner, depth + 1);
    places_.postings_.emplace(std::uint64_t{place} << 32 | number, posting);
  }

  bool any_open(const Candidate& member) const {
    const std::size_t count = std::min(tests(member).size(), kMaskBits);
    for (std::size_t test = 0; test < count; ++test) {
      if (open(member, test)) return true;
    }
    return false;
  }

  /// Inner places repeat alternatives, so all of them together stay within a multiple of the
  /// conditions there are: long lists of values could multiply.
  bool spend(const std::vector<Candidate>& group) {
    std::size_t most = 0;
    for (const Candidate& member : group) {
      std::size_t longest = 0;
      for (const auto& numbers : numbers_[member.alternative]) {
        longest = std::max(longest, numbers.size());
      }
      most += longest;
    }
    if (most > budget_) return false;
    budget_ -= most;
    return true;
  }

  Places& places_;
  std::vector<std::vector<FieldIndex::Entry>> entries_;           // By field.
  std::vector<Numbered> conditions_;                              // By number.
  std::vector<std::vector<std::vector<std::uint32_t>>> numbers_;  // By alternative and test.
  std::size_t budget_ = 0;
};

Places::Places(std::vector<Alternative> alternatives) : alternatives_(std::move(alternatives)) {
  Builder(*this).build();
}

}  // namespace headrace
