#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "route/arrays.h"
#include "route/field_index.h"
#include "route/field_tree.h"
#include "route/pattern.h"

namespace headrace {

/// All alternatives of all rules, each put under the condition that the fewest events fit, so that
/// an event meets only the few that are nearly matched. Where many alternatives lie under one
/// condition they form a place of their own, ordered in the same way by their other fields.
///
/// Built once, then read by any thread. Keeps pointers into the patterns it was given.
class Places {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kTop = 0;

  struct Alternative {
    std::uint32_t rule = 0;
    std::vector<FieldTest> tests;  ///< In the order of the pattern's paths.
  };
  /// An alternative, and which of its first 64 tests its way here has proved.
  struct Candidate {
    std::uint32_t alternative;
    std::uint64_t proved;
  };
  struct Posting {
    std::uint32_t begin = 0;  ///< For candidates().
    std::uint32_t count = 0;
    std::uint32_t inner = kNone;  ///< The place of those that are not among the candidates.
  };

  explicit Places(std::vector<Alternative> alternatives);

  const Alternative& alternative(std::uint32_t at) const { return alternatives_[at]; }
  /// The fields by whose values a place is ordered.
  std::span<const std::uint32_t> fields(std::uint32_t place) const { return place_fields_[place]; }
  /// The conditions of all places on a field; their numbers are for find().
  const FieldIndex& index(std::uint32_t field) const { return indexes_[field]; }
  /// What lies in `place` under a condition; null if nothing does.
  const Posting* find(std::uint32_t place, std::uint32_t condition) const {
    const auto posting = postings_.find(std::uint64_t{place} << 32 | condition);
    return posting == postings_.end() ? nullptr : &posting->second;
  }
  std::span<const Candidate> candidates(const Posting& posting) const {
    return std::span(candidates_).subspan(posting.begin, posting.count);
  }

 private:
  class Builder;

  struct KeyHash {
    std::size_t operator()(std::uint64_t key) const { return key * 0x9E3779B97F4A7C15U >> 7; }
  };

  std::vector<Alternative> alternatives_;
  std::vector<FieldIndex> indexes_;
  std::vector<std::vector<std::uint32_t>> place_fields_;
  std::unordered_map<std::uint64_t, Posting, KeyHash> postings_;
  std::vector<Candidate> candidates_;
};

}  // namespace headrace
