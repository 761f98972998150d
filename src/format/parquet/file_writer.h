#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/bytes.h"
#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/row_group.h"

namespace headrace::parquet_file {

/// A Parquet file put together from row groups that have been encoded for its layout.
/// docs/formats/parquet.md says what readers find.
class FileWriter {
 public:
  /// `plan` outlives it; it may have grown since the layout was made.
  FileWriter(const jsonl::Plan& plan, std::shared_ptr<const FileLayout> layout, Codec codec);

  void add(RowGroup group);
  /// Makes `layout` the file's, if it has the columns that the file has and more behind them: the
  /// rows so far have nothing there. False, and nothing done, if it has others.
  bool extend(std::shared_ptr<const FileLayout> layout);
  /// Room for a file of so many bytes, so that growing moves nothing. Memory that is not written to
  /// costs only addresses.
  void reserve(std::uint64_t bytes) { bytes_.reserve(static_cast<std::size_t>(bytes)); }
  /// Bytes so far, and those of them that are still here.
  std::uint64_t size() const { return taken_ + bytes_.size(); }
  std::uint64_t memory() const { return bytes_.size(); }
  /// The bytes that have been added since the last call. finish() then gives the rest.
  Bytes take();
  const FileLayout& layout() const { return *layout_; }
  /// Ends the file. `partition` is left for the caller to fill in. No call may follow.
  ParquetFile finish();

 private:
  std::shared_ptr<const FileLayout> layout_;
  Stats stats_;
  Codec codec_;
  std::vector<GroupMeta> groups_;
  Bytes bytes_;
  std::uint64_t taken_ = 0;
};

}  // namespace headrace::parquet_file
