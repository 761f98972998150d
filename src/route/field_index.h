#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hash.h"
#include "route/byte_trie.h"
#include "route/condition.h"
#include "route/range_index.h"

namespace headrace {

/// The conditions of many rules on one field, each with a number, so that one look at a value tells
/// all that fit it. Built once, then read by any thread.
class FieldIndex {
 public:
  struct Entry {
    const Condition* condition;  ///< Outlives the index.
    std::uint32_t number;
  };
  struct Scratch {
    std::string reversed;
    std::string lower;
    std::vector<std::uint32_t> candidates;
  };

  FieldIndex() = default;
  explicit FieldIndex(std::vector<Entry> entries);

  /// Appends the numbers of all conditions that `value` fits.
  void find(const FieldValue& value, Scratch& scratch, std::vector<std::uint32_t>& found) const;
  /// The number of the condition that the field be absent, if one asks for it.
  const std::optional<std::uint32_t>& absent() const { return absent_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash64(text); }
  };
  using TextMap = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;
  struct Builder;

  void find_string(std::string_view text, Scratch& scratch) const;
  void find_folded(std::string_view text, Scratch& scratch) const;
  void find_number(const FieldValue& value, Scratch& scratch) const;
  /// Appends the conditions at these places in entries_, once checked where that is needed.
  void check(const FieldValue& value, Scratch& scratch, std::vector<std::uint32_t>& found) const;

  // All of these lead to places in entries_.
  TextMap strings_;
  TextMap literals_;
  std::unordered_map<double, std::uint32_t> numbers_;
  RangeIndex ranges_;
  TextMap folded_;                     // By text in lower case; ASCII only.
  ByteTrie prefixes_;                  // Also the heads of wildcards.
  ByteTrie suffixes_;                  // Reversed; also the tails of wildcards without a head.
  ByteTrie folded_prefixes_;           // In lower case.
  ByteTrie folded_suffixes_;           // In lower case, reversed.
  std::vector<std::uint32_t> others_;  // Looked at one by one.

  std::vector<Entry> entries_;
  std::vector<bool> unsure_;  // By place: found only by a part of what it asks for.
  std::optional<std::uint32_t> absent_;
};

}  // namespace headrace
