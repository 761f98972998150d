#include "format/jsonl/row_reader.h"

#include <fmt/format.h>
#include <immintrin.h>

#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "core/base64.h"
#include "core/json.h"
#include "format/column_name.h"
#include "format/jsonl/number.h"
#include "format/jsonl/uuid.h"
#include "format/lines_to_parquet.h"

namespace headrace::jsonl {
namespace {

// A row may bring this many cells (128 MiB); a list that would bring more is rescued as text.
constexpr std::size_t kMaxCells = 8u << 20;
constexpr std::size_t kGuesses = 3;

/// Does the key at `at` spell `node`'s? Compares with the closing quote, so that a longer key
/// differs. Reads 32 bytes from `at`: every batch has that much room behind it.
bool spells(const char* at, const Node& node) {
  const auto here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const auto there = _mm256_load_si256(reinterpret_cast<const __m256i*>(node.spelling.data()));
  const auto same =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(here, there)));
  return node.spelling_mask != 0 && (same & node.spelling_mask) == node.spelling_mask;
}

/// Is there a backslash? Reads up to 31 bytes behind the end, as spells() does.
bool has_escape(BytesView raw) {
  const auto backslash = _mm256_set1_epi8('\\');
  const char* end = raw.data() + raw.size();
  for (const char* at = raw.data(); at < end; at += 32) {
    const auto here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const auto found =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(here, backslash)));
    if (found != 0) return at + std::countr_zero(found) < end;
  }
  return false;
}

BytesView without_quotes(BytesView token) { return token.substr(1, token.size() - 2); }

}  // namespace

RowReader::RowReader(const Plan& plan, int depth, std::size_t partitions, bool fixed)
    : plan_(plan),
      skipper_(depth),
      depth_limit_(static_cast<std::size_t>(depth)),
      partitions_(partitions),
      fixed_(fixed) {}

RowReader::Result RowReader::read(Cursor& cursor, BytesView line, bool may_grow, Row& row) {
  cursor_ = cursor;
  line_ = line;
  row_ = &row;
  flaw_ = {};
  open_ = lists_ = 0;
  may_grow_ = may_grow;
  unplanned_ = false;
  row.cells.clear();
  row.partition.clear();
  if (partitions_ > 0) row.has_partition.assign(partitions_, false);
  row.rescued.clear();
  row.unescaped.clear();
  if (!row.wide.empty()) row.wide.clear();
  if (seen_.size() < plan_.size()) seen_.resize(plan_.size());

  const char* end = line.data() + line.size();
  if (cursor_.peek() != '{') {
    flaw_ = {cursor_.here(), "expected '{': a row is a JSON object"};
    return Result::kFault;
  }
  if (object(plan_.root()) != Step::kOk) {
    if (flaw_.where >= end) flaw_ = {end, "the line ends within a value"};
    return Result::kFault;
  }
  if (cursor_.text + cursor_.at[-1] >= end) {
    flaw_ = {end, "the line ends within a value"};
    return Result::kFault;
  }
  if (cursor_.here() < end) {
    flaw_ = {cursor_.here(), "expected nothing after the object"};
    return Result::kFault;
  }
  cursor = cursor_;
  return unplanned_ ? Result::kUnplanned : Result::kRow;
}

RowReader::Step RowReader::broken(const char* what) {
  flaw_ = {cursor_.here(), what};
  return Step::kBroken;
}

RowReader::Step RowReader::no_colon() {
  if (!is_string(cursor_.token())) return broken("a key is malformed");
  ++cursor_.at;
  return broken("expected ':'");
}

inline void RowReader::put(const Node& node, Cell cell) {
  cell.node = node.id;
  (node.partition < 0 ? row_->cells : row_->partition).push(cell);
}

RowReader::Step RowReader::object(const Node& node) {
  if (open_ >= depth_limit_) return broken("nested too deeply");
  ++open_;
  const std::uint64_t serial = ++serial_;
  const Step step = members(node, serial);
  --open_;
  if (step == Step::kOk && node.has_required) return check_required(node, serial);
  return step;
}

