#include "route/json_tree.h"

#include <fmt/format.h>

#include <cstdint>

#include "core/error.h"
#include "core/utf8.h"

namespace headrace {
namespace {

constexpr int kMaxDepth = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Four hexadecimal digits at `at`; -1 if they are not there.
int hex4(std::string_view text, std::size_t at) {
  if (text.size() < at + 4) return -1;
  int value = 0;
  for (const char c : text.substr(at, 4)) {
    int digit = 0;
    if (is_digit(c)) {
      digit = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (c | 0x20) - 'a' + 10;
    } else {
      return -1;
    }
    value = value << 4 | digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3F)));
  };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | point >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Appends what \uXXXX (and its second half) stands for; the bytes after "\u" it took, 0 if bad.
std::size_t append_u_escape(std::string& out, std::string_view after) {
  const int first = hex4(after, 0);
  if (first < 0 || (first >= 0xDC00 && first <= 0xDFFF)) return 0;
  if (first < 0xD800 || first > 0xDFFF) {
    append_utf8(out, static_cast<std::uint32_t>(first));
    return 4;
  }
  const int second = after.substr(4).starts_with("\\u") ? hex4(after, 6) : -1;
  if (second < 0xDC00 || second > 0xDFFF) return 0;
  append_utf8(out, 0x10000U + (static_cast<std::uint32_t>(first - 0xD800) << 10) +
                       static_cast<std::uint32_t>(second - 0xDC00));
  return 10;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  JsonTree document() {
    JsonTree tree = value(0);
    space();
    if (at_ != text_.size()) fail("text after the end of the value");
    return tree;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kInvalid, fmt::format("not JSON, at byte {}: {}", at_, what));
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool take(char c) {
    space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  JsonTree value(int depth) {
    if (depth > kMaxDepth) fail(fmt::format("more than {} levels deep", kMaxDepth));
    space();
    JsonTree tree;
    tree.begin = at_;
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '{') {
      object(tree, depth);
    } else if (c == '[') {
      array(tree, depth);
    } else if (c == '"') {
      tree.kind = JsonTree::Kind::kString;
      tree.text = string();
    } else {
      scalar(tree);
    }
    tree.end = at_;
    return tree;
  }

  void object(JsonTree& tree, int depth) {
    tree.kind = JsonTree::Kind::kObject;
    ++at_;
    if (take('}')) return;
    do {
      space();
      if (at_ == text_.size() || text_[at_] != '"') fail("a name in quotes is expected");
      tree.names.push_back(string());
      if (!take(':')) fail("':' is expected");
      tree.items.push_back(value(depth + 1));
    } while (take(','));
    if (!take('}')) fail("',' or '}' is expected");
  }

  void array(JsonTree& tree, int depth) {
    tree.kind = JsonTree::Kind::kArray;
    ++at_;
    if (take(']')) return;
    do {
      tree.items.push_back(value(depth + 1));
    } while (take(','));
    if (!take(']')) fail("',' or ']' is expected");
  }

  std::string string() {
    const std::size_t open = at_;
    std::size_t close = open + 1;
    for (; close < text_.size() && text_[close] != '"'; ++close) {
      if (static_cast<unsigned char>(text_[close]) < 0x20) {
        at_ = close;
        fail("a control character in a string: escape it");
      }
      if (text_[close] == '\\') ++close;
    }
    if (close >= text_.size()) fail("this string has no end");
    const std::string_view inside = text_.substr(open + 1, close - open - 1);
    std::string out;
    if (!append_unescaped(out, inside)) fail("a bad escape in this string");
    if (!is_utf8(out)) fail("this string is no UTF-8");
    at_ = close + 1;
    return out;
  }

  void scalar(JsonTree& tree) {
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,:[]{}\"", at_), text_.size());
    const std::string_view token = text_.substr(at_, end - at_);
    if (token == "null") {
      tree.kind = JsonTree::Kind::kNull;
    } else if (token == "true") {
      tree.kind = JsonTree::Kind::kTrue;
    } else if (token == "false") {
      tree.kind = JsonTree::Kind::kFalse;
    } else if (is_json_number(token)) {
      tree.kind = JsonTree::Kind::kNumber;
      tree.text = token;
    } else {
      fail("a value is expected");
    }
    at_ = end;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonTree* JsonTree::find(std::string_view name) const {
  for (std::size_t i = names.size(); i-- > 0;) {
    if (names[i] == name) return &items[i];
  }
  return nullptr;
}

std::string_view describe(JsonTree::Kind kind) {
  switch (kind) {
    case JsonTree::Kind::kNull:
      return "null";
    case JsonTree::Kind::kFalse:
      return "false";
    case JsonTree::Kind::kTrue:
      return "true";
    case JsonTree::Kind::kNumber:
      return "a number";
    case JsonTree::Kind::kString:
      return "a string";
    case JsonTree::Kind::kArray:
      return "an array";
    case JsonTree::Kind::kObject:
      return "an object";
  }
  std::unreachable();
}

JsonTree parse_json_tree(std::string_view text) { return Parser(text).document(); }

bool append_unescaped(std::string& out, std::string_view inside) {
  static constexpr std::string_view kShort = "\"\\/bfnrt";
  static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
  for (std::size_t at = 0;;) {
    const std::size_t slash = inside.find('\\', at);
    out.append(inside.substr(at, slash - at));
    if (slash == std::string_view::npos) return true;
    if (slash + 1 == inside.size()) return false;
    const char escape = inside[slash + 1];
    at = slash + 2;
    if (escape == 'u') {
      const std::size_t taken = append_u_escape(out, inside.substr(at));
      if (taken == 0) return false;
      at += taken;
    } else {
      const std::size_t which = kShort.find(escape);
      if (which == std::string_view::npos) return false;
      out.push_back(kMeaning[which]);
    }
  }
}

bool is_json_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > from;
  };
  const std::size_t whole = at;
  if (!digits() || (text[whole] == '0' && at - whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

}  // namespace headrace
