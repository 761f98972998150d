#include "route/number_array.h"

#include <bit>
#include <utility>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace headrace {
namespace {

constexpr std::uint64_t kBlock = 64;

/// One bit for each byte of a block.
struct Signs {
  std::uint64_t digit = 0;
  std::uint64_t zero = 0;
  std::uint64_t dot = 0;
  std::uint64_t minus = 0;
  std::uint64_t comma = 0;
  std::uint64_t open = 0;
  std::uint64_t close = 0;

  /// Those from byte `from` on.
  Signs later(unsigned from) const {
    return {digit >> from, zero >> from, dot >> from,  minus >> from,
            comma >> from, open >> from, close >> from};
  }
};

/// Which bytes have such a byte before them; remembers the block for the next one.
class Before {
 public:
  explicit Before(bool first = false) : block_(first ? ~std::uint64_t{0} : 0) {}
  std::uint64_t operator()(std::uint64_t bits) {
    return bits << 1 | std::exchange(block_, bits) >> 63;
  }

 private:
  std::uint64_t block_;
};

/// The array up to the block that comes next.
class Pass {
 public:
  explicit Pass(std::uint32_t max_depth) : max_depth_(max_depth) {}

  /// True when there is an answer.
  [[gnu::always_inline]] bool block(const Signs& is, const char* at) {
    const std::uint64_t after_digit = digit_(is.digit);
    const std::uint64_t after_dot = dot_(is.dot);
    const std::uint64_t after_open = open_(is.open);
    const std::uint64_t after_comma = comma_(is.comma);
    const std::uint64_t after_close = close_(is.close);
    const std::uint64_t at_value = after_open | after_comma;

    std::uint64_t wrong = ~(is.digit | is.dot | is.minus | is.comma | is.open | is.close) |
                          ((is.minus | is.open) & ~at_value) | (is.dot & ~after_digit) |
                          (is.digit & after_close) | (is.comma & ~(after_digit | after_close)) |
                          (is.close & ~(after_digit | after_close | after_open));
    // Added to the first digit after a dot, a bit runs on to what follows the last one.
    std::uint64_t sum = 0;
    fraction_ = __builtin_add_overflow(is.digit, after_dot | fraction_, &sum) ? 1 : 0;
    wrong |= sum & ~is.digit & is.dot;
    const std::uint64_t first_digit = is.digit & ~after_digit & ~after_dot;
    wrong |= leading_zero_(first_digit & is.zero) & is.digit;

    const std::uint64_t tokens = is.open | is.close | is.comma | ((is.digit | is.minus) & at_value);
    answer_.seen = at + kBlock;
    if (depth_ + std::popcount(is.open) > max_depth_) return true;
    if (closes(is, at)) {
      const std::uint64_t inside = ~std::uint64_t{0} >> (kBlock - (answer_.end - at));
      answer_.tokens += static_cast<std::uint32_t>(std::popcount(tokens & inside));
      if ((wrong & inside) != 0) answer_.end = nullptr;
      return true;
    }
    answer_.tokens += static_cast<std::uint32_t>(std::popcount(tokens));
    depth_ += std::popcount(is.open) - std::popcount(is.close);
    return wrong != 0;
  }

  const NumberArray& answer() const { return answer_; }

 private:
  /// Does the array end in this block?
  bool closes(const Signs& is, const char* at) {
    if (std::popcount(is.close) < depth_) return false;
    std::int64_t closed = 0;
    for (std::uint64_t rest = is.close; rest != 0; rest &= rest - 1) {
      const int bit = std::countr_zero(rest);
      const int opened = std::popcount(is.open & ((std::uint64_t{1} << bit) - 1));
      if (depth_ + opened > ++closed) continue;
      answer_.end = at + bit + 1;
      return true;
    }
    return false;
  }

  NumberArray answer_;
  std::int64_t depth_ = 0;
  std::int64_t max_depth_;
  Before digit_, dot_, open_, close_, leading_zero_;
  Before comma_{true};  // The array stands where a value may.
  std::uint64_t fraction_ = 0;
};

#ifdef __AVX2__

[[gnu::always_inline]] inline Signs signs_256(const char* at) {
  const auto half = [at](int which) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at) + which);
  };
  const __m256i low = half(0);
  const __m256i high = half(1);
  const auto bits = [](__m256i a, __m256i b) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(a))) |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(b))) << 32;
  };
  const auto is = [&](char sign) {
    const __m256i all = _mm256_set1_epi8(sign);
    return bits(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
  };
  const auto digits = [](__m256i bytes) {
    const __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
  };
  return {bits(digits(low), digits(high)), is('0'), is('.'), is('-'), is(','), is('['), is(']')};
}

/// The block that begins at `at`; what lies beyond `limit` is none of the signs. No byte outside
/// the text is read.
[[gnu::always_inline]] inline Signs signs_256(const char* at, const char* limit) {
  const auto left = static_cast<std::uint64_t>(limit - at);
  return left >= kBlock ? signs_256(at)
                        : signs_256(limit - kBlock).later(static_cast<unsigned>(kBlock - left));
}

NumberArray pass_256(const char* at, const char* limit, std::uint32_t max_depth) {
  Pass pass(max_depth);
  for (; at < limit; at += kBlock) {
    if (pass.block(signs_256(at, limit), at)) break;
  }
  return pass.answer();
}

[[gnu::target("avx512f,avx512bw")]] NumberArray pass_512(const char* at, const char* limit,
                                                         std::uint32_t max_depth) {
  Pass pass(max_depth);
  for (; at < limit; at += kBlock) {
    const auto left = static_cast<std::uint64_t>(limit - at);
    const std::uint64_t there = left >= kBlock ? ~std::uint64_t{0} : ~(~std::uint64_t{0} << left);
    const __m512i bytes = _mm512_maskz_loadu_epi8(there, at);
    const Signs is{
        _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8('0')), _mm512_set1_epi8(10)),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('0')),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('.')),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('-')),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(',')),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('[')),
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(']')),
    };
    if (pass.block(is, at)) break;
  }
  return pass.answer();
}

#endif

}  // namespace

#ifdef __AVX2__

Lanes lanes_here() {
  static const Lanes lanes = __builtin_cpu_supports("avx512bw") ? Lanes::k512 : Lanes::k256;
  return lanes;
}

NumberArray pass_number_array(const char* at, const char* begin, const char* limit,
                              std::uint32_t max_depth, Lanes lanes) {
  if (lanes == Lanes::k512) return pass_512(at, limit, max_depth);
  if (lanes == Lanes::k256 && limit - begin >= static_cast<std::int64_t>(kBlock)) {
    return pass_256(at, limit, max_depth);
  }
  return {.end = nullptr, .tokens = 0, .seen = at};
}

#else

Lanes lanes_here() { return Lanes::kNone; }

NumberArray pass_number_array(const char* at, const char*, const char*, std::uint32_t, Lanes) {
  return {.end = nullptr, .tokens = 0, .seen = at};
}

#endif

}  // namespace headrace
