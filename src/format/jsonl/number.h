#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace headrace::jsonl {

using Int128 = __int128;
using Uint128 = unsigned __int128;

/// A number as it was spelled: (-1)^negative * digits * 10^exponent, without leading zeros.
struct Number {
  bool negative = false;
  bool fraction = false;  ///< Spelled with '.' or an exponent.
  bool exact = true;      ///< False if it has more than 38 digits; `digits` then holds the first.
  int digit_count = 0;    ///< Significant digits as spelled, zeros at the end included; 0 is 0.
  Uint128 digits = 0;
  std::int64_t exponent = 0;
};

/// Takes a number apart; nullopt if `token` is none (RFC 8259).
std::optional<Number> parse_number(BytesView token);

/// The whole number that `token` spells without '.' and exponent; nullopt if it is spelled in
/// another way, is no number, is -0, or does not fit. The quick way for what is nearly always so.
std::optional<std::int64_t> parse_integer(BytesView token);

/// The whole number of the same value, however it was spelled ("3.0", "1e3"); nullopt if there is
/// none that fits. Negative zero is not whole: its sign would be lost.
std::optional<std::int64_t> to_integer(const Number& number);

/// The number times 10^scale if that is whole and has at most `precision` digits; else nullopt.
std::optional<Int128> to_decimal(const Number& number, int precision, int scale);

/// The nearest double if it stands for the number without loss: printed with as many digits as the
/// number was spelled with, it gives the number back. nullopt if not, or if `token` is no number.
std::optional<double> parse_double(BytesView token);
/// The same for float.
std::optional<float> parse_float(BytesView token);

}  // namespace headrace::jsonl
