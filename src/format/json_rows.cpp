#include "format/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "format/jsonl/cursor.h"
#include "format/jsonl/document.h"
#include "format/jsonl/lines.h"

namespace headrace {
namespace {

using jsonl::Batch;
using jsonl::Cursor;
using jsonl::Flaw;
using jsonl::Line;
using jsonl::LineWalk;

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr int kLinesToLookAt = 1'000;

/// One name of the paths, and the names within it.
struct PathNode {
  std::string name;
  int field = -1;  // Its number among the paths; -1 if it only leads to others.
  std::vector<PathNode> children;
};

PathNode tree_of(const std::vector<std::string>& paths) {
  PathNode root;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    PathNode* node = &root;
    std::string_view rest = paths[i];
    while (true) {
      const std::string_view name = rest.substr(0, rest.find('.'));
      auto found = std::ranges::find(node->children, name, &PathNode::name);
      if (found == node->children.end()) {
        node->children.push_back({.name = std::string(name), .field = -1, .children = {}});
        found = node->children.end() - 1;
      }
      node = &*found;
      if (name.size() == rest.size()) break;
      rest.remove_prefix(name.size() + 1);
    }
    node->field = static_cast<int>(i);
  }
  return root;
}

bool wrong(const Cursor& cursor, const char* what, Flaw& flaw) {
  flaw = {cursor.here(), what};
  return false;
}

}  // namespace

class JsonRows::Impl {
 public:
  Impl(std::vector<std::string> paths, JsonRowsOptions options)
      : options_(options),
        root_(tree_of(paths)),
        fields_(paths.size()),
        skipper_(options.depth),
        lines_(options.line_bytes),
        document_(options.line_bytes) {}

  void begin_object() {
    lines_.clear();
    document_.clear();
    rows_ = {};
    form_ = Form::kUnknown;
    at_start_ = true;
  }

