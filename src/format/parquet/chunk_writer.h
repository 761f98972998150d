#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/bounds.h"
#include "format/parquet/columns.h"
#include "format/parquet/footer.h"

namespace headrace::parquet_file {

/// Writes one column's part of a row group: V1 pages of about 1 MiB, packed by one compressor that
/// serves all of them. Values that repeat go through a dictionary, other whole numbers as
/// distances, other texts as lengths and bytes, the rest as they are. One thread at a time.
class ChunkWriter {
 public:
  ChunkWriter(Codec codec, int level);
  ~ChunkWriter();

  /// Appends the column to `group`, the bytes of its row group, and tells its bounds.
  ChunkMeta write(Columns& columns, const Column& column, const LeafLayout& leaf, Bytes& group,
                  Bounds& bounds);

 private:
  class Packer;
  struct Layout;

  Layout layout_of(const Column& column, const LeafLayout& leaf);
  template <class T>
  bool build_dictionary(std::span<const T> values);
  void write_page(bool dictionary, const Layout& layout, std::size_t values, Bytes& group,
                  ChunkMeta& chunk);
  void write_data_pages(const Columns& columns, const Column& column, const LeafLayout& leaf,
                        const Layout& layout, Bytes& group, ChunkMeta& chunk, Bounds& bounds);
  std::size_t begin_page(const Column& column, std::size_t begin, std::size_t end, PageMeta& page);
  void append_values(const Column& column, const Layout& layout, std::size_t first,
                     std::size_t count);

  std::unique_ptr<Packer> packer_;
  Buffer<std::uint8_t> levels_;
  Buffer<std::uint32_t> indices_;
  std::string dictionary_;
  std::string page_;
  std::size_t text_at_ = 0;  // Where the next page's texts begin.
  std::int64_t rows_ = 0;    // Of the pages so far.
};

/// Appends a chunk of `rows` rows that have nothing in a column to `out`, whose end is `begin`
/// bytes behind the beginning of the row group.
ChunkMeta append_empty_chunk(Bytes& out, std::int64_t begin, const LeafLayout& leaf,
                             std::int64_t rows);

}  // namespace headrace::parquet_file
