#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/layout.h"

namespace headrace::parquet_file {

/// Parquet's numbers for encodings of values.
enum class Encoding : unsigned char {
  kPlain = 0,
  kRle = 3,
  kDeltaBinaryPacked = 5,
  kDeltaLengthByteArray = 6,
  kRleDictionary = 8
};

/// A data page, for the page index. Bounds are as Parquet spells them.
struct PageMeta {
  std::int64_t offset = 0;  ///< Of its header: within the row group's bytes.
  std::int32_t bytes = 0;   ///< Packed, with the header.
  std::int64_t first_row = 0;
  std::int64_t nulls = 0;
  bool any = false;  ///< Has it values?
  std::string least, most;
};

/// How the bounds of a chunk's pages follow one another: Parquet's numbers.
enum class BoundaryOrder : unsigned char { kUnordered, kAscending, kDescending };

/// One column's part of a row group.
struct ChunkMeta {
  Encoding encoding = Encoding::kPlain;
  bool dictionary = false;
  bool packed = true;       ///< False: left as it is, because packing gains nothing.
  std::int64_t values = 0;  ///< Slots, those without a value included.
  std::int64_t nulls = 0;   ///< Slots without a value.
  bool has_bounds = false;  ///< `least` and `most` are exact.
  std::string least, most;  ///< As Parquet spells them.
  std::int64_t offset = 0;  ///< Of the dictionary, or of the first page: within the row group.
  std::int64_t plain_bytes = 0;
  std::int64_t bytes = 0;
  std::vector<PageMeta> pages;
  bool has_page_bounds = false;  ///< The pages have bounds that readers may use.
  BoundaryOrder order = BoundaryOrder::kUnordered;
};

struct GroupMeta {
  std::int64_t offset = 0;  ///< Within the file.
  std::int64_t rows = 0;
  std::vector<ChunkMeta> chunks;  ///< One for each of the layout's leaves.
};

/// Appends the page index, if a chunk has more than one page, and the footer of a file whose bytes
/// so far are `file_bytes`, of which `out` may hold the last part only.
void append_footer(Bytes& out, std::uint64_t file_bytes, const FileLayout& layout,
                   const std::vector<GroupMeta>& groups, Codec codec);

}  // namespace headrace::parquet_file
