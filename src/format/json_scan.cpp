#include "format/json_scan.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "format/json_escape.h"

namespace headrace {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ull;
constexpr std::uint64_t kHighs = 0x8080808080808080ull;

std::uint64_t load_eight(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// High bit set in bytes that are zero. Exact up to the lowest one set, which is all we look at.
std::uint64_t zero_bytes(std::uint64_t word) { return (word - kOnes) & ~word & kHighs; }

/// High bit set in bytes that end a run of plain string bytes: quote, backslash, control.
std::uint64_t special_bytes(std::uint64_t word) {
  const std::uint64_t controls = (word - kOnes * 0x20) & ~word & kHighs;
  return zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\')) | controls;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void JsonScan::begin(BytesView text) {
  begin_ = at = text.data();
  end = at + text.size();
  open = 0;
  fault_at_ = nullptr;
}

bool JsonScan::expected(const char* what) { return fail(at, fmt::format("expected {}", what)); }

bool JsonScan::enter(char bracket) {
  if (!expect(bracket, bracket == '{' ? "'{'" : "'['")) return false;
  if (++open > depth_) return fail(at - 1, fmt::format("nested deeper than {} levels", depth_));
  return true;
}

bool JsonScan::string(BytesView& raw) {
  if (!expect('"', "a string")) return false;
  const char* const first = at;
  std::uint64_t seen = 0;
  while (true) {
    while (end - at >= 8) {
      const std::uint64_t word = load_eight(at);
      const std::uint64_t special = special_bytes(word);
      if (special != 0) {
        const int plain = std::countr_zero(special) / 8;
        seen |= word & ((std::uint64_t{1} << (plain * 8)) - 1);
        at += plain;
        break;
      }
      seen |= word;
      at += 8;
    }
    if (at == end) return fail(first - 1, "this string has no end");
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"') break;
    if (byte < 0x20) return fail(at, "a control character in a string must be escaped");
    if (byte == '\\') {
      if (!escape()) return false;
      continue;
    }
    seen |= byte;
    ++at;
  }
  raw = BytesView(first, static_cast<std::size_t>(at - first));
  ++at;
  if ((seen & kHighs) != 0 && !simdjson::validate_utf8(raw.data(), raw.size())) {
    return fail(first - 1, "this string is not UTF-8");
  }
  return true;
}

bool JsonScan::escape() {
  const char* const where = at++;
  if (is_short_escape(peek())) {
    ++at;
    return true;
  }
  if (peek() != 'u' || end - at < 5 || escaped_unit(at + 1) < 0) {
    return fail(where, "there is no such escape");
  }
  at += 5;
  return true;
}

bool JsonScan::digits() {
  if (!is_digit(peek())) return fail(at, "expected a digit");
  while (at < end && is_digit(*at)) ++at;
  return true;
}

bool JsonScan::number() {
  if (peek() == '-') ++at;
  if (peek() == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (peek() == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at;
    if (peek() == '+' || peek() == '-') ++at;
    if (!digits()) return false;
  }
  return true;
}

bool JsonScan::literal(BytesView word) {
  if (!BytesView(at, static_cast<std::size_t>(end - at)).starts_with(word)) {
    return fail(at, "expected a value");
  }
  at += word.size();
  return true;
}

bool JsonScan::scalar() {
  BytesView raw;
  switch (peek()) {
    case '"':
      return string(raw);
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      if (peek() != '-' && !is_digit(peek())) return fail(at, "expected a value");
      return number();
  }
}

bool JsonScan::key_and_colon() {
  skip_space();
  BytesView raw;
  if (!string(raw)) return false;
  skip_space();
  return expect(':', "':'");
}

/// Steps into a value. `complete` is false if it is a bracket with something in it.
bool JsonScan::begin_value(bool& complete) {
  skip_space();
  const char c = peek();
  complete = true;
  if (c != '{' && c != '[') return scalar();
  if (!enter(c)) return false;
  skip_space();
  const char closing = c == '{' ? '}' : ']';
  if (peek() == closing) {
    ++at;
    --open;
    return true;
  }
  complete = false;
  brackets_ += closing;
  return c == '[' || key_and_colon();
}

/// After a value: steps over what closes here. `done` is false if another value follows.
bool JsonScan::end_value(bool& done) {
  while (!brackets_.empty()) {
    skip_space();
    const char closing = brackets_.back();
    if (peek() == ',') {
      ++at;
      done = false;
      return closing == ']' || key_and_colon();
    }
    if (!expect(closing, closing == '}' ? "',' or '}'" : "',' or ']'")) return false;
    brackets_.pop_back();
    --open;
  }
  done = true;
  return true;
}

bool JsonScan::value() {
  if (peek() != '{' && peek() != '[') return scalar();
  brackets_.clear();
  while (true) {
    bool complete = true;
    if (!begin_value(complete)) return false;
    if (!complete) continue;
    bool done = true;
    if (!end_value(done)) return false;
    if (done) return true;
  }
}

bool JsonScan::fail(const char* where, std::string what) {
  fault_at_ = where;
  fault_ = std::move(what);
  return false;
}

std::string JsonScan::fault() const {
  const BytesView before(begin_, static_cast<std::size_t>(fault_at_ - begin_));
  const std::size_t line_end = before.rfind('\n');
  const std::size_t column = before.size() - (line_end == BytesView::npos ? 0 : line_end + 1) + 1;
  if (line_end == BytesView::npos) return fmt::format("column {}: {}", column, fault_);
  return fmt::format("line {}, column {}: {}", std::ranges::count(before, '\n') + 1, column,
                     fault_);
}

std::string json_unescape(BytesView raw) {
  std::string out(raw.size(), '\0');
  const char* end = unescape_json(raw, out.data(), LoneSurrogate::kKeep);
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

}  // namespace headrace
