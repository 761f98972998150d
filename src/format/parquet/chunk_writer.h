#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/bounds.h"
#include "format/parquet/columns.h"

namespace parquet {
class ColumnChunkMetaDataBuilder;
}

namespace headrace::parquet_file {

/// Writes one column's part of a row group: V1 pages of about 1 MiB, packed by one compressor that
/// serves all of them. Values that repeat go through a dictionary, other whole numbers as
/// distances, other texts as lengths and bytes, the rest as they are.
class ChunkWriter {
 public:
  ChunkWriter(Codec codec, int level);
  ~ChunkWriter();

  /// Appends the column to `file` and tells `metadata` about it. Returns the bytes appended before
  /// compression.
  std::int64_t write(Columns& columns, const Column& column, const Bounds& bounds,
                     parquet::ColumnChunkMetaDataBuilder& metadata, Bytes& file);

 private:
  class Packer;
  struct Layout;
  struct Totals;

  Layout layout_of(const Column& column, int wide_bytes);
  template <class T>
  bool build_dictionary(std::span<const T> values);
  void write_page(bool dictionary, const Layout& layout, std::size_t values, Bytes& file,
                  Totals& totals);
  void write_data_pages(const Columns& columns, const Column& column, const Layout& layout,
                        Bytes& file, Totals& totals);
  void append_values(const Column& column, const Layout& layout, std::size_t first,
                     std::size_t count);

  std::unique_ptr<Packer> packer_;
  Buffer<std::uint8_t> levels_;
  Buffer<std::uint32_t> indices_;
  std::string dictionary_;
  std::string page_;
  std::size_t text_at_ = 0;  // Where the next page's texts begin.
};

}  // namespace headrace::parquet_file