RowReader::Step RowReader::members(const Node& node, std::uint64_t serial) {
  ++cursor_.at;
  if (cursor_.peek() == '}') {
    ++cursor_.at;
    return Step::kOk;
  }
  std::size_t hint = 0;
  for (;;) {
    if (cursor_.peek() != '"') return broken("expected a key");
    if (cursor_.peek_next() != ':') return no_colon();
    const Node* child = find_child(node, hint);
    const BytesView raw_key = child == nullptr ? cursor_.token() : BytesView();
    if (child == nullptr && !is_string(raw_key)) return broken("a key is malformed");
    cursor_.at += 2;
    const Step step =
        child == nullptr ? unknown(node, without_quotes(raw_key)) : member(*child, serial);
    if (step != Step::kOk) return step;
    const char next = cursor_.peek();
    if (next != ',' && next != '}') return broken("expected ',' or '}'");
    ++cursor_.at;
    if (next == '}') return Step::kOk;
  }
}

/// The child whose key is at the cursor; `hint` is where the children are expected to go on.
/// Objects of one kind nearly always have their keys in one order.
inline const Node* RowReader::find_child(const Node& node, std::size_t& hint) {
  const char* key = cursor_.here() + 1;
  const std::size_t end = std::min(hint + kGuesses, node.children.size());
  for (std::size_t i = hint; i < end; ++i) {
    const Node* child = node.children[i];
    if (!spells(key, *child)) continue;
    hint = i + 1;
    return child;
  }
  return look_up(node, hint);
}

const Node* RowReader::look_up(const Node& node, std::size_t& hint) {
  const BytesView token = cursor_.token();
  if (!is_string(token)) return nullptr;
  BytesView key = without_quotes(token);
  if (has_escape(key)) {
    key_.clear();
    if (!unescape(key, key_)) return nullptr;
    key = key_;
  }
  const auto found = node.by_key.find(key);
  if (found == node.by_key.end()) return nullptr;
  const Node& child = plan_.node(found->second);
  hint = child.index + 1;
  return &child;
}

/// What most values are: a text without escapes in a string column, a whole number of at most 18
/// digits in a long one, with no white space behind it, a number in a double one. False, and
/// nothing done, for all else.
inline bool RowReader::quick_value(const Node& node) {
  const char* at = cursor_.here();
  const char* end = cursor_.text + cursor_.at[1];
  Cell cell;
  if (node.kind == TypeKind::kString) {
    if (*at != '"' || end - at < 2 || end[-1] != '"' || has_escape({at + 1, end - 1})) return false;
    cell.text = at + 1;
    cell.size = static_cast<std::uint32_t>(end - at - 2);
  } else if (node.kind == TypeKind::kDouble) {
    while (end > at && is_space(end[-1])) --end;
    const auto number = parse_double({at, end});
    if (!number) return false;
    cell.real = *number;
  } else {
    const bool negative = *at == '-';
    if (negative) ++at;
    const char first = *at;
    if (end - at > 18 || end == at || (first == '0' && (negative || end - at > 1))) return false;
    std::int64_t digits = 0;
    for (; at < end; ++at) {
      const auto digit = static_cast<unsigned char>(*at - '0');
      if (digit > 9) return false;
      digits = digits * 10 + digit;
    }
    cell.integer = negative ? -digits : digits;
  }
  cell.node = node.id;
  row_->cells.push(cell);
  ++cursor_.at;
  return true;
}

inline RowReader::Step RowReader::member(const Node& node, std::uint64_t serial) {
  if (seen_[node.id] == serial) {  // The key again: the first one counts, others are kept aside.
    seen_twice_ = true;
    const Step step = lists_ > 0 ? Step::kMisfit : rescue(node.id, nullptr);
    seen_twice_ = false;
    return step;
  }
  seen_[node.id] = serial;
  if (node.quick && quick_value(node)) return Step::kOk;
  if (node.partition >= 0) row_->has_partition[static_cast<std::size_t>(node.partition)] = true;
  if (cursor_.peek() == 'n') return null(node);
  return value(node);
}

