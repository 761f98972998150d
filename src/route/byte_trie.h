#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headrace {

/// Texts with a number each; finds all of them that a given text begins with, in one pass over that
/// text. Built once, then read by any thread.
class ByteTrie {
 public:
  using Entry = std::pair<std::string_view, std::uint32_t>;

  ByteTrie() = default;
  /// The entries' texts may end with the call.
  explicit ByteTrie(std::vector<Entry> entries);

  bool empty() const { return nodes_.empty(); }
  /// Appends the numbers of all entries whose text `text` begins with.
  void find(std::string_view text, std::vector<std::uint32_t>& found) const;

 private:
  struct Node {
    std::uint32_t label = 0;  // The bytes that lead here: labels_[label, label + length).
    std::uint32_t length = 0;
    std::uint32_t numbers = 0;  // Of the entries that end here: numbers_[numbers, + count).
    std::uint32_t count = 0;
    std::uint32_t children = 0;  // Nodes side by side, ordered by the first byte of their label.
    std::uint16_t fan = 0;
    std::array<char, 10> head{};  // The first bytes of the label: most have no more.
  };
  using Entries = std::vector<Entry>::const_iterator;

  void fill(std::uint32_t node, Entries begin, Entries end, std::size_t depth);
  std::uint32_t child(const Node& node, char first) const;

  std::vector<Node> nodes_;  // The root first.
  std::string firsts_;       // By node: the first byte of its label.
  std::string labels_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace headrace
