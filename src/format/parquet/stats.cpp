#include "format/parquet/stats.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/utf8.h"
#include "format/jsonl/moment.h"
#include "format/parquet/values.h"

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kTextUnits = 32;
constexpr std::size_t kMostTextUnits = 64;

/// Length in bytes of the start of `text` that has at most `units` UTF-16 units and splits no
/// character.
std::size_t prefix_bytes(std::string_view text, std::size_t units) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(text.substr(at)));
    const std::size_t needed = length == 4 ? 2 : 1;
    if (needed > units) break;
    units -= needed;
    at += length;
  }
  return at;
}

bool is_nested(const jsonl::Node& node) {
  return node.kind == TypeKind::kList || node.kind == TypeKind::kMap;
}

bool has_bounds(const jsonl::Node& node) {
  return !is_nested(node) && node.kind != TypeKind::kBoolean && node.kind != TypeKind::kBinary &&
         !node.uuid;
}

/// Is the leaf, or a struct that it is in, among the names?
bool is_named(std::string_view path, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '.');
  });
}

void collect_indexed(const jsonl::Node& node, const std::string& parent, const StatsColumns& wanted,
                     std::vector<std::uint32_t>& columns) {
  for (const jsonl::Node* child : node.children) {
    if (!is_stored(*child)) continue;
    const std::string path = parent + child->name;
    if (child->kind == TypeKind::kStruct) {
      collect_indexed(*child, path + ".", wanted, columns);
    } else if (wanted.named ? is_named(path, *wanted.named) : columns.size() < wanted.first) {
      columns.push_back(child->id);
    }
  }
}

}  // namespace

std::string lower_bound_text(std::string_view text) {
  return std::string(text.substr(0, prefix_bytes(text, kTextUnits)));
}

std::optional<std::string> upper_bound_text(std::string_view text) {
  std::size_t end = prefix_bytes(text, kTextUnits);
  if (end == text.size()) return std::string(text);
  const std::size_t last = prefix_bytes(text, kMostTextUnits);
  // A cut text sorts before the whole; one greater character behind the cut puts it after.
  for (; end < text.size() && end < last; end += utf8_sequence_length(text.substr(end))) {
    const std::string_view next = text.substr(end);
    if (static_cast<unsigned char>(next[0]) < 0x7F)
      return std::string(text.substr(0, end)) + '\x7F';
    constexpr std::string_view kGreatest = "\xF4\x8F\xBF\xBF";  // U+10FFFF
    if (!next.starts_with(kGreatest)) {
      return std::string(text.substr(0, end)).append(kGreatest);
    }
  }
  if (end == text.size()) return std::string(text);
  return std::nullopt;
}

std::vector<std::uint32_t> indexed_columns(const jsonl::Node& root, const StatsColumns& wanted) {
  std::vector<std::uint32_t> columns;
  collect_indexed(root, "", wanted, columns);
  return columns;
}

/// Slots that begin a row at the list's own level.
std::uint64_t rows_with(const Column& list) {
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < list.levels.size(); ++i) {
    rows += list.repetitions[i] == 0 && list.levels[i] >= list.level;
  }
  return rows;
}

Stats::Stats(const jsonl::Plan& plan, const std::vector<std::uint32_t>& columns) : plan_(plan) {
  extend(columns);
}

void Stats::extend(const std::vector<std::uint32_t>& columns) {
  for (std::size_t i = leaves_.size(); i < columns.size(); ++i) {
    leaves_.push_back({.node = columns[i], .nulls = rows_});
  }
}

void Stats::add(std::uint64_t rows, const std::vector<ColumnStats>& columns) {
  rows_ += rows;
  for (const ColumnStats& stats : columns) {
    Leaf& leaf = leaves_[stats.column];
    leaf.nulls += rows - stats.present;
    const jsonl::Node& node = plan_.node(leaf.node);
    if (stats.bounds.any && has_bounds(node)) {
      add_bounds(leaf, stats, node.kind == TypeKind::kDecimal && node.precision > 18);
    }
  }
}

