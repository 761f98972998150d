#include "format/columnar/columnar_lines.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <exception>
#include <new>
#include <utility>

#include "core/error.h"
#include "format/columnar/json_of_array.h"

namespace headrace {
namespace {

constexpr std::int64_t kBatchRows = 4'096;

}  // namespace

class ColumnarLines::Impl {
 public:
  Impl(Bytes file, std::uint64_t memory)
      : file_(std::move(file)),
        memory_(memory),
        counted_(arrow::default_memory_pool()),
        pool_(&counted_, static_cast<std::int64_t>(memory)) {
    guarded([&] {
      const auto source = std::make_shared<arrow::io::BufferReader>(
          std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(file_.data()),
                                          static_cast<std::int64_t>(file_.size())));
      if (BytesView(file_).starts_with("PAR1")) {
        open_parquet(source);
      } else {
        open_orc(source);
      }
    });
    if (batches_->schema()->num_fields() == 0) {
      throw Error(ErrorKind::kInvalid, fmt::format("the {} file has no columns", what_));
    }
    check_json_form(*batches_->schema());
  }

  Bytes next() {
    std::string out;
    guarded([&] {
      while (out.empty()) {
        std::shared_ptr<arrow::RecordBatch> batch;
        check(batches_->ReadNext(&batch));
        if (!batch) break;
        check(batch->Validate());
        append_json_lines(out, *batch);
      }
    });
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("the {} file cannot be read: {}", what_, why));
  }
  [[noreturn]] void fail_for_memory() const {
    throw Error(ErrorKind::kInvalid,
                fmt::format("the {} file takes more than {} bytes to unpack, the limit: it is "
                            "damaged, or to be written in smaller pieces",
                            what_, memory_));
  }
  void check(const arrow::Status& status) const {
    if (status.IsOutOfMemory()) fail_for_memory();
    if (!status.ok()) fail(status.ToString());
  }
  template <class T>
  T of(arrow::Result<T> result) const {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }
  /// The libraries throw what they do not return.
  template <class Work>
  void guarded(Work work) const try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail_for_memory();
  } catch (const parquet::ParquetStatusException& error) {
    check(error.status());
    fail(error.what());
  } catch (const std::exception& error) {
    fail(error.what());
  }

  void open_parquet(const std::shared_ptr<arrow::io::BufferReader>& source) {
    parquet::arrow::FileReaderBuilder builder;
    check(builder.Open(source, parquet::ReaderProperties(&pool_)));
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(kBatchRows);
    builder.memory_pool(&pool_)->properties(properties);
    parquet_ = of(builder.Build());
    batches_ = of(parquet_->GetRecordBatchReader());
  }
  void open_orc(const std::shared_ptr<arrow::io::BufferReader>& source) {
    what_ = "ORC";
    orc_ = of(arrow::adapters::orc::ORCFileReader::Open(source, &pool_));
    batches_ = of(orc_->GetRecordBatchReader(kBatchRows, std::vector<std::string>()));
  }

  Bytes file_;
  std::uint64_t memory_;
  arrow::ProxyMemoryPool counted_;  // What this file takes, of what all together do.
  arrow::CappedMemoryPool pool_;
  const char* what_ = "Parquet";
  std::unique_ptr<parquet::arrow::FileReader> parquet_;
  std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
};

ColumnarLines::ColumnarLines(Bytes file, std::uint64_t memory)
    : impl_(std::make_unique<Impl>(std::move(file), memory)) {}
ColumnarLines::~ColumnarLines() = default;
ColumnarLines::ColumnarLines(ColumnarLines&&) noexcept = default;
Bytes ColumnarLines::next() { return impl_->next(); }

bool is_columnar(BytesView start) { return start.starts_with("PAR1") || start.starts_with("ORC"); }

}  // namespace headrace
