#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"

namespace headrace::jsonl {

/// "2026-01-31": days since 1970-01-01; nullopt if `text` is no date of the years 0000 to 9999.
std::optional<std::int32_t> parse_date(BytesView text);

/// What a text says of a moment: microseconds since 1970 in UTC or, without a zone, as if in UTC.
struct Moment {
  std::int64_t micros = 0;
  bool zoned = false;
};

/// "2026-01-31T09:08:07[.fraction][Z or an offset]" (RFC 3339, with 'T', 't' or a space); nullopt
/// for any other text and where microseconds would lose something: a finer fraction, a leap second.
/// Remembers the last date, because rows that lie together often share it. One thread at a time.
class MomentParser {
 public:
  std::optional<Moment> parse(BytesView text);

 private:
  char date_[10] = {};
  std::int32_t days_ = 0;
};

/// "2026-01-31"; years of more than four digits, and those before 0000, as they are.
std::string format_date(std::int64_t days);

}  // namespace headrace::jsonl
