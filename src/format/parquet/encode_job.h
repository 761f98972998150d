#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>

#include "format/parquet/row_group.h"

namespace headrace::parquet_file {

/// Rows on their way to become a row group, on whichever thread gets there first: another one that
/// was told to run it, or the one that needs the result, if nobody has begun.
class EncodeJob {
 public:
  EncodeJob(std::unique_ptr<Columns> columns, std::shared_ptr<const FileLayout> layout,
            std::unique_ptr<ChunkWriter> writer)
      : columns_(std::move(columns)), layout_(std::move(layout)), writer_(std::move(writer)) {}

  /// Encodes, unless that has been begun. Never throws: result() does.
  void run() {
    {
      const std::lock_guard lock(mutex_);
      if (begun_) return;
      begun_ = true;
    }
    std::exception_ptr failure;
    RowGroup group;
    try {
      group = encode_row_group(*columns_, *layout_, *writer_);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    group_ = std::move(group);
    failure_ = failure;
    done_ = true;
    changed_.notify_all();
  }

  /// The row group: runs the job or waits for it. Throws what encoding threw.
  RowGroup result() {
    run();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    if (failure_) std::rethrow_exception(failure_);
    return std::move(group_);
  }

  /// Nobody needs the result any more.
  void abandon() {
    const std::lock_guard lock(mutex_);
    begun_ = true;
  }

  const std::shared_ptr<const FileLayout>& layout() const { return layout_; }
  /// For reuse, after result().
  std::unique_ptr<Columns> take_columns() { return std::move(columns_); }
  std::unique_ptr<ChunkWriter> take_writer() { return std::move(writer_); }

 private:
  std::unique_ptr<Columns> columns_;
  const std::shared_ptr<const FileLayout> layout_;
  std::unique_ptr<ChunkWriter> writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false;
  bool done_ = false;
  std::exception_ptr failure_;
  RowGroup group_;
};

}  // namespace headrace::parquet_file
