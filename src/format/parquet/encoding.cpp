#include "format/parquet/encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kGroup = 8;  // Bit-packed values come in eights; shorter runs do not pay.

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

template <class T>
void append_run(std::string& out, T value, std::size_t count, int bits) {
  append_varint(out, std::uint64_t{count} << 1);
  for (int shift = 0; shift < bits; shift += 8) {
    out += static_cast<char>(static_cast<std::uint32_t>(value) >> shift);
  }
}

/// Bit-packed, filled up with zeros to a multiple of eight.
template <class T>
void append_packed(std::string& out, std::span<const T> values, int bits) {
  if (values.empty()) return;
  const std::size_t groups = (values.size() + kGroup - 1) / kGroup;
  append_varint(out, std::uint64_t{groups} << 1 | 1);
  const std::size_t before = out.size();
  const std::size_t bytes = groups * static_cast<std::size_t>(bits);
  out.resize(before + bytes + sizeof(std::uint64_t));
  char* to = out.data() + before;
  std::uint64_t word = 0;
  int filled = 0;
  for (const T value : values) {
    word |= static_cast<std::uint64_t>(value) << filled;
    filled += bits;
    if (filled < 32) continue;
    const auto low = static_cast<std::uint32_t>(word);
    std::memcpy(to, &low, sizeof low);
    to += sizeof low;
    word >>= 32;
    filled -= 32;
  }
  std::memcpy(to, &word, sizeof word);
  out.resize(before + bytes);
}

/// How many values from `at` on are the same.
template <class T>
std::size_t run_length(std::span<const T> values, std::size_t at) {
  const T value = values[at];
  std::size_t end = at + 1;
  if constexpr (sizeof(T) == 1) {
    const std::uint64_t eight = value * 0x0101010101010101u;
    std::uint64_t here = 0;
    for (; end + sizeof here <= values.size(); end += sizeof here) {
      std::memcpy(&here, values.data() + end, sizeof here);
      if (here != eight) break;
    }
  }
  while (end < values.size() && values[end] == value) ++end;
  return end - at;
}

template <class T>
void append_hybrid(std::string& out, std::span<const T> values, int bits) {
  std::size_t packed_begin = 0;
  std::size_t at = 0;
  while (at < values.size()) {
    const std::size_t run = run_length(values, at);
    const std::size_t into_group = (at - packed_begin) % kGroup;
    if (into_group != 0) {
      at += std::min(run, kGroup - into_group);
    } else if (run >= kGroup) {
      append_packed(out, values.subspan(packed_begin, at - packed_begin), bits);
      append_run(out, values[at], run, bits);
      at += run;
      packed_begin = at;
    } else {
      at += run;
    }
  }
  append_packed(out, values.subspan(packed_begin), bits);
}

// A block of distances has four parts, each with a width of its own.
constexpr std::size_t kBlock = 128;
constexpr std::size_t kPart = 32;
constexpr std::size_t kParts = kBlock / kPart;

template <class T>
std::uint64_t zigzag(T value) {
  const auto wide = static_cast<std::int64_t>(value);
  return static_cast<std::uint64_t>(wide) << 1 ^ static_cast<std::uint64_t>(wide >> 63);
}

/// 32 numbers of `bits` bits each, up to 64.
template <class Bits>
void append_part(std::string& out, const Bits* values, int bits) {
  const std::size_t before = out.size();
  out.resize(before + kPart / 8 * static_cast<std::size_t>(bits) + sizeof(std::uint64_t));
  char* to = out.data() + before;
  unsigned __int128 word = 0;
  int filled = 0;
  for (std::size_t i = 0; i < kPart; ++i) {
    word |= static_cast<unsigned __int128>(values[i]) << filled;
    filled += bits;
    if (filled < 64) continue;
    const auto low = static_cast<std::uint64_t>(word);
    std::memcpy(to, &low, sizeof low);
    to += sizeof low;
    word >>= 64;
    filled -= 64;
  }
  const auto rest = static_cast<std::uint64_t>(word);
  std::memcpy(to, &rest, sizeof rest);
  out.resize(out.size() - sizeof rest);
}

