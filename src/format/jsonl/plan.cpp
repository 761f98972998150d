#include "format/jsonl/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "core/error.h"
#include "format/column_name.h"

namespace headrace::jsonl {
namespace {

constexpr int kMaxLevel = 250;  // Definition levels are kept in a byte.

bool spelled_as_is(std::string_view key) {
  return std::ranges::none_of(
      key, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
}

void append_key(std::string& path, std::string_view key) {
  if (!path.empty()) path += '.';
  for (const char c : key) {
    if (c == '.' || c == '\\') path += '\\';
    path += c;
  }
}

}  // namespace

bool is_json_text(const Field& field) {
  return field.type.kind == TypeKind::kString &&
         field.metadata.find("\"headrace.type\":\"json\"") != std::string::npos;
}

bool is_uuid_text(const Field& field) {
  return field.type.kind == TypeKind::kString && field.metadata == kUuidMetadata;
}

Plan::Plan(const Schema& schema, const std::vector<std::string>& partition_by)
    : partition_by_(partition_by) {
  nodes_.push_back(std::make_unique<Node>());
  add_children(0, schema.fields);
}

void Plan::evolve(const Schema& schema) {
  ++version_;
  add_children(0, schema.fields);
}

void Plan::add_children(std::uint32_t parent, const std::vector<Field>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Node& owner = *nodes_[parent];
    if (i == owner.children.size()) {
      owner.children.push_back(add(parent, fields[i]));
      owner.has_required |= !fields[i].nullable;
      continue;
    }
    Node& known = *nodes_[owner.children[i]->id];
    set_type(known, fields[i]);
    add_children(known.id, fields[i].type.fields);
  }
}

void Plan::set_type(Node& node, const Field& field) {
  node.kind = field.type.kind;
  node.precision = field.type.precision;
  node.scale = field.type.scale;
  node.nullable = field.nullable;
  node.json_text = is_json_text(field);
  node.uuid = is_uuid_text(field);
  node.quick = node.partition < 0 && !node.json_text && !node.uuid &&
               (node.kind == TypeKind::kString || node.kind == TypeKind::kLong ||
                node.kind == TypeKind::kDouble);
}

void Plan::set_spelling(Node& node) {
  const std::size_t bytes = node.key.size() + 1;
  if (bytes > node.spelling.size() || !spelled_as_is(node.key)) return;
  std::ranges::copy(node.key, node.spelling.begin());
  node.spelling[bytes - 1] = '"';
  node.spelling_mask = static_cast<std::uint32_t>((1ull << bytes) - 1);
}

const Node* Plan::add(std::uint32_t parent, const Field& field) {
  const auto id = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(std::make_unique<Node>());
  Node& node = *nodes_.back();
  Node& owner = *nodes_[parent];
  node.id = id;
  node.parent = parent;
  node.index = static_cast<std::uint32_t>(owner.children.size());
  set_type(node, field);
  node.name = field.name;
  node.key = json_key_of(field.name);
  if (owner.kind == TypeKind::kStruct) {
    owner.by_key.emplace(node.key, id);
    owner.by_folded_name.emplace(folded_name(field.name), id);
  }
  set_spelling(node);
  if (parent == 0) {
    const auto found = std::ranges::find(partition_by_, field.name);
    if (found != partition_by_.end()) {
      node.partition = static_cast<int>(found - partition_by_.begin());
      node.quick = false;
      if (!field.type.fields.empty() || node.kind == TypeKind::kStruct) {
        throw Error(ErrorKind::kInvalid,
                    fmt::format("partition column {} is {}: only plain types can partition a table",
                                field.name, to_string(field.type)));
      }
    }
  }
  // An element's or entry's own slot is one level; a map's key is always there and adds none.
  const bool in_repeated = owner.kind == TypeKind::kList || owner.kind == TypeKind::kMap;
  const bool is_map_key = owner.kind == TypeKind::kMap && owner.children.empty();
  const int level = owner.level + (in_repeated ? 1 : 0) + (is_map_key ? 0 : 1);
  if (level > kMaxLevel) {
    throw Error(ErrorKind::kInvalid, fmt::format("column {} is nested too deeply", path(parent)));
  }
  node.level = static_cast<std::uint8_t>(level);
  add_children(id, field.type.fields);
  return &node;
}

DataType type_of(const Node& node) {
  DataType type{.kind = node.kind, .precision = node.precision, .scale = node.scale};
  for (const Node* child : node.children) {
    type.fields.push_back({.name = child->name, .type = type_of(*child)});
  }
  return type;
}

std::string Plan::path(std::uint32_t node, const std::string_view* key) const {
  std::vector<std::string_view> keys;
  if (key != nullptr) keys.push_back(*key);
  for (std::uint32_t id = node; id != 0; id = nodes_[id]->parent) {
    const Node& part = *nodes_[id];
    if (nodes_[part.parent]->kind == TypeKind::kStruct) keys.push_back(part.key);
  }
  std::string path;
  for (const std::string_view part : std::views::reverse(keys)) append_key(path, part);
  return path;
}

}  // namespace headrace::jsonl
