#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace headrace {

/// Can this byte follow a scalar of JSON? White space and the signs between values. No quote: the
/// first stage begins no token with one that follows a scalar.
inline constexpr std::array<bool, 256> kEndsScalar = [] {
  std::array<bool, 256> out{};
  for (const char c : {' ', '\t', '\n', '\r', ',', ':', '[', ']', '{', '}'}) {
    out[static_cast<unsigned char>(c)] = true;
  }
  return out;
}();

inline bool ends_scalar(char c) { return kEndsScalar[static_cast<unsigned char>(c)]; }

inline bool is_json_digit(char c) { return c >= '0' && c <= '9'; }

inline const char* number_end_by_bytes(const char* at) {
  if (*at == '-') ++at;
  const char* whole = at;
  while (is_json_digit(*at)) ++at;
  if (at == whole || (*whole == '0' && at - whole > 1)) return nullptr;
  if (*at == '.') {
    const char* fraction = ++at;
    while (is_json_digit(*at)) ++at;
    if (at == fraction) return nullptr;
  }
  if ((*at | 0x20) == 'e') {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    const char* exponent = at;
    while (is_json_digit(*at)) ++at;
    if (at == exponent) return nullptr;
  }
  return at;
}

/// One bit for each of 32 bytes: is it a digit?
inline std::uint32_t digits_in_32(const char* from) {
#ifdef __AVX2__
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
  const __m256i digit = _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(digit));
#else
  std::uint32_t out = 0;
  for (int i = 0; i < 32; ++i) out |= static_cast<std::uint32_t>(is_json_digit(from[i])) << i;
  return out;
#endif
}

/// Where the JSON number that begins at `at` ends; null if it is malformed. A byte that ends every
/// scalar stands somewhere after it and before `limit`.
[[gnu::always_inline]] inline const char* number_end(const char* at, const char* limit) {
  if (limit - at >= 32) {
    const std::uint64_t mask = digits_in_32(at);
    unsigned i = *at == '-' ? 1 : 0;
    const auto whole = static_cast<unsigned>(std::countr_one(mask >> i));
    if (whole == 0 || (at[i] == '0' && whole > 1)) return nullptr;
    i += whole;
    if (i < 31 && at[i] == '.') {
      const auto fraction = static_cast<unsigned>(std::countr_one(mask >> (i + 1)));
      if (fraction == 0) return nullptr;
      i += 1 + fraction;
    }
    // What does not end within these 32 bytes is looked at again.
    if (i < 31 && (at[i] | 0x20) != 'e') return at + i;
  }
  return number_end_by_bytes(at);
}

/// Where true, false or null ends; null if there is none of them at `at`.
inline const char* word_end(const char* at, const char* limit) {
  const auto is = [&](const char* word, std::size_t size) {
    return static_cast<std::size_t>(limit - at) > size && std::memcmp(at, word, size) == 0;
  };
  if (is("true", 4) || is("null", 4)) return at + 4;
  return is("false", 5) ? at + 5 : nullptr;
}

}  // namespace headrace
