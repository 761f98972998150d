#include "format/jsonl/cursor.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace headrace::jsonl {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take_digits(const char*& at, const char* end) {
  const char* begin = at;
  while (at < end && is_digit(*at)) ++at;
  return at > begin;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// Four hexadecimal digits; -1 if they are not.
int code_unit(const char* digits) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(digits[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

char* put_utf8(char* out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
  return out;
}

/// The character of a \u escape whose digits begin at `at`, which moves behind it; a pair of
/// surrogates is one character. nullopt for a surrogate alone.
std::optional<std::uint32_t> take_unicode(const char*& at, const char* end) {
  const int unit = code_unit(at);
  at += 4;
  if (unit < 0xD800 || unit > 0xDFFF) return static_cast<std::uint32_t>(unit);
  if (unit > 0xDBFF || end - at < 6 || at[0] != '\\' || at[1] != 'u') return std::nullopt;
  const int low = code_unit(at + 2);
  if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
  at += 6;
  return 0x10000 + (static_cast<std::uint32_t>(unit - 0xD800) << 10) +
         static_cast<std::uint32_t>(low - 0xDC00);
}

char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // " \ /
  }
}

bool escapes_are_right(BytesView raw) {
  std::size_t at = raw.find('\\');
  while (at != BytesView::npos) {
    const char kind = at + 1 < raw.size() ? raw[at + 1] : '\0';
    if (kind == 'u') {
      if (raw.size() - at < 6 || code_unit(raw.data() + at + 2) < 0) return false;
    } else if (kind == '\0' || BytesView("\"\\/bfnrt").find(kind) == BytesView::npos) {
      return false;
    }
    at = raw.find('\\', at + 2);
  }
  return true;
}

bool fail(const Cursor& cursor, const char* what, Flaw& flaw) {
  flaw = {cursor.here(), what};
  return false;
}

}  // namespace

bool is_number(BytesView token) {
  const char* at = token.data();
  const char* end = at + token.size();
  if (at < end && *at == '-') ++at;
  if (at == end || !is_digit(*at)) return false;
  if (*at == '0') {
    ++at;
  } else {
    take_digits(at, end);
  }
  if (at < end && *at == '.') {
    if (!take_digits(++at, end)) return false;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    if (!take_digits(at, end)) return false;
  }
  return at == end;
}

bool is_string(BytesView token) {
  return token.size() >= 2 && token.back() == '"' &&
         escapes_are_right(token.substr(1, token.size() - 2));
}

char* unescape(BytesView raw, char* out) {
  const char* at = raw.data();
  const char* end = at + raw.size();
  while (at < end) {
    const auto* escape =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    const char* plain_end = escape == nullptr ? end : escape;
    out = std::copy(at, plain_end, out);
    if (escape == nullptr) break;
    at = escape + 2;
    if (escape[1] != 'u') {
      *out++ = plain_escape(escape[1]);
      continue;
    }
    const auto code = take_unicode(at, end);
    if (!code) return nullptr;
    out = put_utf8(out, *code);
  }
  return out;
}

bool unescape(BytesView raw, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + raw.size());
  char* end = unescape(raw, out.data() + before);
  out.resize(end == nullptr ? before : static_cast<std::size_t>(end - out.data()));
  return end != nullptr;
}

bool Skipper::key(Cursor& cursor, Flaw& flaw) {
  if (cursor.peek() != '"') return fail(cursor, "expected a key", flaw);
  if (!is_string(cursor.token())) return fail(cursor, "a key is malformed", flaw);
  ++cursor.at;
  if (cursor.peek() != ':') return fail(cursor, "expected ':'", flaw);
  ++cursor.at;
  return true;
}

bool Skipper::scalar(Cursor& cursor, Flaw& flaw) {
  const BytesView token = cursor.token();
  bool right = false;
  switch (token.empty() ? '\0' : token[0]) {
    case '"':
      if (!is_string(token)) return fail(cursor, "a string is malformed", flaw);
      right = true;
      break;
    case 't':
      right = token == "true";
      break;
    case 'f':
      right = token == "false";
      break;
    case 'n':
      right = token == "null";
      break;
    default:
      right = is_number(token);
      break;
  }
  if (!right) return fail(cursor, "expected a value", flaw);
  ++cursor.at;
  return true;
}

bool Skipper::skip(Cursor& cursor, std::size_t open, Flaw& flaw) {
  open_.clear();
  bool at_value = true;
  do {
    if (at_value) {
      const char c = cursor.peek();
      if (c == '{' || c == '[') {
        if (open + open_.size() >= limit_) return fail(cursor, "nested too deeply", flaw);
        open_.push_back(c == '{' ? '}' : ']');
        ++cursor.at;
        at_value = cursor.peek() != open_.back();
        if (at_value && c == '{' && !key(cursor, flaw)) return false;
        continue;
      }
      if (!scalar(cursor, flaw)) return false;
      at_value = false;
      continue;
    }
    if (cursor.peek() == open_.back()) {
      open_.pop_back();
      ++cursor.at;
    } else if (cursor.peek() == ',') {
      ++cursor.at;
      if (open_.back() == '}' && !key(cursor, flaw)) return false;
      at_value = true;
    } else {
      return fail(cursor, open_.back() == '}' ? "expected ',' or '}'" : "expected ',' or ']'",
                  flaw);
    }
  } while (!open_.empty());
  return true;
}

}  // namespace headrace::jsonl
