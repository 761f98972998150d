#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/bytes.h"

namespace headrace::parquet_file {

/// Parquet's encodings of values, as far as we write them. Each appends to `out`.

/// Bits that hold every number up to `largest`.
int bits_for(std::uint32_t largest);

/// Runs and bit-packed groups of numbers of `bits` bits each (RLE/bit-packing hybrid).
void append_runs(std::string& out, std::span<const std::uint8_t> values, int bits);
void append_runs(std::string& out, std::span<const std::uint32_t> values, int bits);
/// The same for levels, with its length in four bytes before it, as V1 pages have it.
void append_levels(std::string& out, std::span<const std::uint8_t> levels, int bits);

/// One bit a value, for values of 0 and 1.
void append_booleans(std::string& out, std::span<const std::uint8_t> values);

/// Distances between whole numbers, packed (DELTA_BINARY_PACKED).
void append_deltas(std::string& out, std::span<const std::int32_t> values);
void append_deltas(std::string& out, std::span<const std::int64_t> values);

/// Thrift's header before a page. Encodings have Parquet's numbers.
struct PageHeader {
  bool dictionary = false;
  std::int32_t encoding = 0;
  std::int32_t values = 0;
  std::int32_t plain_bytes = 0;
  std::int32_t packed_bytes = 0;
};
void append_page_header(std::string& out, const PageHeader& header);

}  // namespace headrace::parquet_file
