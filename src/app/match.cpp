#include "app/match.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "route/json_tree.h"
#include "stack/variables.h"

namespace headrace {
namespace {

constexpr std::size_t kValuesBytes = 16u << 20;
constexpr std::string_view kBothTypes = R"("type":["Object Created","Object Deleted"])";

/// An empty tree for what is no JSON object: it is complained about elsewhere.
JsonTree object_of(const std::string& match) {
  try {
    JsonTree tree = parse_json_tree(match);
    if (tree.kind == JsonTree::Kind::kObject) return tree;
  } catch (const Error&) {
    return {};
  }
  return {};
}

}  // namespace

AskedNames::AskedNames(const std::string& pattern) { gather(object_of(pattern), ""); }

AskedNames::Ends AskedNames::ends_of(const JsonTree& value) {
  if (value.kind == JsonTree::Kind::kString) return {value.text, value.text, true};
  if (value.kind != JsonTree::Kind::kObject || value.items.size() != 1) return {};
  const JsonTree& operand = value.items[0];
  if (operand.kind != JsonTree::Kind::kString) return {};
  const std::string& text = operand.text;
  const std::string& name = value.names[0];
  if (name == "exactly") return {text, text, true};
  if (name == "prefix") return {text, "", false};
  if (name == "suffix") return {"", text, false};
  if (name != "wildcard" || text.contains('\\')) return {};
  if (!text.contains('*')) return {text, text, true};
  return {text.substr(0, text.find('*')), text.substr(text.rfind('*') + 1), false};
}

bool AskedNames::may_be_same(const Ends& a, const Ends& b) {
  const auto is_of = [](const Ends& text, const Ends& others) {
    return text.begin.starts_with(others.begin) && text.begin.ends_with(others.end);
  };
  if (a.whole && b.whole) return a.begin == b.begin;
  if (a.whole || b.whole) return a.whole ? is_of(a, b) : is_of(b, a);
  return (a.begin.starts_with(b.begin) || b.begin.starts_with(a.begin)) &&
         (a.end.ends_with(b.end) || b.end.ends_with(a.end));
}

/// `$or` is passed over: it can only make the objects fewer.
void AskedNames::gather(const JsonTree& pattern, const std::string& parent) {
  for (std::size_t i = 0; i < pattern.names.size(); ++i) {
    const std::string path = parent + pattern.names[i];
    const JsonTree& value = pattern.items[i];
    if (value.kind == JsonTree::Kind::kObject) gather(value, path + ".");
    const bool stays = path == "detail.object.key" || path == "detail.bucket.name" ||
                       path.starts_with("detail.key_fields.");
    if (value.kind != JsonTree::Kind::kArray || !stays) continue;
    std::vector<Ends>& texts = asked_[path];
    texts.clear();  // The last of equal fields wins.
    for (const JsonTree& text : value.items) texts.push_back(ends_of(text));
  }
}

bool AskedNames::may_share_objects(const AskedNames& other) const {
  return std::ranges::all_of(asked_, [&](const auto& asked) {
    const auto found = other.asked_.find(asked.first);
    if (found == other.asked_.end()) return true;
    return std::ranges::any_of(asked.second, [&](const Ends& a) {
      return std::ranges::any_of(found->second, [&](const Ends& b) { return may_be_same(a, b); });
    });
  });
}

MatchSpec match_of(const std::filesystem::path& folder, const stack::Json& match) {
  MatchFiles files;
  for (const std::string& name : match_files(match.text)) {
    files[name] = value_lines(stack::machine_environment().file(folder / name, kValuesBytes));
  }
  return read_match(match.text, files);
}

std::string with_deletions(const std::string& match) {
  const JsonTree tree = object_of(match);
  if (tree.kind != JsonTree::Kind::kObject || tree.find("type") || tree.find("pattern")) {
    return match;
  }
  std::string out = match;
  const std::string separator = tree.names.empty() ? "" : ",";
  out.insert(tree.begin + 1, std::string(kBothTypes) + separator);
  return out;
}

MatchWords words_of(const std::string& match) {
  return {.size = object_of(match).find("size") != nullptr,
          .deletions = match.contains("Object Deleted")};
}

}  // namespace headrace
