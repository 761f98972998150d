#include "stack/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "core/utf8.h"

namespace headrace::stack {
namespace {

/// Ends the reading at the first thing that is not ours.
struct Refused {
  Where where;
  std::string message;
};

/// Turns yaml-cpp's marks, lines and bytes from 0, into places. Remembers the last one, since marks
/// mostly go forward and a file may be one long line.
class Places {
 public:
  explicit Places(const Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Where at(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    const auto line = static_cast<std::uint32_t>(mark.line) + 1;
    const std::string_view text = diagnostics_.line(line);
    const std::size_t byte = std::min(static_cast<std::size_t>(mark.column), text.size());
    if (line != last_.line || byte < byte_) {
      last_ = {line, 1};
      byte_ = 0;
    }
    for (; byte_ < byte; ++byte_) {
      last_.column += (static_cast<unsigned char>(text[byte_]) & 0xC0) != 0x80;
    }
    return last_;
  }

 private:
  const Diagnostics& diagnostics_;
  Where last_;
  std::size_t byte_ = 0;  // Of last_, in its line.
};

/// Makes nodes out of yaml-cpp's events. Nothing is ever expanded, so a small file stays small.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const Diagnostics& diagnostics)
      : diagnostics_(diagnostics), places_(diagnostics) {}

  std::optional<Node> result() && { return std::move(root_); }
  /// The list or map being read; null outside of all.
  const Node* innermost() const { return open_.empty() ? nullptr : &open_.back().node; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    document_ = mark;
    // The file's own end marker and ours make an empty document each. A stray comma makes empty
    // ones for ever.
    if (++documents_ > 3) refuse(mark, "this belongs to no list or map");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (open_.empty() && root_) return;  // Nothing but the end of the file.
    add(make(Node::Kind::kNull, mark), mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    Node node = make(Node::Kind::kScalar, mark);
    node.text = value;
    node.plain = tag == "?";
    add(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::map<std::string, Where, std::less<>> keys;
    bool has_key = false;  // A map's key was read and waits for its value.
    std::string key;
    Where key_where;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) {
    throw Refused{places_.at(mark), std::move(message)};
  }
  [[noreturn]] void refuse_alias(const YAML::Mark& mark) {
    refuse(mark, "YAML aliases are not supported; write the value out");
  }

  /// A node's mark is at its first property, and no scalar without quotes begins like one.
  Node make(Node::Kind kind, const YAML::Mark& mark) {
    if (open_.empty() && root_) refuse(document_, "a second document; a stack is one document");
    if (++nodes_ > kMostNodes) {
      refuse(mark, fmt::format("more than {} values in one file", kMostNodes));
    }
    const std::string_view line = diagnostics_.line(static_cast<std::uint32_t>(mark.line) + 1);
    const auto column = static_cast<std::size_t>(mark.column);
    const char first = column < line.size() ? line[column] : '\0';
    if (first == '&') refuse(mark, "YAML anchors are not supported; write the value out");
    if (first == '*') refuse_alias(mark);
    if (first == '!') {
      refuse(mark, "YAML tags are not supported; the key says what type its value has");
    }
    Node node;
    node.kind = kind;
    node.where = places_.at(mark);
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark) {
    Node node = make(kind, mark);
    if (wants_key()) refuse(mark, "a key must be text, not a list or a map");
    if (open_.size() == kDeepest) refuse(mark, fmt::format("more than {} levels", kDeepest));
    open_.push_back({std::move(node), {}, false, {}, {}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().has_key;
  }

  void add(Node node, const YAML::Mark& mark) {
    if (!wants_key()) return attach(std::move(node));
    if (node.kind == Node::Kind::kNull) refuse(mark, "a key must be text; put it in quotes");
    if (node.plain && node.text == "<<") {
      refuse(mark, "YAML merge keys are not supported; write the keys out");
    }
    Open& map = open_.back();
    const auto [earlier, is_new] = map.keys.emplace(node.text, node.where);
    if (!is_new) {
      refuse(mark, fmt::format("`{}` is given twice; the first is in line {}", node.text,
                               earlier->second.line));
    }
    map.has_key = true;
    map.key = std::move(node.text);
    map.key_where = node.where;
  }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kMap) {
      node.key = std::move(parent.key);
      node.key_where = parent.key_where;
      parent.has_key = false;
    }
    parent.node.children.push_back(std::move(node));
  }

  const Diagnostics& diagnostics_;
  Places places_;
  YAML::Mark document_;
  int documents_ = 0;
  std::vector<Open> open_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

/// YAML allows no control characters but line ends and tabs, and yaml-cpp would take some first
/// bytes for UTF-16.
void check_text(std::string_view text) {
  Where where{1, 1};
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool line_end = c == '\n' || (c == '\r' && text.substr(at, 2) == "\r\n");
    if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) {
      throw Refused{where, fmt::format("a control character (byte {:#04x})", c)};
    }
    const std::size_t length = utf8_sequence_length(text.substr(at));
    if (length == 0) {
      throw Refused{where, fmt::format("byte {:#04x} is no UTF-8; save the file as UTF-8", c)};
    }
    at += length;
    where = c == '\n' ? Where{where.line + 1, 1} : Where{where.line, where.column + 1};
  }
}

/// yaml-cpp takes a quote that is still open after the last line end for closed. The end marker
/// makes it notice.
constexpr std::string_view kEnd = "\n...\n";

/// Behind the last line that holds something.
Where end_of_file(std::string_view text, const Diagnostics& diagnostics) {
  const std::size_t last = text.find_last_not_of("\r\n");
  const std::string_view shown = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  const auto line = static_cast<std::uint32_t>(std::ranges::count(shown, '\n')) + 1;
  YAML::Mark mark;
  mark.line = static_cast<int>(line) - 1;
  mark.column = static_cast<int>(diagnostics.line(line).size());
  return Places(diagnostics).at(mark);
}

Refused not_yaml(const YAML::Exception& error, std::string_view text, const Node* open,
                 const Diagnostics& diagnostics) {
  Where where = Places(diagnostics).at(error.mark);
  const Where end = end_of_file(text, diagnostics);
  const bool at_end = where > end;
  if (at_end) where = end;
  if (at_end && error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
    return {where, "a quote is still open where the file ends"};
  }
  const bool list = error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (open && (list || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW)) {
    if (at_end) return {open->where, fmt::format("this `{}` is never closed", list ? '[' : '{')};
    return {where, fmt::format("a `,` or `{}` is missing; the {} begins in line {}",
                               list ? ']' : '}', list ? "list" : "map", open->where.line)};
  }
  const std::string_view line = diagnostics.line(where.line);
  const std::size_t tab = line.substr(0, line.find_first_not_of(" \t")).find('\t');
  if (tab != std::string_view::npos) {
    const auto column = static_cast<std::uint32_t>(tab) + 1;
    return {{where.line, column}, "a tab in the indentation; YAML wants blanks"};
  }
  return {where, "this is not YAML: " + error.msg};
}

std::optional<Node> parse(std::string_view text, const Diagnostics& diagnostics) {
  if (text.size() > kMostBytes) {
    throw Refused{{}, fmt::format("the file is larger than {} bytes", kMostBytes)};
  }
  check_text(text);
  std::istringstream in{std::string(text).append(kEnd)};
  Builder builder(diagnostics);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw not_yaml(error, text, builder.innermost(), diagnostics);
  }
  auto root = std::move(builder).result();
  if (!root || root->kind == Node::Kind::kNull) throw Refused{{}, "the file is empty"};
  return root;
}

}  // namespace

std::optional<Node> parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  try {
    return parse(text, diagnostics);
  } catch (const Refused& refused) {
    diagnostics.error(refused.where, refused.message);
    return std::nullopt;
  }
}

}  // namespace headrace::stack