  void write(BytesView piece, const Take& take) {
    for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kPieceBytes))) {
      if (form_ == Form::kDocument) {
        document_.push(piece.substr(0, kPieceBytes));
      } else {
        lines_.push(piece.substr(0, kPieceBytes));
      }
      drain(take, /*at_end=*/false);
    }
  }

  ObjectRows end_object(const Take& take) {
    drain(take, /*at_end=*/true);
    return std::exchange(rows_, {});
  }

 private:
  /// How an object's rows are laid out.
  enum class Form : unsigned char { kUnknown, kLines, kDocument };

  void drain(const Take& take, bool at_end) {
    if (form_ == Form::kUnknown && lines_.first_byte() == '[') begin_document();
    if (form_ != Form::kDocument) drain_lines(take, at_end);
    if (form_ != Form::kDocument) return;
    while (const auto batch = document_.next(at_end)) give(*batch, take);
    for (auto& fault : document_.take_faults()) {
      add_fault(fault.line, fault.text, std::move(fault.reason));
    }
  }

  void drain_lines(const Take& take, bool at_end) {
    while (auto batch = lines_.next(at_end)) {
      if (std::exchange(at_start_, false) && batch->text.starts_with(jsonl::kByteOrderMark)) {
        batch->text.remove_prefix(jsonl::kByteOrderMark.size());
      }
      if (form_ == Form::kUnknown) form_ = form_of(*batch);
      if (form_ == Form::kDocument) return begin_document();
      lines_.count(give(*batch, take));
    }
    if (const auto overlong = lines_.take_overlong()) {
      at_start_ = false;
      form_ = Form::kLines;
      add_fault(overlong->first_line, overlong->text, too_long());
    }
  }

  void begin_document() {
    form_ = Form::kDocument;
    std::string all = lines_.take_all();
    if (all.starts_with(jsonl::kByteOrderMark)) all.erase(0, jsonl::kByteOrderMark.size());
    document_.push(all);
  }

  Form form_of(const Batch& batch) {
    Line line;
    LineWalk walk(structure_, batch);
    bool opens = false;
    for (int count = 0; count < kLinesToLookAt && walk.next(line); ++count) {
      if (count == 0) opens = line.text[line.text.find_first_not_of(" \t\r")] == '{';
      Flaw flaw;
      const bool whole = line.text.starts_with('{') && is_readable(line) && read(line, flaw);
      if (whole || !opens) return Form::kLines;
    }
    return opens ? Form::kDocument : Form::kLines;
  }

  /// Gives the number of the line that follows the batch.
  std::uint64_t give(const Batch& batch, const Take& take) {
    Line line;
    LineWalk walk(structure_, batch);
    while (walk.next(line)) {
      if (!is_readable(line)) {
        add_fault(line.number, line.text, line.flaw.empty() ? too_long() : std::string(line.flaw));
        continue;
      }
      Flaw flaw;
      if (!read(line, flaw)) {
        add_fault(line.number, line.text,
                  fmt::format("column {}: {}", flaw.where - line.text.data() + 1, flaw.what));
        continue;
      }
      walk.passed(end_);
      std::string reason = take({on_one_line(line.text), line.number, fields_});
      if (reason.empty()) {
        ++rows_.rows;
      } else {
        add_fault(line.number, line.text, std::move(reason));
      }
    }
    return walk.next_line();
  }

  BytesView on_one_line(BytesView text) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (form_ != Form::kDocument || text.find('\n') == BytesView::npos) return text;
    one_line_.assign(text);
    // No string holds a raw line end, so all of these lie between tokens.
    std::ranges::replace(one_line_, '\n', ' ');
    std::ranges::replace(one_line_, '\r', ' ');
    return one_line_;
  }

  std::string too_long() const {
    return fmt::format("the line is longer than the limit of {} bytes", options_.line_bytes);
  }
  bool is_readable(const Line& line) const {
    return line.flaw.empty() && line.text.size() <= options_.line_bytes;
  }

  void add_fault(std::uint64_t number, BytesView text, std::string reason) {
    if (rows_.fault_count++ >= options_.faults_per_object) return;
    if (text.ends_with('\r')) text.remove_suffix(1);
    rows_.faults.push_back(
        {number, std::move(reason), Bytes(text.substr(0, options_.fault_bytes))});
  }

  /// Proves a line to be one JSON object and reads the fields; end_ is behind it then.
  bool read(const Line& line, Flaw& flaw) {
    for (auto& field : fields_) field.reset();
    const char* end = line.text.data() + line.text.size();
    Cursor cursor = line.cursor;
    if (cursor.peek() != '{') return wrong(cursor, "expected '{': a row is a JSON object", flaw);
    const bool whole =
        fields_.empty() ? skipper_.skip(cursor, 0, flaw) : object(root_, cursor, 1, flaw);
    if ((!whole && flaw.where >= end) || (whole && cursor.text + cursor.at[-1] >= end)) {
      flaw = {end, "the line ends within a value"};
      return false;
    }
    if (whole && cursor.here() < end) {
      return wrong(cursor, "expected nothing after the object", flaw);
    }
    end_ = cursor;
    return whole;
  }

  /// Steps over the object at the cursor; `open` counts it and those around it.
  bool object(const PathNode& node, Cursor& cursor, std::size_t open, Flaw& flaw) {
    if (open > static_cast<std::size_t>(options_.depth)) {
      return wrong(cursor, "nested too deeply", flaw);
    }
    ++cursor.at;
    if (cursor.peek() == '}') {
      ++cursor.at;
      return true;
    }
    while (true) {
      if (cursor.peek() != '"') return wrong(cursor, "expected a key", flaw);
      const BytesView key = cursor.token();
      if (!jsonl::is_string(key)) return wrong(cursor, "a key is malformed", flaw);
      ++cursor.at;
      if (cursor.peek() != ':') return wrong(cursor, "expected ':'", flaw);
      ++cursor.at;
      if (!member(child_of(node, key.substr(1, key.size() - 2)), cursor, open, flaw)) return false;
      const char next = cursor.peek();
      if (next != ',' && next != '}') return wrong(cursor, "expected ',' or '}'", flaw);
      ++cursor.at;
      if (next == '}') return true;
    }
  }

  bool member(const PathNode* node, Cursor& cursor, std::size_t open, Flaw& flaw) {
    if (node != nullptr && !node->children.empty() && cursor.peek() == '{') {
      return object(*node, cursor, open + 1, flaw);
    }
    const Cursor value = cursor;
    if (!skipper_.skip(cursor, open, flaw)) return false;
    if (node != nullptr && node->field >= 0) take_value(value, node->field);
    return true;
  }

  const PathNode* child_of(const PathNode& node, BytesView raw) {
    if (raw.contains('\\')) {
      key_.clear();
      if (!jsonl::unescape(raw, key_)) return nullptr;
      raw = key_;
    }
    const auto found = std::ranges::find(node.children, raw, &PathNode::name);
    return found == node.children.end() ? nullptr : &*found;
  }

  void take_value(const Cursor& value, int number) {
    std::optional<std::string>& field = fields_[static_cast<std::size_t>(number)];
    const BytesView token = value.token();
    if (field || token.empty()) return;
    switch (token[0]) {
      case '{':
      case '[':
      case 'n':
        return;
      case '"':
        if (!jsonl::unescape(token.substr(1, token.size() - 2), field.emplace())) field.reset();
        return;
      default:
        field.emplace(token);
    }
  }

  const JsonRowsOptions options_;
  const PathNode root_;
  std::vector<std::optional<std::string>> fields_;
  jsonl::Structure structure_;
  jsonl::Skipper skipper_;
  jsonl::LineBuffer lines_;
  jsonl::DocumentBuffer document_;
  Form form_ = Form::kUnknown;
  bool at_start_ = true;
  ObjectRows rows_;
  Cursor end_;
  std::string key_;
  std::string one_line_;
};

JsonRows::JsonRows(std::vector<std::string> paths, JsonRowsOptions options)
    : impl_(std::make_unique<Impl>(std::move(paths), options)) {}
JsonRows::~JsonRows() = default;
JsonRows::JsonRows(JsonRows&&) noexcept = default;
JsonRows& JsonRows::operator=(JsonRows&&) noexcept = default;

void JsonRows::begin_object() { impl_->begin_object(); }
void JsonRows::write(BytesView piece, const Take& take) { impl_->write(piece, take); }
ObjectRows JsonRows::end_object(const Take& take) { return impl_->end_object(take); }

}  // namespace headrace
