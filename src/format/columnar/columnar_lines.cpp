#include "format/columnar/columnar_lines.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include "core/error.h"
#include "format/columnar/json_of_array.h"

namespace headrace {
namespace {

constexpr std::int64_t kBatchRows = 4'096;

[[noreturn]] void fail(const char* what, const std::string& why) {
  throw Error(ErrorKind::kCorrupt, fmt::format("the {} file cannot be read: {}", what, why));
}

template <class T>
T of(arrow::Result<T> result, const char* what) {
  if (!result.ok()) fail(what, result.status().ToString());
  return std::move(result).ValueUnsafe();
}

}  // namespace

class ColumnarLines::Impl {
 public:
  explicit Impl(Bytes file) : file_(std::move(file)) {
    const auto source = std::make_shared<arrow::io::BufferReader>(
        std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(file_.data()),
                                        static_cast<std::int64_t>(file_.size())));
    if (BytesView(file_).starts_with("PAR1")) {
      open_parquet(source);
    } else {
      what_ = "ORC";
      auto reader = of(
          arrow::adapters::orc::ORCFileReader::Open(source, arrow::default_memory_pool()), what_);
      orc_ = std::move(reader);
      batches_ = of(orc_->GetRecordBatchReader(kBatchRows, std::vector<std::string>()), what_);
    }
    check_json_form(*batches_->schema());
  }

  Bytes next() try {
    std::string out;
    while (out.empty()) {
      std::shared_ptr<arrow::RecordBatch> batch;
      const auto status = batches_->ReadNext(&batch);
      if (!status.ok()) fail(what_, status.ToString());
      if (!batch) break;
      append_json_lines(out, *batch);
    }
    return out;
  } catch (const parquet::ParquetException& error) {
    fail(what_, error.what());
  }

 private:
  void open_parquet(const std::shared_ptr<arrow::io::BufferReader>& source) try {
    parquet::arrow::FileReaderBuilder builder;
    const auto status = builder.Open(source);
    if (!status.ok()) fail(what_, status.ToString());
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(kBatchRows);
    builder.properties(properties);
    parquet_ = of(builder.Build(), what_);
    batches_ = of(parquet_->GetRecordBatchReader(), what_);
  } catch (const parquet::ParquetException& error) {
    fail(what_, error.what());
  }

  Bytes file_;
  const char* what_ = "Parquet";
  std::unique_ptr<parquet::arrow::FileReader> parquet_;
  std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
};

ColumnarLines::ColumnarLines(Bytes file) : impl_(std::make_unique<Impl>(std::move(file))) {}
ColumnarLines::~ColumnarLines() = default;
ColumnarLines::ColumnarLines(ColumnarLines&&) noexcept = default;
Bytes ColumnarLines::next() { return impl_->next(); }

bool is_columnar(BytesView start) { return start.starts_with("PAR1") || start.starts_with("ORC"); }

}  // namespace headrace
