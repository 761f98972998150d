#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/bytes.h"

namespace headrace::jsonl {

/// The structural index of a piece of JSON text: the position of every { } [ ] : , outside of
/// strings, of every opening quote, and of the first byte of every other scalar. Finding it (with
/// simdjson's first stage) also proves that the text is UTF-8, that every string is closed on its
/// line, and that no string holds a raw control character.
///
/// The positions are ascending; two more follow the last and hold the text's length.
class Structure {
 public:
  Structure();
  ~Structure();

  /// Finds the index of `text` (less than 4 GiB). False if the text is wrong in one of the ways
  /// above; why() then says in which. What positions() gave before is overwritten.
  bool find(BytesView text);
  const std::uint32_t* positions() const;
  std::string_view why() const { return why_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string_view why_;
};

}  // namespace headrace::jsonl
