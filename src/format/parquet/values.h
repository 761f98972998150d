#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/jsonl/number.h"

namespace headrace::parquet_file {

/// Values as Delta spells them in its log.

/// "12.30" for 1230 at scale 2: all digits of the scale.
std::string decimal_text(jsonl::Int128 unscaled, int scale);
/// A whole number from 16 big-endian bytes in two's complement.
jsonl::Int128 wide_integer(std::string_view bytes);
/// As Java's Double.toString does: "1.0", "1.0E7", "NaN", "Infinity".
std::string java_double_text(double value);
std::string java_float_text(float value);
/// "2024-06-15T19:30:45.000000Z", or with a space and no zone: "2024-06-15 19:30:45.000000".
std::string moment_text(std::int64_t micros, bool zoned);
/// "2024-06-15T19:30:45.123Z" (no Z without a zone); rounded down, or up to the next millisecond.
std::string millisecond_text(std::int64_t micros, bool zoned, bool up);

}  // namespace headrace::parquet_file
