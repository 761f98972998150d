#include "route/field_tree.h"

namespace headrace {

std::uint32_t FieldTree::add(std::string_view path) {
  std::uint32_t node = kRoot;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    std::uint32_t next = child(node, part);
    if (next == kNone) {
      next = static_cast<std::uint32_t>(fields_.size());
      fields_.push_back(kNone);
      leads_on_.push_back(false);
      leads_on_[node] = true;
      edges_.emplace(Edge{node, std::string(part)}, next);
    }
    node = next;
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (fields_[node] == kNone) fields_[node] = count_++;
  return fields_[node];
}

std::uint32_t FieldTree::child(std::uint32_t node, std::string_view part) const {
  if (!leads_on_[node]) return kNone;
  const auto edge = edges_.find(EdgeView{node, part});
  return edge == edges_.end() ? kNone : edge->second;
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
