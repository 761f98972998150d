#include "route/text_finder.h"

#include <algorithm>
#include <numeric>

namespace headrace {

TextFinder::TextFinder(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  nodes_.emplace_back();
  std::vector<std::uint32_t> ends;  // By entry: its node.
  add_steps(entries, ends);
  // Entries of one text stand side by side in numbers_.
  for (const std::uint32_t end : ends) ++nodes_[end].count;
  std::uint32_t total = 0;
  for (Node& node : nodes_) {
    node.numbers = total;
    total += std::exchange(node.count, 0);
  }
  numbers_.resize(total);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Node& node = nodes_[ends[i]];
    numbers_[node.numbers + node.count++] = entries[i].second;
  }
  link();
}

void TextFinder::add_steps(const std::vector<Entry>& entries, std::vector<std::uint32_t>& ends) {
  for (const auto& [text, number] : entries) {
    std::uint32_t node = kRoot;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      std::uint32_t next = step(node, byte);
      if (next == kRoot) {
        next = static_cast<std::uint32_t>(nodes_.size());
        nodes_.push_back({.from = node, .byte = byte});
        if (node == kRoot) {
          root_[byte] = next;
        } else {
          steps_.insert(step_hash(node, byte), next);
        }
      }
      node = next;
    }
    ends.push_back(node);
  }
}

/// Breadth first, so that what is shorter is linked already.
void TextFinder::link() {
  std::vector<std::uint32_t> depth(nodes_.size(), 0);
  for (std::size_t node = 1; node < nodes_.size(); ++node) {
    depth[node] = depth[nodes_[node].from] + 1;  // A node comes after the one that leads to it.
  }
  std::vector<std::uint32_t> order(nodes_.size());
  std::iota(order.begin(), order.end(), kRoot);
  std::ranges::sort(order, {}, [&](std::uint32_t node) { return depth[node]; });
  for (const std::uint32_t at : order) {
    if (depth[at] < 2) continue;
    Node& node = nodes_[at];
    std::uint32_t fail = nodes_[node.from].fail;
    std::uint32_t next = step(fail, node.byte);
    while (next == kRoot && fail != kRoot) {
      fail = nodes_[fail].fail;
      next = step(fail, node.byte);
    }
    node.fail = next;
    node.shorter = nodes_[next].count > 0 ? next : nodes_[next].shorter;
  }
}

std::uint32_t TextFinder::step(std::uint32_t node, unsigned char byte) const {
  if (node == kRoot) return root_[byte];
  const std::uint32_t to = steps_.find(step_hash(node, byte), [&](std::uint32_t next) {
    return nodes_[next].from == node && nodes_[next].byte == byte;
  });
  return to == HashTable::kNone ? kRoot : to;
}

void TextFinder::find(std::string_view text, Scratch& scratch,
                      std::vector<std::uint32_t>& found) const {
  if (scratch.reported.size() < nodes_.size()) scratch.reported.resize(nodes_.size(), 0);
  if (++scratch.round == 0) {  // Once in four thousand million.
    std::ranges::fill(scratch.reported, 0);
    scratch.round = 1;
  }
  std::uint32_t node = kRoot;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = step(node, byte);
    while (next == kRoot && node != kRoot) {
      node = nodes_[node].fail;
      next = step(node, byte);
    }
    node = next;
    // Where a state was reported before, all that it leads to was.
    for (std::uint32_t at = nodes_[node].count > 0 ? node : nodes_[node].shorter;
         at != kRoot && scratch.reported[at] != scratch.round; at = nodes_[at].shorter) {
      scratch.reported[at] = scratch.round;
      const auto numbers = numbers_.begin() + nodes_[at].numbers;
      found.insert(found.end(), numbers, numbers + nodes_[at].count);
    }
  }
}

}  // namespace headrace
