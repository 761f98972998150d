#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "route/arrays.h"
#include "route/field_index.h"
#include "route/field_tree.h"
#include "route/hash_table.h"
#include "route/pattern.h"
#include "route/range_index.h"

namespace headrace {

/// All alternatives of all rules, each put under the condition that the fewest events fit, so that
/// an event meets only the few that are nearly matched. Where many alternatives lie under one
/// condition they form a place of their own, ordered in the same way by their other fields.
///
/// Conditions that mean the same on one field are kept once and have a number. Built once, then
/// read by any thread.
class Places {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kTop = 0;
  /// A field that is to be one of more values than this is looked up in its index, not value by
  /// value.
  static constexpr std::size_t kLongList = 8;

  struct Alternative {
    std::uint32_t rule = 0;
    std::uint32_t tests = 0;  ///< For tests().
    std::uint32_t count = 0;
  };
  /// What lies under a condition of a place, as it stands in code(), where all of it lies in one
  /// piece: these four numbers, then its candidates. A candidate is its alternative, its rule, and
  /// how many numbers follow: those of the tests that the way here has not proved. A test is its
  /// field, how many conditions it has, and their numbers; or, if they are more than kLongList, its
  /// field, kLong, and its number for test().
  enum PostingAt : unsigned char { kOfPlace, kOfCondition, kInner, kCount, kCandidates };
  enum CandidateAt : unsigned char { kOfAlternative, kOfRule, kLength, kTests };
  static constexpr std::uint32_t kLong = UINT32_MAX;

  /// The ranges under which a place has something, on one field; their numbers are postings.
  struct Ranges {
    std::uint32_t field = 0;
    RangeIndex index;
  };
  struct Place {
    std::vector<std::uint32_t> fields;  ///< By whose indexes it is ordered.
    std::vector<Ranges> ranges;
  };
  /// The share of events that fit a condition on a field, if it was measured; below 0 if not.
  using Measured = std::function<double(std::uint64_t condition_hash, std::uint32_t field)>;

  /// Takes all rules in, one after the other, and then builds.
  class Builder;

  std::span<const FieldTest> tests(const Alternative& alternative) const {
    return std::span(tests_).subspan(alternative.tests, alternative.count);
  }
  const Alternative& alternative(std::uint32_t at) const { return alternatives_[at]; }
  const FieldTest& test(std::uint32_t at) const { return tests_[at]; }
  const Place& place(std::uint32_t at) const { return places_[at]; }
  /// The conditions of all places on a field; it finds them by their numbers.
  const FieldIndex& index(std::uint32_t field) const { return indexes_[field]; }
  const Condition& condition(std::uint32_t number) const { return conditions_[number]; }
  std::uint32_t field_of(std::uint32_t condition) const { return fields_[condition]; }
  std::uint32_t conditions() const { return static_cast<std::uint32_t>(conditions_.size()); }
  std::uint32_t number_of(const Condition* condition) const {
    return static_cast<std::uint32_t>(condition - conditions_.data());
  }
  /// The share of events that fit it, as it was measured before this was built; below 0 if it was
  /// not.
  float measured(std::uint32_t condition) const { return shares_[condition]; }
  /// Does index() find it?
  bool indexed(std::uint32_t condition) const { return indexed_[condition]; }

  /// Where what lies in `place` under a condition begins in code(); kNone if nothing does.
  std::uint32_t find(std::uint32_t place, std::uint32_t condition) const {
    if (place == kTop) return top_[condition];
    return by_key_.find(key_hash(place, condition), [&](std::uint32_t at) {
      return code_[at + kOfPlace] == place && code_[at + kOfCondition] == condition;
    });
  }
  const std::uint32_t* code(std::uint32_t at) const { return code_.data() + at; }

 private:
  static std::uint64_t key_hash(std::uint32_t place, std::uint32_t condition) {
    return HashTable::mix(std::uint64_t{place} * 0x9E3779B1U ^ std::uint64_t{condition} << 17);
  }

  std::vector<Condition> conditions_;
  std::vector<std::uint32_t> fields_;  // By condition.
  std::vector<float> shares_;          // By condition.
  std::vector<bool> indexed_;          // By condition.
  std::vector<Alternative> alternatives_;
  std::vector<FieldTest> tests_;
  std::vector<const Condition*> pool_;  // What the tests are spans of.
  std::vector<FieldIndex> indexes_;     // By field.
  std::vector<Place> places_;
  std::vector<std::uint32_t> code_;
  std::vector<std::uint32_t> top_;  // By condition: where its posting in the top place begins.
  HashTable by_key_;                // Where those of all other places begin.
};

class Places::Builder {
 public:
  Builder(std::uint32_t fields, Measured measured);

  /// The conditions are taken out of the pattern's fields.
  void add(std::uint32_t rule, Pattern::Alternative alternative,
           const std::vector<std::uint32_t>& fields);
  std::size_t conditions() const { return numbers_.size(); }
  Places build() &&;

 private:
  /// An alternative, and which of its first 32 tests its way here has proved.
  struct Candidate {
    std::uint32_t alternative;
    std::uint32_t proved;
  };

  static bool open(const Candidate& member, std::size_t test);
  void write(const Candidate& member);
  std::uint32_t number_of(Condition condition, std::uint32_t field);
  void make_tests();
  std::uint32_t make_place(std::vector<Candidate> members, int depth);
  std::uint32_t post(std::uint32_t place, std::uint32_t number, std::vector<Candidate> group,
                     int depth);
  void count_distinct(const std::vector<Candidate>& members);
  void forget_distinct();
  double share(std::uint32_t number) const;
  /// The open test that the fewest events should pass, and the share that does.
  std::pair<std::size_t, double> cheapest(const Candidate& member) const;
  std::span<const std::uint32_t> numbers(const Alternative& alternative, std::size_t test) const;
  bool spend(const std::vector<Candidate>& group);
  void index(std::uint32_t number);

  struct Span {
    std::uint32_t field;
    std::uint32_t begin;  // In numbers_.
    std::uint32_t count;
  };

  Places out_;
  Measured measured_;
  HashTable known_;          // Conditions by hash.
  std::vector<Span> spans_;  // Side by side with the tests.
  std::vector<std::uint32_t> numbers_;
  std::vector<std::vector<std::uint32_t>> indexed_;  // By field: the conditions of its index.
  std::vector<std::uint32_t> distinct_;              // By field and kind, for the place being made.
  std::vector<std::uint32_t> counted_;               // Which of them are not 0.
  std::vector<std::uint32_t> seen_;  // By condition: the round that counted it last.
  std::uint32_t round_ = 0;
  std::size_t budget_ = 0;
};

}  // namespace headrace
