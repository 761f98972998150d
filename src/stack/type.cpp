#include "stack/type.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "stack/yaml.h"

namespace headrace::stack {
namespace {

constexpr std::string_view kVariable = R"(\$\{(env|file|cred):)";
constexpr std::size_t kLongestQuote = 60;

void hide_all(Diagnostics& diagnostics, const Node& node) {
  if (node.kind == Node::Kind::kScalar && node.literal) diagnostics.hide(node.where, node.text);
  for (const Node& child : node.children) hide_all(diagnostics, child);
}

/// What is part of the program stands nowhere in the file.
void forget_places(Node& node) {
  node.where = {};
  node.key_where = {};
  for (Node& child : node.children) forget_places(child);
}

std::string slug(std::string_view name, char between) {
  std::string out;
  for (const char c : name) {
    if (c == ' ') {
      out += between;
    } else if (c != ':' && c != '`') {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string Reader::quote(const Node& node) const {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      break;
  }
  if (is_secret(node)) return "`***`";
  std::string escaped;
  append_json_string(escaped, node.text.substr(0, kLongestQuote));
  escaped = escaped.substr(1, escaped.size() - 2);
  return fmt::format("`{}{}`", escaped, node.text.size() > kLongestQuote ? "..." : "");
}

std::filesystem::path Reader::place(const std::filesystem::path& path) const {
  return (folder_ / path).lexically_normal();
}

Reader::Secrecy::Secrecy(Reader& reader, const Node& node) : reader_(reader) {
  ++reader.secret_levels_;
  hide_all(reader.diagnostics_, node);
}

void Sections::add(const Section& section) {
  for (const Section* known : all_) {
    if (known == &section) return;
    if (known->name() == section.name()) {
      throw Error(ErrorKind::kBug, fmt::format("two specs are named `{}`", section.name()));
    }
  }
  all_.push_back(&section);
  section.parts(*this);
}

std::string definition_name(std::string_view name) { return slug(name, '_'); }

std::string link_to(std::string_view name) {
  return fmt::format("[{}](#{})", name, slug(name, '-'));
}

void write_reference(JsonWriter& json, std::string_view name) {
  json.begin_object().key("$ref").string("#/definitions/" + definition_name(name)).end_object();
}

void write_pattern(JsonWriter& json, std::string_view pattern) {
  json.begin_object().key("type").string("string");
  json.key("pattern").string(fmt::format("^({})$|{}", pattern, kVariable)).end_object();
}

void write_variable(JsonWriter& json) {
  json.begin_object().key("type").string("string");
  json.key("pattern").string(kVariable).end_object();
}

Node node_of(std::string_view yaml) {
  Diagnostics diagnostics("spec", std::string(yaml));
  auto node = parse_yaml(yaml, diagnostics);
  if (!node) throw Error(ErrorKind::kBug, diagnostics.text());
  forget_places(*node);
  return *std::move(node);
}

}  // namespace headrace::stack
