#include "route/field_tree.h"

namespace headrace {
namespace {

constexpr std::size_t kFewEdges = 8;

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
  parent.edges.push_back({std::string(part), next});
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

std::uint32_t FieldTree::step(std::uint32_t node, std::string_view name) const {
  for (;;) {
    const std::size_t dot = name.find('.');
    node = child(node, name.substr(0, dot));
    if (node == kNone || dot == std::string_view::npos) return node;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace headrace
