#pragma once

#include <cstdint>

namespace headrace {

/// A JSON array that holds numbers and such arrays and nothing else, as it was passed by.
struct NumberArray {
  /// Behind its last bracket. Null if it is no such array, or one that is not told quickly: with
  /// spaces, exponents or a fault in it, or deeper than was allowed.
  const char* end = nullptr;
  std::uint32_t tokens = 0;    ///< Brackets, commas and numbers.
  const char* seen = nullptr;  ///< How far the text was looked at.
};

enum class Lanes : unsigned char { kNone, k256, k512 };
/// What this processor has.
Lanes lanes_here();

/// Passes by the array whose bracket is at `at`, 64 bytes at a time: which signs may follow each
/// other, and what a number may look like, is found out for all of them at once by bits. The array
/// lies in the text from `begin` to `limit`.
NumberArray pass_number_array(const char* at, const char* begin, const char* limit,
                              std::uint32_t max_depth, Lanes lanes);

}  // namespace headrace
