#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "core/utf8.h"
#include "format/json_edit.h"
#include "format/json_edit_tree.h"
#include "format/json_scan.h"

namespace headrace {
namespace {

using Node = JsonEdits::Node;
using Action = Node::Action;

constexpr std::size_t kMaxEdits = 1'000;
constexpr std::size_t kMaxNames = 32;

[[noreturn]] void refuse(std::string_view edit, std::string_view path, std::string_view why) {
  throw Error(ErrorKind::kInvalid, fmt::format("{} '{}': {}", edit, path, why));
}

/// "a.b\.c" as {"a", "b.c"}.
std::vector<std::string> names_of(std::string_view edit, std::string_view path) {
  std::vector<std::string> names(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '.') {
      names.emplace_back();
    } else if (path[i] != '\\') {
      names.back() += path[i];
    } else if (i + 1 < path.size() && (path[i + 1] == '.' || path[i + 1] == '\\')) {
      names.back() += path[++i];
    } else {
      refuse(edit, path, "a backslash stands only before a dot or a backslash");
    }
  }
  if (!is_utf8(path)) refuse(edit, path, "the path is not UTF-8");
  if (names.size() > kMaxNames) refuse(edit, path, "the path has more than 32 names");
  if (std::ranges::any_of(names, &std::string::empty)) {
    refuse(edit, path, "a name in the path is empty; a dot within a name is written '\\.'");
  }
  return names;
}

std::string quoted(std::string_view name) {
  std::string out;
  append_json_string(out, name);
  return out;
}

std::size_t child_of(Node& node, std::string_view name) {
  const auto found = std::ranges::find(node.children, name, &Node::name);
  if (found != node.children.end()) {
    return static_cast<std::size_t>(found - node.children.begin());
  }
  Node child;
  child.name = name;
  child.key = quoted(name);
  node.children.push_back(std::move(child));
  return node.children.size() - 1;
}

/// Follows a path from the root, making what is missing, to the field's parent.
Node& parent_of(Node& root, const std::vector<std::string>& names, std::string_view edit,
                std::string_view path) {
  Node* node = &root;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    node = &node->children[child_of(*node, names[i])];
    if (node->action != Action::kNone) {
      refuse(edit, path, fmt::format("another edit touches '{}'", node->name));
    }
  }
  return *node;
}

Node& claim(Node& parent, std::string_view name, Action action, std::string_view edit,
            std::string_view path) {
  Node& node = parent.children[child_of(parent, name)];
  if (node.action != Action::kNone || !node.children.empty()) {
    refuse(edit, path, fmt::format("another edit touches '{}'", name));
  }
  node.action = action;
  return node;
}

void check_value(std::string_view path, std::string_view value, int depth) {
  JsonScan scan(depth);
  scan.begin(value);
  if (value.find_first_of("\r\n") != std::string_view::npos) {
    refuse("set", path, "the value must be on one line");
  }
  scan.skip_space();
  if (!scan.value()) refuse("set", path, "the value is not JSON: " + scan.fault());
  scan.skip_space();
  if (scan.at != scan.end) refuse("set", path, "the value must be one JSON value");
}

std::string_view trimmed(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  return value.substr(0, value.find_last_not_of(" \t") + 1);
}

void rename(Node& root, std::string_view path, std::string_view to) {
  const auto names = names_of("rename", path);
  if (!is_utf8(to)) refuse("rename", path, "the new name is not UTF-8");
  if (to == names.back()) refuse("rename", path, "the new name is the old one");
  Node& parent = parent_of(root, names, "rename", path);
  claim(parent, names.back(), Action::kRename, "rename", path);
  claim(parent, to, Action::kTarget, "rename", path);  // May move the children.
  Node& node = parent.children[child_of(parent, names.back())];
  node.text = quoted(to);
  node.target = child_of(parent, to);
}

/// Fills in what follows from the whole tree: look-up by name, and what absent fields get.
void complete(Node& node, bool add) {
  for (Node& child : node.children) complete(child, add);
  node.by_name.resize(node.children.size());
  std::iota(node.by_name.begin(), node.by_name.end(), std::size_t{0});
  std::ranges::sort(node.by_name, {},
                    [&](std::size_t i) -> const std::string& { return node.children[i].name; });
  if (!add) return;
  if (node.action == Action::kSet) node.added = node.text;
  std::string fields;
  for (const Node& child : node.children) {
    if (child.added.empty()) continue;
    fields += fmt::format("{}{}:{}", fields.empty() ? "" : ",", child.key, child.added);
  }
  if (!fields.empty()) node.added = "{" + fields + "}";
}

}  // namespace

std::size_t JsonEdits::Node::find(BytesView raw) const {
  if (children.empty()) return kNoChild;
  if (raw.find('\\') != BytesView::npos) return find_plain(json_unescape(raw));
  return find_plain(raw);
}

std::size_t JsonEdits::Node::find_plain(BytesView raw) const {
  const auto found = std::ranges::lower_bound(
      by_name, raw, {}, [&](std::size_t i) { return BytesView(children[i].name); });
  return found != by_name.end() && children[*found].name == raw ? *found : kNoChild;
}

JsonEdits::JsonEdits(JsonEditConfig config)
    : config_(std::move(config)), root_(std::make_unique<Node>()) {
  const std::size_t count = config_.set.size() + config_.remove.size() + config_.rename.size();
  if (count == 0) throw Error(ErrorKind::kInvalid, "an edit needs set, remove or rename");
  if (count > kMaxEdits) {
    throw Error(ErrorKind::kInvalid, fmt::format("more than {} edits", kMaxEdits));
  }
  for (const auto& [path, value] : config_.set) {
    check_value(path, value, config_.depth);
    const auto names = names_of("set", path);
    claim(parent_of(*root_, names, "set", path), names.back(), Action::kSet, "set", path).text =
        trimmed(value);
  }
  for (const std::string& path : config_.remove) {
    const auto names = names_of("remove", path);
    claim(parent_of(*root_, names, "remove", path), names.back(), Action::kRemove, "remove", path);
  }
  for (const auto& [path, to] : config_.rename) rename(*root_, path, to);
  complete(*root_, config_.if_absent == IfAbsent::kAdd);
}

JsonEdits::~JsonEdits() = default;
JsonEdits::JsonEdits(JsonEdits&&) noexcept = default;
JsonEdits& JsonEdits::operator=(JsonEdits&&) noexcept = default;

}  // namespace headrace