/// Distances wrap around, and so does adding them up again: none is too large for its type.
template <class T>
void append_deltas_of(std::string& out, std::span<const T> values) {
  using Bits = std::make_unsigned_t<T>;
  append_varint(out, kBlock);
  append_varint(out, kParts);
  append_varint(out, values.size());
  append_varint(out, values.empty() ? 0 : zigzag(values[0]));
  std::array<Bits, kBlock> block;
  for (std::size_t begin = 1; begin < values.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, values.size() - begin);
    const T* before = values.data() + begin - 1;
    auto least = std::numeric_limits<T>::max();
    for (std::size_t i = 0; i < count; ++i) {
      block[i] = static_cast<Bits>(before[i + 1]) - static_cast<Bits>(before[i]);
      least = std::min(least, static_cast<T>(block[i]));
    }
    for (std::size_t i = 0; i < count; ++i) block[i] -= static_cast<Bits>(least);
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(count), block.end(), Bits{0});
    append_varint(out, zigzag(least));
    std::array<int, kParts> widths;
    for (std::size_t part = 0; part < kParts; ++part) {
      Bits any = 0;
      for (std::size_t i = 0; i < kPart; ++i) any |= block[part * kPart + i];
      widths[part] = std::bit_width(any);
      out += static_cast<char>(widths[part]);
    }
    for (std::size_t part = 0; part * kPart < count; ++part) {
      append_part(out, block.data() + part * kPart, widths[part]);
    }
  }
}

/// A field of Thrift's compact protocol: how far its number is from the last one, and its type.
enum ThriftType : std::uint8_t { kInt32 = 5, kStruct = 12 };

void append_field(std::string& out, int distance, ThriftType type) {
  out += static_cast<char>(distance << 4 | type);
}

void append_int(std::string& out, int distance, std::int32_t value) {
  append_field(out, distance, kInt32);
  append_varint(out, static_cast<std::uint32_t>(value) << 1);  // Zigzag; none is negative.
}

constexpr char kStop = '\0';

}  // namespace

int bits_for(std::uint32_t largest) { return std::bit_width(largest); }

void append_runs(std::string& out, std::span<const std::uint8_t> values, int bits) {
  append_hybrid(out, values, bits);
}
void append_runs(std::string& out, std::span<const std::uint32_t> values, int bits) {
  append_hybrid(out, values, bits);
}

void append_levels(std::string& out, std::span<const std::uint8_t> levels, int bits) {
  const std::size_t before = out.size();
  out.append(sizeof(std::uint32_t), '\0');
  append_hybrid(out, levels, bits);
  const auto length = static_cast<std::uint32_t>(out.size() - before - sizeof(std::uint32_t));
  std::memcpy(out.data() + before, &length, sizeof length);
}

void append_booleans(std::string& out, std::span<const std::uint8_t> values) {
  const std::size_t before = out.size();
  out.append((values.size() + 7) / 8, '\0');
  char* to = out.data() + before;
  for (std::size_t i = 0; i < values.size(); ++i) {
    to[i / 8] = static_cast<char>(to[i / 8] | values[i] << (i % 8));
  }
}

void append_deltas(std::string& out, std::span<const std::int32_t> values) {
  append_deltas_of(out, values);
}
void append_deltas(std::string& out, std::span<const std::int64_t> values) {
  append_deltas_of(out, values);
}

void append_page_header(std::string& out, const PageHeader& header) {
  constexpr std::int32_t kDataPage = 0;
  constexpr std::int32_t kDictionaryPage = 2;
  constexpr std::int32_t kRle = 3;  // How levels are encoded.
  append_int(out, 1, header.dictionary ? kDictionaryPage : kDataPage);
  append_int(out, 1, header.plain_bytes);
  append_int(out, 1, header.packed_bytes);
  append_field(out, header.dictionary ? 4 : 2, kStruct);  // Field 7 or 5.
  append_int(out, 1, header.values);
  append_int(out, 1, header.encoding);
  if (!header.dictionary) {
    append_int(out, 1, kRle);
    append_int(out, 1, kRle);
  }
  out += kStop;
  out += kStop;
}

}  // namespace headrace::parquet_file