void Stats::add_bounds(Leaf& leaf, const ColumnStats& stats, bool wide) {
  const auto less = [wide](std::string_view a, std::string_view b) {
    return wide ? less_wide(a, b) : a < b;
  };
  const Bounds& bounds = stats.bounds;
  if (!leaf.has_bounds) {
    leaf.least = bounds.least;
    leaf.most = bounds.most;
    leaf.least_real = bounds.least_real;
    leaf.most_real = bounds.most_real;
    leaf.least_text = stats.least_text;
    leaf.most_text = stats.most_text;
    leaf.has_bounds = true;
    return;
  }
  leaf.least = std::min(leaf.least, bounds.least);
  leaf.most = std::max(leaf.most, bounds.most);
  leaf.least_real = std::min(leaf.least_real, bounds.least_real);
  leaf.most_real = std::max(leaf.most_real, bounds.most_real);
  if (less(stats.least_text, leaf.least_text)) leaf.least_text = stats.least_text;
  if (less(leaf.most_text, stats.most_text)) leaf.most_text = stats.most_text;
}

bool Stats::append_bound(std::string& out, const jsonl::Node& node, const Leaf& leaf,
                         bool least) const {
  const std::int64_t whole = least ? leaf.least : leaf.most;
  const std::string& text = least ? leaf.least_text : leaf.most_text;
  switch (node.kind) {
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const double real = least ? leaf.least_real : leaf.most_real;
      if (node.kind == TypeKind::kFloat) {
        out += fmt::format("{}", static_cast<float>(real));
      } else {
        out += fmt::format("{}", real);
      }
      return true;
    }
    case TypeKind::kDecimal:
      out += decimal_text(node.precision > 18 ? wide_integer(text) : whole, node.scale);
      return true;
    case TypeKind::kString: {
      const auto bound = least ? std::optional(lower_bound_text(text)) : upper_bound_text(text);
      if (bound) append_json_string(out, *bound);
      return bound.has_value();
    }
    case TypeKind::kDate:
      out += '"' + jsonl::format_date(static_cast<std::int32_t>(whole)) + '"';
      return true;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      out += '"' + millisecond_text(whole, node.kind == TypeKind::kTimestamp, !least) + '"';
      return true;
    default:
      out += fmt::format("{}", whole);
      return true;
  }
}

bool Stats::append_member(std::string& out, const jsonl::Node& node, Part part) const {
  if (node.kind == TypeKind::kStruct) return append_members(out, node, part);
  const auto leaf = std::ranges::find(leaves_, node.id, &Leaf::node);
  if (leaf == leaves_.end()) return false;
  if (part == Part::kNulls) {
    out += fmt::format("{}", leaf->nulls);
    return true;
  }
  return leaf->has_bounds && append_bound(out, node, *leaf, part == Part::kLeast);
}

/// An object of those members that have something to say; false, and nothing written, if none has.
bool Stats::append_members(std::string& out, const jsonl::Node& node, Part part) const {
  const std::size_t start = out.size();
  char separator = '{';
  for (const jsonl::Node* child : node.children) {
    if (!is_stored(*child)) continue;
    const std::size_t before = out.size();
    out += separator;
    append_json_string(out, child->name);
    out += ':';
    if (append_member(out, *child, part)) {
      separator = ',';
    } else {
      out.resize(before);
    }
  }
  if (out.size() == start) return false;
  out += '}';
  return true;
}

std::string Stats::json() const {
  std::string out = fmt::format("{{\"numRecords\":{}", rows_);
  const auto part = [&](const char* name, Part which) {
    out += name;
    if (!append_members(out, plan_.root(), which)) out += "{}";
  };
  part(",\"minValues\":", Part::kLeast);
  part(",\"maxValues\":", Part::kMost);
  part(",\"nullCount\":", Part::kNulls);
  return out + '}';
}

}  // namespace headrace::parquet_file
