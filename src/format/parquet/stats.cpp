#include "format/parquet/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/json.h"
#include "core/utf8.h"
#include "format/jsonl/moment.h"
#include "format/parquet/values.h"

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kIndexedLeaves = 32;
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

/// Least and greatest of the texts, by bytes.
struct TextBounds {
  std::string_view least;
  std::string_view most;
};

/// The first bytes of a text as a number in the order of texts, up to what follows them.
std::uint64_t leading(const char* text, std::uint32_t length) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text, std::min<std::size_t>(length, sizeof bytes));
  return __builtin_bswap64(bytes);
}

TextBounds bounds_of(const Column& column) {
  TextBounds bounds;
  const char* at = column.text.data();
  bounds.least = bounds.most = {at, column.lengths[0]};
  std::uint64_t least = leading(at, column.lengths[0]);
  std::uint64_t most = least;
  for (const std::uint32_t length : column.lengths.view()) {
    const std::string_view text(at, length);
    const std::uint64_t here = leading(at, length);
    if (here < least || (here == least && text < bounds.least)) {
      bounds.least = text;
      least = here;
    }
    if (here > most || (here == most && text > bounds.most)) {
      bounds.most = text;
      most = here;
    }
    at += length;
  }
  return bounds;
}

template <class T>
void widen(const Buffer<T>& values, bool& known, auto& least, auto& most) {
  if (values.empty()) return;
  const auto [low, high] = std::ranges::minmax(values.view());
  if (!known || low < least) least = low;
  if (!known || high > most) most = high;
  known = true;
}

bool is_nested(const jsonl::Node& node) {
  return node.kind == TypeKind::kList || node.kind == TypeKind::kMap;
}

bool has_bounds(const jsonl::Node& node) {
  return !is_nested(node) && node.kind != TypeKind::kBoolean && node.kind != TypeKind::kBinary;
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

Stats::Stats(const jsonl::Plan& plan) : plan_(plan) { collect(plan.root()); }

void Stats::collect(const jsonl::Node& node) {
  for (const jsonl::Node* child : node.children) {
    if (!is_stored(*child)) continue;
    if (child->kind == TypeKind::kStruct) {
      collect(*child);
    } else if (leaves_.size() < kIndexedLeaves) {
      leaves_.push_back(Leaf{.node = child->id});
    }
  }
}

void Stats::add(Columns& columns) {
  rows_ += columns.rows();
  for (Leaf& leaf : leaves_) {
    Column& column = columns.at(leaf.node);
    std::uint64_t present = column.values();
    if (column.repeats) {
      // Rows whose list is there, be it empty: slots that begin a row at the list's own level.
      columns.complete(column);
      present = 0;
      for (std::size_t i = 0; i < column.levels.size(); ++i) {
        present += column.repetitions[i] == 0 && column.levels[i] >= column.level;
      }
    }
    leaf.nulls += columns.rows() - present;
    if (has_bounds(plan_.node(leaf.node)) && present > 0) add_bounds(leaf, column);
  }
}

void Stats::add_bounds(Leaf& leaf, const Column& column) {
  bool& known = leaf.has_bounds;
  switch (column.physical) {
    case Physical::kInt32:
      return widen(column.ints, known, leaf.least, leaf.most);
    case Physical::kInt64:
      return widen(column.longs, known, leaf.least, leaf.most);
    case Physical::kFloat:
      return widen(column.floats, known, leaf.least_real, leaf.most_real);
    case Physical::kDouble:
      return widen(column.doubles, known, leaf.least_real, leaf.most_real);
    case Physical::kWide: {
      Buffer<jsonl::Int128> values;
      for (std::size_t i = 0; i < column.text.size(); i += 16) {
        values.push(wide_integer({column.text.data() + i, 16}));
      }
      const auto order = [](std::string_view bytes) { return wide_integer(bytes); };
      const auto [low, high] = std::ranges::minmax(values.view());
      const auto keep = [](std::string& to, jsonl::Int128 value) {
        to.assign(reinterpret_cast<const char*>(&value), sizeof value);
        std::ranges::reverse(to);
      };
      if (!known || low < order(leaf.least_text)) keep(leaf.least_text, low);
      if (!known || high > order(leaf.most_text)) keep(leaf.most_text, high);
      known = true;
      return;
    }
    case Physical::kText: {
      const TextBounds bounds = bounds_of(column);
      if (!known || bounds.least < leaf.least_text) leaf.least_text = bounds.least;
      if (!known || bounds.most > leaf.most_text) leaf.most_text = bounds.most;
      known = true;
      return;
    }
    case Physical::kBool:
    case Physical::kNone:
      return;
  }
}

bool Stats::append_bound(std::string& out, const jsonl::Node& node, const Leaf& leaf,
                         bool least) const {
  const std::int64_t whole = least ? leaf.least : leaf.most;
  const std::string& text = least ? leaf.least_text : leaf.most_text;
  switch (node.kind) {
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double real = least ? leaf.least_real : leaf.most_real;
      if (real == 0) real = least ? -0.0 : 0.0;  // Both zeros are within [-0, 0].
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
