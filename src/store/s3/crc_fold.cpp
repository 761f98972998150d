#include "store/s3/crc_fold.h"

#include <immintrin.h>

namespace headrace::s3 {

namespace {

/// A step takes four blocks of 16 bytes, which do not wait for each other.
constexpr std::size_t kBlock = 16;
constexpr std::size_t kStep = 4 * kBlock;
/// Below, a table is as fast.
constexpr std::size_t kShort = 4 * kStep;

/// A polynomial without its highest term, reflected.
struct Polynomial {
  std::uint64_t terms;
  int degree;
};
constexpr Polynomial kZip{0xEDB88320, 32};
constexpr Polynomial kNvme{0x9A6C9329AC4BC9B5, 64};

/// x^n modulo the polynomial, reflected in 64 bits.
consteval std::uint64_t power(Polynomial polynomial, int n) {
  std::uint64_t rest = std::uint64_t{1} << (polynomial.degree - 1);
  for (int i = 0; i < n; ++i) {
    rest = (rest & 1) != 0 ? (rest >> 1) ^ polynomial.terms : rest >> 1;
  }
  return rest << (64 - polynomial.degree);
}

/// What moves a block over `bits` further bits of message: its low half, which came first, by 64
/// more than its high half. The product of two reflected factors comes out as if multiplied by x,
/// hence one less.
template <Polynomial kPolynomial, int kBits>
inline __m128i moved(__m128i block) {
  constexpr auto kLow = static_cast<long long>(power(kPolynomial, kBits + 63));
  constexpr auto kHigh = static_cast<long long>(power(kPolynomial, kBits - 1));
  const __m128i keys = _mm_set_epi64x(kHigh, kLow);
  return _mm_xor_si128(_mm_clmulepi64_si128(block, keys, 0x00),
                       _mm_clmulepi64_si128(block, keys, 0x11));
}

inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

template <Polynomial kPolynomial>
Folded fold(BytesView message, std::uint64_t before) {
  if (message.size() < kShort) return {};
  const char* at = message.data();
  Folded folded{message.size() / kStep * kStep, {}};
  const char* end = at + folded.taken;
  std::array<__m128i, 4> lanes{load(at), load(at + kBlock), load(at + 2 * kBlock),
                               load(at + 3 * kBlock)};
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<long long>(before)));
  for (at += kStep; at != end; at += kStep) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      lanes[i] = _mm_xor_si128(moved<kPolynomial, 8 * kStep>(lanes[i]), load(at + i * kBlock));
    }
  }
  __m128i sum = lanes[0];
  for (std::size_t i = 1; i < lanes.size(); ++i) {
    sum = _mm_xor_si128(moved<kPolynomial, 8 * kBlock>(sum), lanes[i]);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(folded.bytes.data()), sum);
  return folded;
}

}  // namespace

Folded fold_crc32(BytesView message, std::uint32_t before) { return fold<kZip>(message, before); }

Folded fold_crc64_nvme(BytesView message, std::uint64_t before) {
  return fold<kNvme>(message, before);
}

}  // namespace headrace::s3
