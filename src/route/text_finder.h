#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "route/hash_table.h"

namespace headrace {

/// Texts with a number each; finds all of them that occur anywhere in a given text, in one pass
/// over it however many there are (Aho and Corasick). Memory is linear in the texts. Built once,
/// then read by any thread.
class TextFinder {
 public:
  using Entry = std::pair<std::string_view, std::uint32_t>;
  /// One per thread, for any number of finders.
  struct Scratch {
    std::vector<std::uint32_t> reported;  // By state: the round in which it was.
    std::uint32_t round = 0;
  };

  TextFinder() = default;
  /// No text may be empty.
  explicit TextFinder(const std::vector<Entry>& entries);

  bool empty() const { return nodes_.size() < 2; }
  /// Appends the numbers of all entries that occur in `text`, each once.
  void find(std::string_view text, Scratch& scratch, std::vector<std::uint32_t>& found) const;

 private:
  static constexpr std::uint32_t kRoot = 0;
  struct Node {
    std::uint32_t fail = kRoot;     // The longest proper end of this text that begins another.
    std::uint32_t shorter = kRoot;  // The longest proper end that is an entry.
    std::uint32_t numbers = 0;      // Of the entries that end here: numbers_[numbers, + count).
    std::uint32_t count = 0;
    std::uint32_t from = kRoot;  // The one node that leads here, ...
    unsigned char byte = 0;      // ... and by which byte.
  };

  static std::uint64_t step_hash(std::uint32_t node, unsigned char byte) {
    return HashTable::mix(std::uint64_t{node} << 8 | byte);
  }
  std::uint32_t step(std::uint32_t node, unsigned char byte) const;
  void add_steps(const std::vector<Entry>& entries, std::vector<std::uint32_t>& ends);
  void link();

  std::vector<Node> nodes_;
  std::array<std::uint32_t, 256> root_{};
  HashTable steps_;  // The nodes that others than the root lead to.
  std::vector<std::uint32_t> numbers_;
};

}  // namespace headrace