RowReader::Step RowReader::null(const Node& node) {
  if (cursor_.token() != "null") return broken("expected a value");
  if (!node.nullable) {
    return lists_ > 0 ? Step::kMisfit : broken("the column must not be null");
  }
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::unknown(const Node& node, BytesView raw_key) {
  if (cursor_.peek() == 'n') {
    if (cursor_.token() != "null") return broken("expected a value");
    ++cursor_.at;
    return Step::kOk;  // A null of an unknown type says no more than the key's absence.
  }
  std::string key;
  const bool is_text = unescape(raw_key, key);
  if (!is_text) key = raw_key;
  const std::string name = column_name_of(key);
  const bool taken = node.by_folded_name.contains(folded_name(name)) ||
                     (node.id == 0 && folded_name(name) == kRescuedColumn);
  if (may_grow_ && is_text && !taken) {
    BytesView ignored;
    unplanned_ = true;
    return skip(ignored) ? Step::kOk : Step::kBroken;
  }
  if (lists_ > 0) return Step::kMisfit;
  const std::string_view view = key;
  return rescue(node.id, &view);
}

RowReader::Step RowReader::check_required(const Node& node, std::uint64_t serial) {
  for (const Node* child : node.children) {
    if (child->nullable || seen_[child->id] == serial) continue;
    if (lists_ > 0) return Step::kMisfit;
    flaw_ = {cursor_.text + cursor_.at[-1], "a column that must not be null is missing"};
    return Step::kBroken;
  }
  return Step::kOk;
}

RowReader::Step RowReader::value(const Node& node) {
  using Limits32 = std::numeric_limits<std::int32_t>;
  using Limits64 = std::numeric_limits<std::int64_t>;
  switch (node.kind) {
    case TypeKind::kString:
      return node.json_text ? json_text(node) : node.uuid ? uuid(node) : text(node);
    case TypeKind::kLong:
      return whole(node, Limits64::min(), Limits64::max());
    case TypeKind::kInteger:
      return whole(node, Limits32::min(), Limits32::max());
    case TypeKind::kShort:
      return whole(node, -32768, 32767);
    case TypeKind::kByte:
      return whole(node, -128, 127);
    case TypeKind::kDouble:
    case TypeKind::kFloat:
      return real(node);
    case TypeKind::kBoolean:
      return boolean(node);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
    case TypeKind::kDate:
      return moment(node);
    case TypeKind::kDecimal:
      return decimal(node);
    case TypeKind::kBinary:
      return binary(node);
    case TypeKind::kStruct:
      if (cursor_.peek() != '{') return misfit(node);
      put(node, {});
      return object(node);
    case TypeKind::kList:
    case TypeKind::kMap:
      if (cursor_.peek() != (node.kind == TypeKind::kList ? '[' : '{')) return misfit(node);
      return list(node);
  }
  return misfit(node);
}

/// A misfit within a list takes the whole outermost list with it: half a list would be a lie.
RowReader::Step RowReader::list(const Node& node) {
  if (open_ >= depth_limit_) return broken("nested too deeply");
  const Cursor start = cursor_;
  const std::size_t cells = row_->cells.size();
  const std::size_t open = open_;
  ++open_;
  ++lists_;
  const Step step = node.kind == TypeKind::kList ? elements(node) : map_entries(node);
  --lists_;
  open_ = open;
  if (step != Step::kMisfit || lists_ > 0) return step;
  cursor_ = start;
  row_->cells.shrink(cells);
  return misfit(node);
}

RowReader::Step RowReader::elements(const Node& node) {
  const Node& element = *node.children[0];
  ++cursor_.at;
  if (cursor_.peek() == ']') {
    ++cursor_.at;
    put(node, {.size = kEmpty});
    return Step::kOk;
  }
  for (Slot slot = kFirst;; slot = kNext) {
    if (row_->cells.size() > kMaxCells) return Step::kMisfit;
    put(node, {.size = slot});
    if (!element.quick || !quick_value(element)) {
      const Step step = cursor_.peek() == 'n' ? null(element) : value(element);
      if (step != Step::kOk) return step;
    }
    const char next = cursor_.peek();
    if (next != ',' && next != ']') return broken("expected ',' or ']'");
    ++cursor_.at;
    if (next == ']') return Step::kOk;
  }
}

RowReader::Step RowReader::map_entries(const Node& node) {
  const Node& key = *node.children[0];
  const Node& mapped = *node.children[1];
  if (key.kind != TypeKind::kString) return Step::kMisfit;
  std::unordered_set<std::string> names;
  ++cursor_.at;
  if (cursor_.peek() == '}') {
    ++cursor_.at;
    put(node, {.size = kEmpty});
    return Step::kOk;
  }
  for (Slot slot = kFirst;; slot = kNext) {
    if (cursor_.peek() != '"') return broken("expected a key");
    if (cursor_.peek_next() != ':') return no_colon();
    if (row_->cells.size() > kMaxCells) return Step::kMisfit;
    Cell name;
    if (!is_string(cursor_.token())) return broken("a key is malformed");
    if (!take_text(without_quotes(cursor_.token()), name)) return Step::kMisfit;
    if (!names.emplace(name.view()).second) return Step::kMisfit;
    put(node, {.size = slot});
    put(key, name);
    cursor_.at += 2;
    const Step step = cursor_.peek() == 'n' ? null(mapped) : value(mapped);
    if (step != Step::kOk) return step;
    const char next = cursor_.peek();
    if (next != ',' && next != '}') return broken("expected ',' or '}'");
    ++cursor_.at;
    if (next == '}') return Step::kOk;
  }
}

bool RowReader::take_text(BytesView raw, Cell& cell) {
  cell.text = raw.data();
  cell.size = static_cast<std::uint32_t>(raw.size());
  if (!has_escape(raw)) return true;
  // No text grows by unescaping, so the line's length is room enough for all of its texts.
  std::string& memory = row_->unescaped;
  if (memory.capacity() < line_.size()) memory.reserve(line_.size());
  const std::size_t before = memory.size();
  if (!unescape(raw, memory)) return false;
  cell.text = memory.data() + before;
  cell.size = static_cast<std::uint32_t>(memory.size() - before);
  return true;
}

RowReader::Step RowReader::done(const Node& node, std::int64_t integer) {
  Cell cell;
  cell.integer = integer;
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::text(const Node& node) {
  const BytesView token = cursor_.token();
  Cell cell;
  cell.text = token.data();
  cell.size = static_cast<std::uint32_t>(token.size());
  if (cursor_.peek() == '"') {
    if (token.size() < 2 || token.back() != '"') return broken("a string is malformed");
    const BytesView raw = without_quotes(token);
    cell.text = raw.data();
    cell.size = static_cast<std::uint32_t>(raw.size());
    if (has_escape(raw)) {
      if (!is_string(token)) return broken("a string is malformed");
      if (!take_text(raw, cell)) return misfit(node);
    }
  } else if (!is_number(token)) {
    return misfit(node);
  }
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::json_text(const Node& node) {
  BytesView raw;
  if (!skip(raw)) return Step::kBroken;
  Cell cell;
  cell.text = raw.data();
  cell.size = static_cast<std::uint32_t>(raw.size());
  put(node, cell);
  return Step::kOk;
}

RowReader::Step RowReader::uuid(const Node& node) {
  const BytesView token = cursor_.token();
  if (cursor_.peek() != '"' || token.size() < 2 || token.back() != '"') return misfit(node);
  const BytesView raw = without_quotes(token);
  if (!is_uuid(raw)) return misfit(node);
  Cell cell;
  cell.text = raw.data();
  cell.size = static_cast<std::uint32_t>(raw.size());
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::whole(const Node& node, std::int64_t least, std::int64_t most) {
  const BytesView token = cursor_.token();
  auto integer = parse_integer(token);
  const bool spelled_whole = integer.has_value();
  if (!integer) {
    const auto number = parse_number(token);
    integer = number ? to_integer(*number) : std::nullopt;
    if (!integer) return misfit(node);
  }
  if (*integer >= least && *integer <= most) return done(node, *integer);
  const bool small = node.kind == TypeKind::kByte || node.kind == TypeKind::kShort;
  const bool fits_widened = *integer == static_cast<std::int32_t>(*integer);
  if (!small || !fits_widened || !spelled_whole || !may_grow_) return misfit(node);
  unplanned_ = true;
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::real(const Node& node) {
  const BytesView token = cursor_.token();
  std::optional<double> number;
  if (node.kind == TypeKind::kDouble) {
    number = parse_double(token);
  } else if (const auto narrow = parse_float(token)) {
    number = *narrow;
  }
  if (!number) return misfit(node);
  Cell cell;
  cell.real = *number;
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::boolean(const Node& node) {
  const BytesView token = cursor_.token();
  if (token == "true") return done(node, 1);
  if (token == "false") return done(node, 0);
  return misfit(node);
}

RowReader::Step RowReader::moment(const Node& node) {
  if (cursor_.peek() != '"') return misfit(node);
  const BytesView token = cursor_.token();
  if (token.size() < 2) return misfit(node);
  if (node.kind == TypeKind::kDate) {
    const auto days = parse_date(without_quotes(token));
    return days ? done(node, *days) : misfit(node);
  }
  const auto moment = moments_.parse(without_quotes(token));
  if (!moment || moment->zoned != (node.kind == TypeKind::kTimestamp)) return misfit(node);
  return done(node, moment->micros);
}

RowReader::Step RowReader::decimal(const Node& node) {
  const auto number = parse_number(cursor_.token());
  const auto decimal = number ? to_decimal(*number, node.precision, node.scale) : std::nullopt;
  if (!decimal) return misfit(node);
  if (node.precision <= 18) return done(node, static_cast<std::int64_t>(*decimal));
  auto& wide = row_->wide.emplace_back();
  auto rest = static_cast<Uint128>(*decimal);
  for (std::size_t i = wide.size(); i-- > 0; rest >>= 8) wide[i] = static_cast<char>(rest & 0xFF);
  Cell cell;
  cell.text = wide.data();
  cell.size = static_cast<std::uint32_t>(wide.size());
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

RowReader::Step RowReader::binary(const Node& node) {
  Cell cell;
  const BytesView token = cursor_.token();
  if (cursor_.peek() != '"' || !is_string(token)) return misfit(node);
  const auto bytes = from_base64(without_quotes(token));
  if (!bytes) return misfit(node);
  std::string& memory = row_->unescaped;
  if (memory.capacity() < line_.size()) memory.reserve(line_.size());
  cell.text = memory.data() + memory.size();
  cell.size = static_cast<std::uint32_t>(bytes->size());
  memory += *bytes;
  put(node, cell);
  ++cursor_.at;
  return Step::kOk;
}

bool RowReader::skip(BytesView& raw) {
  const char* begin = cursor_.here();
  if (!skipper_.skip(cursor_, open_, flaw_)) return false;
  // The value's last token: a bracket, or a scalar that white space may follow.
  const char* last = cursor_.text + cursor_.at[-1];
  const char* end = cursor_.here();
  if (*last == '}' || *last == ']') end = last + 1;
  while (is_space(end[-1])) --end;
  raw = {begin, end};
  return true;
}

RowReader::Step RowReader::misfit(const Node& node) {
  if (lists_ > 0) return Step::kMisfit;
  if (!node.nullable) {
    BytesView ignored;
    const char* where = cursor_.here();
    if (!skip(ignored)) return Step::kBroken;
    flaw_ = {where, "the value does not fit its column, which must not be null"};
    return Step::kBroken;
  }
  return rescue(node.id, nullptr);
}

RowReader::Step RowReader::rescue(std::uint32_t node, const std::string_view* key) {
  if (fixed_) return refuse(plan_.node(node), key);
  BytesView raw;
  if (!skip(raw)) return Step::kBroken;
  std::string& rescued = row_->rescued;
  if (!rescued.empty()) rescued += ',';
  append_json_string(rescued, plan_.path(node, key));
  rescued += ':';
  rescued += raw;
  return Step::kOk;
}

RowReader::Step RowReader::refuse(const Node& node, const std::string_view* key) {
  const char* where = cursor_.here();
  BytesView ignored;
  if (!skip(ignored)) return Step::kBroken;
  const std::string path = plan_.path(node.id, key);
  if (key != nullptr) {
    refusal_ = fmt::format("the table has no column {}, and its schema is fixed", path);
  } else if (seen_twice_) {
    refusal_ = fmt::format("the key {} comes twice", path);
  } else {
    refusal_ = fmt::format("column {} is {}, which cannot take this value, and the schema is fixed",
                           path, to_string(type_of(node)));
  }
  flaw_ = {where, refusal_.c_str()};
  return Step::kBroken;
}

}  // namespace headrace::jsonl
