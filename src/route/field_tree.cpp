#include "route/field_tree.h"

#include <cstring>

namespace headrace {
namespace {

/// Eight bytes from `at` on; what lies beyond `limit` is zero.
std::uint64_t head_of(const char* at, const char* limit) {
  std::uint64_t out = 0;
  if (limit - at >= 8) {
    std::memcpy(&out, at, 8);
  } else {
    std::memcpy(&out, at, static_cast<std::size_t>(limit - at));
  }
  return out;
}

std::uint64_t mask_of(std::size_t bytes) {
  std::uint64_t out = 0;
  std::memset(&out, 0xFF, std::min<std::size_t>(bytes, 8));
  return out;
}

}  // namespace

std::uint32_t FieldTree::add(std::string_view path) {
  std::uint32_t node = kRoot;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    const std::uint32_t next = child(node, part);
    node = next == kNone ? add_child(node, part) : next;
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (nodes_[node].field == kNone) nodes_[node].field = count_++;
  return nodes_[node].field;
}

std::uint32_t FieldTree::add_child(std::uint32_t node, std::string_view part) {
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  Node& parent = nodes_[node];
  const std::uint64_t head = head_of(part.data(), part.data() + part.size());
  parent.edges.push_back({head, mask_of(part.size()), next, std::string(part)});
  if (parent.edges.size() > kFewEdges) {
    for (const Edge& edge : parent.edges) parent.by_name.emplace(edge.name, edge.to);
  }
  nodes_.emplace_back();
  return next;
}

std::uint32_t FieldTree::child(std::uint32_t node, std::string_view part) const {
  const Node& parent = nodes_[node];
  if (parent.edges.size() > kFewEdges) {
    const auto edge = parent.by_name.find(part);
    return edge == parent.by_name.end() ? kNone : edge->second;
  }
  for (const Edge& edge : parent.edges) {
    if (edge.name == part) return edge.to;
  }
  return kNone;
}

std::uint32_t FieldTree::step(std::uint32_t node, std::string_view name, const char* limit) const {
  const std::vector<Edge>& edges = nodes_[node].edges;
  if (edges.size() > kFewEdges) return step_by_hash(node, name);
  const std::uint64_t head = head_of(name.data(), limit);
  for (const Edge& edge : edges) {
    const std::size_t length = edge.name.size();
    if (((head ^ edge.head) & edge.mask) != 0 || name.size() < length) continue;
    if (length > 8 && std::memcmp(name.data() + 8, edge.name.data() + 8, length - 8) != 0) continue;
    if (name.size() == length) return edge.to;
    if (name[length] == '.') return step(edge.to, name.substr(length + 1), limit);
  }
  return kNone;
}

std::uint32_t FieldTree::step_by_hash(std::uint32_t node, std::string_view name) const {
  const std::size_t dot = name.find('.');
  const std::uint32_t next = child(node, name.substr(0, dot));
  if (next == kNone || dot == std::string_view::npos) return next;
  return step(next, name.substr(dot + 1));
}

}  // namespace headrace
