#include "app/match.h"

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
