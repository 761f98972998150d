#include "route/byte_trie.h"

#include <algorithm>
#include <cstring>

namespace headrace {

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  if (entries.empty()) return;
  std::ranges::sort(entries);
  nodes_.emplace_back();
  firsts_.push_back('\0');
  fill(0, entries.begin(), entries.end(), 0);
}

/// Entries are sorted and share their first `depth` bytes, which lead to `node`.
void ByteTrie::fill(std::uint32_t node, Entries begin, Entries end, std::size_t depth) {
  nodes_[node].numbers = static_cast<std::uint32_t>(numbers_.size());
  for (; begin != end && begin->first.size() == depth; ++begin) numbers_.push_back(begin->second);
  nodes_[node].count = static_cast<std::uint32_t>(numbers_.size()) - nodes_[node].numbers;

  struct Group {
    Entries begin, end;
    std::size_t depth;
  };
  std::vector<Group> groups;
  while (begin != end) {
    const char first = begin->first[depth];
    const Entries stop =
        std::find_if(begin, end, [&](const Entry& entry) { return entry.first[depth] != first; });
    // Sorted, so what the first and the last have in common, all have.
    const std::string_view low = begin->first;
    const std::string_view high = std::prev(stop)->first;
    const auto differ = std::mismatch(low.begin(), low.end(), high.begin(), high.end());
    groups.push_back({begin, stop, static_cast<std::size_t>(differ.first - low.begin())});
    begin = stop;
  }
  const auto children = static_cast<std::uint32_t>(nodes_.size());
  nodes_[node].children = children;
  nodes_[node].fan = static_cast<std::uint16_t>(groups.size());
  for (const Group& group : groups) {
    Node& child = nodes_.emplace_back();
    child.label = static_cast<std::uint32_t>(labels_.size());
    child.length = static_cast<std::uint32_t>(group.depth - depth);
    const std::string_view label = group.begin->first.substr(depth, child.length);
    std::ranges::copy(label.substr(0, child.head.size()), child.head.begin());
    labels_.append(group.begin->first.substr(depth, child.length));
    firsts_.push_back(group.begin->first[depth]);
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    fill(children + static_cast<std::uint32_t>(i), groups[i].begin, groups[i].end, groups[i].depth);
  }
}

std::uint32_t ByteTrie::child(const Node& node, char first) const {
  const char* begin = firsts_.data() + node.children;
  const void* at = std::memchr(begin, first, node.fan);
  return at ? node.children + static_cast<std::uint32_t>(static_cast<const char*>(at) - begin) : 0;
}

void ByteTrie::find(std::string_view text, std::vector<std::uint32_t>& found) const {
  if (nodes_.empty()) return;
  const Node* node = nodes_.data();
  for (;;) {
    const auto numbers = numbers_.begin() + node->numbers;
    found.insert(found.end(), numbers, numbers + node->count);
    if (text.empty() || node->fan == 0) return;
    const std::uint32_t next = child(*node, text.front());
    if (next == 0) return;
    node = &nodes_[next];
    if (text.size() < node->length) return;
    const std::size_t inside = std::min<std::size_t>(node->length, node->head.size());
    if (std::memcmp(text.data(), node->head.data(), inside) != 0) return;
    if (node->length > inside && std::memcmp(text.data() + inside, &labels_[node->label + inside],
                                             node->length - inside) != 0) {
      return;
    }
    text.remove_prefix(node->length);
  }
}

}  // namespace headrace
