#include <fmt/format.h>

#include "stack/sections.h"

namespace headrace::stack {
namespace {

/// Text inside a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

/// A value on one line: scalars as in YAML, the rest as JSON, which is YAML as well.
std::string on_one_line(const Node& node) {
  if (node.kind == Node::Kind::kList || node.kind == Node::Kind::kMap) {
    JsonWriter json;
    write_json(json, node);
    return std::move(json).text();
  }
  std::string text = to_yaml(node);
  text.pop_back();
  return text;
}

std::string default_cell(const FieldInfo& field) {
  if (field.required) return "required";
  if (!field.fallback) return "";
  return fmt::format("`{}`", on_one_line(*field.fallback));
}

std::string meaning_cell(const FieldInfo& field) {
  std::string meaning = field.doc;
  for (std::size_t i = 0; i < field.examples.size(); ++i) {
    meaning +=
        fmt::format("{} `{}`", i == 0 ? (meaning.ends_with('.') ? " Example:" : ". Example:") : ",",
                    on_one_line(field.examples[i]));
  }
  return meaning;
}

}  // namespace

std::string StructSection::table() const {
  if (fields_.empty()) return "No keys.\n";
  std::string out = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const FieldInfo& field : fields_) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", field.name, cell(field.type->words()),
                       cell(default_cell(field)), cell(meaning_cell(field)));
  }
  return out;
}

std::string StructSection::reference() const {
  std::string out = doc_ + "\n\n";
  if (!shorthand_.empty()) {
    out += fmt::format("A value that is no map is its `{}`.\n\n", shorthand_);
  }
  return out + table();
}

std::string UnionSection::reference() const {
  std::string out = doc_ + "\n";
  if (spelling_ == Spelling::kByKind) {
    for (const Kind& kind : kinds_) {
      out +=
          fmt::format("\n### `kind: {}`\n\n{}\n\n{}", kind.name, kind.doc, kind.section->table());
    }
    return out;
  }
  out += "\n| key | value | meaning |\n| --- | --- | --- |\n";
  for (const Kind& kind : kinds_) {
    out += fmt::format("| `{}` | {} | {} |\n", kind.name, cell(kind.type->words()), cell(kind.doc));
  }
  return out;
}

std::string reference_markdown(const StructSection& root) {
  Sections sections;
  root.parts(sections);
  std::string out = fmt::format("# {}\n\n{}", root.name(), root.reference());
  for (const Section* section : sections.all()) {
    out += fmt::format("\n## {}\n\n{}", section->name(), section->reference());
  }
  return out;
}

}  // namespace headrace::stack
