#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace headrace::jsonl {

/// JSON's white space.
constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// A place in JSON text, moving from one structural position to the next. A plain value: copy it
/// to come back to a place. Nothing is checked here; the two positions behind the last one make it
/// safe to look one ahead, and the byte they stand at must be neither JSON nor white space to the
/// grammar (a line end or a zero), which stops every walk there.
struct Cursor {
  const char* text = nullptr;
  const std::uint32_t* at = nullptr;

  char peek() const { return text[*at]; }
  /// The first byte of the token after this one.
  char peek_next() const { return text[at[1]]; }
  const char* here() const { return text + *at; }
  /// The token here with the white space behind it cut off; empty at the end of the text. Only
  /// for scalars.
  BytesView token() const {
    const char* end = text + at[1];
    while (end > here() && is_space(end[-1])) --end;
    return {here(), end};
  }
};

/// What is wrong with a row and where; a row that is right leaves it untouched.
struct Flaw {
  const char* where = nullptr;
  const char* what = nullptr;
};

/// Is `token` a number as RFC 8259 spells them?
bool is_number(BytesView token);

/// `token` starts with a quote: is it a string, whose escapes are all right? The structural index
/// has already shown what else there is to show.
bool is_string(BytesView token);

/// The text of a string without its quotes, escapes undone, appended to `out`. False, with a
/// part appended, for a lone surrogate, which no UTF-8 can hold. `raw` is what is_string() accepts.
bool unescape(BytesView raw, std::string& out);

/// Steps over values of any kind and proves them well formed. Uses no stack of the machine for
/// nesting, so depth costs only what the limit allows.
class Skipper {
 public:
  /// `depth`: how many objects and arrays may be open at a time.
  explicit Skipper(int depth) : limit_(static_cast<std::size_t>(depth)) {}

  /// Moves `cursor` over the value at it, `open` being the objects and arrays open around it.
  /// False, with `flaw` set, if the value is broken or nested too deeply.
  bool skip(Cursor& cursor, std::size_t open, Flaw& flaw);

 private:
  bool key(Cursor& cursor, Flaw& flaw);
  bool scalar(Cursor& cursor, Flaw& flaw);

  std::size_t limit_;
  std::vector<char> open_;  // The brackets that close what is open.
};

}  // namespace headrace::jsonl
