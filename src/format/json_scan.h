#pragma once

#include <string>

#include "core/bytes.h"

namespace headrace {

/// Steps over JSON text without building anything, checking every byte against RFC 8259: what is
/// passed is well formed, strings are UTF-8, and nesting is bounded. It knows where each thing
/// begins and ends, which is what an edit in place needs.
///
/// Each step returns false once the text is wrong; `at` then stays anywhere, and fault() says what
/// was expected where. Reads only within the view. One thread at a time.
class JsonScan {
 public:
  /// `depth`: how many objects and arrays may be open at a time.
  explicit JsonScan(int depth) : depth_(depth) {}

  void begin(BytesView text);

  /// Everything below works here. Callers may move it back to where they have been.
  const char* at = nullptr;
  const char* end = nullptr;
  int open = 0;  ///< Objects and arrays that are open at `at`.

  void skip_space() {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  }
  /// The next byte; 0 at the end.
  char peek() const { return at < end ? *at : '\0'; }
  /// Steps over one byte that must be `c`.
  bool expect(char c, const char* what) {
    if (at == end || *at != c) return expected(what);
    ++at;
    return true;
  }
  /// Steps over '{' or '['. The caller lowers `open` when it steps over its end.
  bool enter(char bracket);
  /// Steps over a string; `raw` is what is between the quotes, still escaped.
  bool string(BytesView& raw);
  /// Steps over any value that begins here.
  bool value();

  /// Notes what is wrong at `where`, and returns false.
  bool fail(const char* where, std::string what);
  /// "column 17: expected ':'"; in a text of several lines "line 2, column 5: ...". Counts bytes.
  std::string fault() const;

 private:
  bool expected(const char* what);
  bool scalar();
  bool number();
  bool digits();
  bool escape();
  bool literal(BytesView word);
  bool key_and_colon();
  bool begin_value(bool& complete);
  bool end_value(bool& done);

  const char* begin_ = nullptr;
  int depth_;
  std::string brackets_;  // Open ones within value().
  const char* fault_at_ = nullptr;
  std::string fault_;
};

/// Undoes the escapes of a string that JsonScan found well formed. A surrogate without its pair
/// becomes three bytes that are no UTF-8.
std::string json_unescape(BytesView raw);

}  // namespace headrace
