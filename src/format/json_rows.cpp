#include "format/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "format/jsonl/cursor.h"
#include "format/jsonl/object_text.h"

namespace headrace {
namespace {

using jsonl::Batch;
using jsonl::Cursor;
using jsonl::Flaw;
using jsonl::Line;
using jsonl::LineWalk;

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
        text_(options.line_bytes) {}

  void begin_object() {
    text_.begin();
    rows_ = {};
  }

  void write(BytesView piece, const Take& take) {
    Reading reading(*this, take);
    text_.write(piece, reading);
  }

  ObjectRows end_object(const Take& take) {
    Reading reading(*this, take);
    text_.end(reading);
    return std::exchange(rows_, {});
  }

 private:
  /// Rows on their way to one `take`.
  class Reading final : public jsonl::ObjectText::Reader {
   public:
    Reading(Impl& impl, const Take& take) : impl_(impl), take_(take) {}
    bool is_row(const Line& line) override {
      Flaw flaw;
      return impl_.read(line, flaw);
    }
    std::uint64_t take(const Batch& batch) override { return impl_.give(batch, take_); }
    void add_fault(std::uint64_t number, BytesView text, std::string reason) override {
      impl_.add_fault(number, text, std::move(reason));
    }

   private:
    Impl& impl_;
    const Take& take_;
  };

  /// Gives the number of the line that follows the batch.
  std::uint64_t give(const Batch& batch, const Take& take) {
    Line line;
    LineWalk walk = text_.walk(batch);
    while (walk.next(line)) {
      if (!text_.is_readable(line)) {
        add_fault(line.number, line.text, text_.obstacle(line));
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
    if (!text_.is_document() || text.find('\n') == BytesView::npos) return text;
    one_line_.assign(text);
    // No string holds a raw line end, so all of these lie between tokens.
    std::ranges::replace(one_line_, '\n', ' ');
    std::ranges::replace(one_line_, '\r', ' ');
    return one_line_;
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
  jsonl::Skipper skipper_;
  jsonl::ObjectText text_;
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
