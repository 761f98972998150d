#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "route/byte_trie.h"
#include "route/condition.h"
#include "route/hash_table.h"
#include "route/range_index.h"
#include "route/text_finder.h"

namespace headrace {

/// The conditions of many rules on one field, each with a number, so that one look at a value tells
/// all that fit it. Built once, then read by any thread.
class FieldIndex {
 public:
  struct Scratch {
    std::string reversed;
    std::string lower;
    std::vector<std::uint32_t> candidates;
    TextFinder::Scratch finder;
    std::uint64_t work = 0;  ///< Bytes gone through by wildcards, and conditions looked at.
  };

  FieldIndex() = default;
  /// Of those of `conditions` that have these numbers. The conditions outlive the index.
  FieldIndex(std::span<const Condition> conditions, const std::vector<std::uint32_t>& numbers);

  /// Appends the numbers of all conditions that `value` fits; one may come more than once.
  void find(const FieldValue& value, Scratch& scratch, std::vector<std::uint32_t>& found) const;
  /// The number of the condition that the field be absent, if one asks for it.
  const std::optional<std::uint32_t>& absent() const { return absent_; }

 private:
  class Builder;

  void find_string(std::string_view text, Scratch& scratch) const;
  void find_folded(std::string_view text, Scratch& scratch) const;
  void find_address(std::string_view text, Scratch& scratch) const;
  void find_number(const FieldValue& value, Scratch& scratch,
                   std::vector<std::uint32_t>& found) const;
  /// Appends the candidates, once checked where that is needed.
  void check(const FieldValue& value, Scratch& scratch, std::vector<std::uint32_t>& found) const;

  /// Set beside a number: found only by a part of what the condition asks for.
  static constexpr std::uint32_t kUnsure = 1U << 31;

  std::span<const Condition> conditions_;
  HashTable strings_;
  HashTable literals_;
  HashTable numbers_;
  HashTable folded_;  // By text in lower case; ASCII only.
  RangeIndex ranges_;
  ByteTrie prefixes_;                              // Also the heads of wildcards.
  ByteTrie suffixes_;                              // Reversed; also the tails of wildcards.
  ByteTrie folded_prefixes_;                       // In lower case.
  ByteTrie folded_suffixes_;                       // In lower case, reversed.
  TextFinder inside_;                              // What lies between the stars of wildcards.
  HashTable blocks_;                               // Of addresses, by masked address and bits.
  std::vector<std::pair<bool, int>> block_sizes_;  // (IPv6, bits) that blocks_ has.
  std::vector<std::uint32_t> others_;              // Looked at one by one.

  std::optional<std::uint32_t> absent_;
};

}  // namespace headrace
