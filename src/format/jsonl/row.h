#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/buffer.h"

namespace headrace::jsonl {

/// What a cell of a list or a map says. (Cells of values carry the length of a text here.)
enum Slot : std::uint32_t { kEmpty, kFirst, kNext };

/// One thing that a row brings for one node of the plan, in the order of the row:
///   a plain value                      its value
///   a struct                           that it is there; its members follow
///   a list or map                      kEmpty; or kFirst and kNext, each followed by its element
/// What is absent or null has no cell.
struct Cell {
  std::uint32_t node = 0;
  std::uint32_t size = 0;  ///< Bytes of `text`, or a Slot.
  union {
    std::int64_t integer =
        0;             ///< Whole numbers, booleans, dates, moments, decimals of <= 18 digits.
    double real;       ///< Floats and doubles.
    const char* text;  ///< Strings, binary, decimals of 16 big-endian bytes.
  };

  BytesView view() const { return {text, size}; }
};

/// A row that has been read. Texts point into the batch, or into memory held here; both are valid
/// until the next row is read.
struct Row {
  Buffer<Cell> cells;
  Buffer<Cell> partition;           ///< Partition columns that the row has a value for.
  std::vector<bool> has_partition;  ///< Does the row say anything, be it null, of each?
  std::string rescued;              ///< `"path":raw` and so on, joined by commas; often empty.

  /// Memory for texts that are not as they stand in the batch.
  std::string unescaped;
  std::deque<std::array<char, 16>> wide;
};

}  // namespace headrace::jsonl
