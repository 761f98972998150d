#include "route/text_finder.h"

#include <algorithm>
#include <numeric>

#include "route/hash_table.h"

namespace headrace {
namespace {

std::uint64_t key_of(std::uint32_t node, unsigned char byte) {
  return std::uint64_t{node} << 8 | byte;
}

}  // namespace

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
        nodes_.emplace_back();
        add_step(node, byte, next);
      }
      node = next;
    }
    ends.push_back(node);
  }
}

/// Breadth first, so that what is shorter is linked already.
void TextFinder::link() {
  struct Edge {
    std::uint32_t from;
    std::uint32_t to;
    unsigned char byte;
  };
  std::vector<Edge> edges;
  for (const Step& step : steps_) {
    if (step.key == 0) continue;
    edges.push_back({static_cast<std::uint32_t>(step.key >> 8), step.to,
                     static_cast<unsigned char>(step.key & 0xFF)});
  }
  std::ranges::sort(edges, {}, &Edge::from);
  std::vector<std::uint32_t> level;
  for (const std::uint32_t node : root_) {
    if (node != kRoot) level.push_back(node);
  }
  for (std::size_t i = 0; i < level.size(); ++i) {
    const std::uint32_t from = level[i];
    for (auto edge = std::ranges::lower_bound(edges, from, {}, &Edge::from);
         edge != edges.end() && edge->from == from; ++edge) {
      std::uint32_t fail = nodes_[from].fail;
      std::uint32_t next = step(fail, edge->byte);
      while (next == kRoot && fail != kRoot) {
        fail = nodes_[fail].fail;
        next = step(fail, edge->byte);
      }
      Node& node = nodes_[edge->to];
      node.fail = next;
      node.shorter = nodes_[next].count > 0 ? next : nodes_[next].shorter;
      level.push_back(edge->to);
    }
  }
}

std::uint32_t TextFinder::step(std::uint32_t node, unsigned char byte) const {
  if (node == kRoot) return root_[byte];
  if (steps_.empty()) return kRoot;
  const std::uint64_t key = key_of(node, byte);
  const std::size_t mask = steps_.size() - 1;
  for (std::size_t at = HashTable::mix(key) >> 32 & mask;; at = (at + 1) & mask) {
    if (steps_[at].key == key) return steps_[at].to;
    if (steps_[at].key == 0) return kRoot;
  }
}

void TextFinder::add_step(std::uint32_t node, unsigned char byte, std::uint32_t to) {
  if (node == kRoot) {
    root_[byte] = to;
    return;
  }
  const auto put = [&](const Step& step) {
    const std::size_t mask = steps_.size() - 1;
    std::size_t at = HashTable::mix(step.key) >> 32 & mask;
    while (steps_[at].key != 0) at = (at + 1) & mask;
    steps_[at] = step;
  };
  if (step_count_ * 2 >= steps_.size()) {
    const std::vector<Step> old = std::exchange(steps_, {});
    steps_.resize(std::max<std::size_t>(64, old.size() * 2));
    for (const Step& step : old) {
      if (step.key != 0) put(step);
    }
  }
  put({key_of(node, byte), to});
  ++step_count_;
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
