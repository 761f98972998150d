#include "stack/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headrace::stack {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// The number grammar of RFC 8259, section 6.
bool is_json_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

/// May this text stand without quotes, and is text then to every YAML reader? Rather too strict.
bool is_plain_text(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '/'; };
  if (text.empty()) return false;
  if (is_digit(text[0])) {  // 5m, 128MiB, 200/s: but not 0x1F, 1e5 or 10:30.
    const std::size_t unit = skip_digits(text, 0);
    return unit < text.size() && !text.starts_with("0x") && !text.starts_with("0o") &&
           std::ranges::all_of(text.substr(unit), [](char c) { return is_letter(c) || c == '/'; });
  }
  if (!fits(text[0]) && !text.starts_with("./")) return false;
  if (!std::ranges::all_of(text, [&](char c) { return fits(c) || c == '.' || c == '-'; })) {
    return false;
  }
  // Words that YAML 1.1 reads as something else.
  static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no",
                                                "on",   "off",   "y",    "n"};
  return std::ranges::none_of(kWords, [&](std::string_view word) {
    return std::ranges::equal(word, text, [](char a, char b) { return a == (b | 0x20); });
  });
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string scalar_text(const Node& node) {
  if (node.kind == Node::Kind::kNull) return "null";
  std::string text = node.text;
  for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos; at += 3) {
    text.insert(at, 1, '$');
  }
  if (text == node.text && (node.plain || is_plain_text(text))) return text;
  return quoted(text);
}

/// Variables are not replaced in keys.
std::string key_text(const std::string& key) { return is_plain_text(key) ? key : quoted(key); }

void write_block(std::string& out, const Node& node, std::size_t indent);

/// What follows "key:" or "-": on the same line if it is short, else below.
void write_value(std::string& out, const Node& node, std::size_t indent) {
  if (node.kind == Node::Kind::kMap || node.kind == Node::Kind::kList) {
    if (node.children.empty()) {
      out += node.kind == Node::Kind::kMap ? " {}\n" : " []\n";
    } else {
      out += '\n';
      write_block(out, node, indent + 2);
    }
    return;
  }
  out += ' ';
  out += scalar_text(node);
  out += '\n';
}

void write_block(std::string& out, const Node& node, std::size_t indent) {
  for (const Node& child : node.children) {
    out.append(indent, ' ');
    if (node.kind == Node::Kind::kList) {
      out += '-';
    } else {
      out += key_text(child.key) + ':';
    }
    write_value(out, child, indent);
  }
}

}  // namespace

Node Node::scalar(std::string text, bool plain) {
  Node node;
  node.kind = Kind::kScalar;
  node.text = std::move(text);
  node.plain = plain;
  return node;
}

const Node* Node::find(std::string_view name) const {
  if (kind != Kind::kMap) return nullptr;
  const auto found = std::ranges::find(children, name, &Node::key);
  return found == children.end() ? nullptr : &*found;
}

bool is_json_literal(std::string_view text) {
  return text == "true" || text == "false" || text == "null" || is_json_number(text);
}

void write_json(JsonWriter& json, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      json.null();
      return;
    case Node::Kind::kScalar:
      if (node.plain && is_json_literal(node.text)) {
        json.raw(node.text);
      } else {
        json.string(node.text);
      }
      return;
    case Node::Kind::kList:
      json.begin_array();
      for (const Node& child : node.children) write_json(json, child);
      json.end_array();
      return;
    case Node::Kind::kMap:
      json.begin_object();
      for (const Node& child : node.children) write_json(json.key(child.key), child);
      json.end_object();
  }
}

std::string to_yaml(const Node& node) {
  std::string out;
  if (node.children.empty()) {
    write_value(out, node, 0);
    return out.substr(1);
  }
  write_block(out, node, 0);
  return out;
}

}  // namespace headrace::stack
