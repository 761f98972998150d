#include "format/jsonl/uuid.h"

#include <immintrin.h>

#include <cstring>

namespace headrace::jsonl {
namespace {

constexpr std::size_t kTextBytes = 36;

/// The 32 digits without the hyphens between them.
__m256i digits_of(const char* text) {
  alignas(32) char digits[32];
  std::memcpy(digits, text, 8);
  std::memcpy(digits + 8, text + 9, 4);
  std::memcpy(digits + 12, text + 14, 4);
  std::memcpy(digits + 16, text + 19, 4);
  std::memcpy(digits + 20, text + 24, 12);
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(digits));
}

/// Which bytes are from `first` to `last`?
__m256i between(__m256i bytes, char first, char last) {
  const auto above = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(static_cast<char>(first - 1)));
  const auto below = _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(last + 1)), bytes);
  return _mm256_and_si256(above, below);
}

}  // namespace

bool is_uuid(BytesView text) {
  if (text.size() != kTextBytes) return false;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  const auto digits = digits_of(text.data());
  const auto right = _mm256_or_si256(between(digits, '0', '9'), between(digits, 'a', 'f'));
  return _mm256_movemask_epi8(right) == -1;
}

void uuid_bytes(const char* text, char* bytes) {
  const auto digits = digits_of(text);
  const auto low = _mm256_and_si256(digits, _mm256_set1_epi8(0x0F));
  const auto letter = _mm256_cmpgt_epi8(digits, _mm256_set1_epi8('9'));
  const auto values = _mm256_add_epi8(low, _mm256_and_si256(letter, _mm256_set1_epi8(9)));
  const auto pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(0x0110));  // 16 * a + b
  const auto packed =
      _mm_packus_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), packed);
}

}  // namespace headrace::jsonl
