#include "format/json_escape.h"

#include <algorithm>
#include <cstring>

namespace headrace {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

char short_escape(char c) {
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

bool is_surrogate(std::uint32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

/// The character of a \u escape whose digits begin at `at`, which moves behind it; a pair of
/// surrogates is one character.
std::uint32_t take_unicode(const char*& at, const char* end) {
  const auto unit = static_cast<std::uint32_t>(escaped_unit(at));
  at += 4;
  if (unit < 0xD800 || unit > 0xDBFF || end - at < 6 || at[0] != '\\' || at[1] != 'u') return unit;
  const auto low = static_cast<std::uint32_t>(escaped_unit(at + 2));
  if (low < 0xDC00 || low > 0xDFFF) return unit;
  at += 6;
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

}  // namespace

bool is_short_escape(char c) { return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr; }

int escaped_unit(const char* digits) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(digits[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

char* unescape_json(BytesView raw, char* out, LoneSurrogate lone) {
  const char* at = raw.data();
  const char* end = at + raw.size();
  while (at < end) {
    const auto* escape =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    out = std::copy(at, escape == nullptr ? end : escape, out);
    if (escape == nullptr) break;
    at = escape + 2;
    if (escape[1] != 'u') {
      *out++ = short_escape(escape[1]);
      continue;
    }
    const std::uint32_t code = take_unicode(at, end);
    if (is_surrogate(code) && lone == LoneSurrogate::kRefuse) return nullptr;
    out = put_utf8(out, code);
  }
  return out;
}

}  // namespace headrace
