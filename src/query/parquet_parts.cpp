#include "query/parquet_parts.h"

#include <arrow/array/data.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "format/arrow_schema.h"
#include "table/delta/arrow_errors.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kGroupBytes = 64u << 20;  // Of a row group's rows in memory.
constexpr std::int64_t kGroupRows = 122'880;      // As files of new rows have them.
// A dictionary of values that hardly repeat takes more than it saves.
constexpr std::int64_t kDictionaryBytes = 256 << 10;

template <class Result>
auto written(Result result, const fs::path& path) {
  return delta::check(std::move(result), ErrorKind::kTransient, path.string());
}

arrow::Compression::type codec_of(const std::string& name) {
  const auto named = arrow::util::Codec::GetCompressionType(name);
  const bool known = named.ok() && arrow::util::Codec::IsAvailable(*named);
  return known ? *named : arrow::Compression::ZSTD;
}

std::shared_ptr<parquet::WriterProperties> writer_properties(const std::string& codec) {
  return parquet::WriterProperties::Builder()
      .compression(codec_of(codec))
      ->max_row_group_length(kGroupRows)
      ->dictionary_pagesize_limit(kDictionaryBytes)
      ->enable_write_page_index()
      ->build();
}

/// The same values under the names, field ids and nullability of `type`.
std::shared_ptr<arrow::ArrayData> named_as(const arrow::ArrayData& values,
                                           const std::shared_ptr<arrow::DataType>& type) {
  const bool same = values.type->id() == type->id() &&
                    values.child_data.size() == static_cast<std::size_t>(type->num_fields()) &&
                    (type->num_fields() > 0 || values.type->Equals(*type));
  if (!same) {
    throw Error(ErrorKind::kBug, fmt::format("the SQL engine gives {} where {} is to be written",
                                             values.type->ToString(), type->ToString()));
  }
  auto out = values.Copy();
  out->type = type;
  for (int i = 0; i < type->num_fields(); ++i) {
    auto& child = out->child_data[static_cast<std::size_t>(i)];
    child = named_as(*child, type->field(i)->type());
  }
  return out;
}

/// An engine's error record, thrown if it holds one.
void check_engine(duckdb_error_data owned) {
  const bool failed = owned != nullptr && duckdb_error_data_has_error(owned);
  const std::string message = failed ? duckdb_error_data_message(owned) : "";
  duckdb_destroy_error_data(&owned);
  if (failed) throw engine_error(message);
}

/// Chunks of the engine as Arrow has them, with the columns of `schema`.
class ArrowChunks {
 public:
  ArrowChunks(Engine& engine, std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {
    duckdb_connection_get_arrow_options(engine.connection(), &options_);
  }
  ~ArrowChunks() { duckdb_destroy_arrow_options(&options_); }
  ArrowChunks(const ArrowChunks&) = delete;
  ArrowChunks& operator=(const ArrowChunks&) = delete;

  std::shared_ptr<arrow::RecordBatch> batch(duckdb_data_chunk chunk) {
    if (!theirs_) theirs_ = their_schema(chunk);
    ArrowArray raw{};
    check_engine(duckdb_data_chunk_to_arrow(options_, chunk, &raw));
    const auto batch =
        delta::check(arrow::ImportRecordBatch(&raw, theirs_), ErrorKind::kBug, "a chunk of rows");
    if (batch->num_columns() != schema_->num_fields()) {
      throw Error(ErrorKind::kBug, fmt::format("{} columns are given to write {}",
                                               batch->num_columns(), schema_->num_fields()));
    }
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      columns.push_back(named_as(*batch->column_data(i), schema_->field(i)->type()));
    }
    return arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
  }

 private:
  std::shared_ptr<arrow::Schema> their_schema(duckdb_data_chunk chunk) const {
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(chunk); ++i) {
      types.push_back(duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(chunk, i)));
      names.push_back("");
    }
    ArrowSchema raw{};
    const duckdb_error_data told =
        duckdb_to_arrow_schema(options_, types.data(), names.data(), types.size(), &raw);
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
    check_engine(told);
    return delta::check(arrow::ImportSchema(&raw), ErrorKind::kBug, "the columns of a chunk");
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema> theirs_;
  duckdb_arrow_options options_ = nullptr;
};

/// The files, one after the other.
class Parts {
 public:
  Parts(std::shared_ptr<arrow::Schema> schema, const fs::path& folder, const PartOptions& options)
      : schema_(std::move(schema)),
        folder_(folder),
        options_(options),
        group_limit_(std::min(kGroupBytes, options.cut_bytes.value_or(kGroupBytes))) {}

  void add(std::shared_ptr<arrow::RecordBatch> batch) {
    if (batch->num_rows() == 0) return;
    const auto bytes = static_cast<std::uint64_t>(arrow::util::TotalBufferSize(*batch));
    if (group_rows_ + batch->num_rows() > kGroupRows || group_bytes_ + bytes > group_limit_) {
      write_group();
    }
    group_rows_ += batch->num_rows();
    group_bytes_ += bytes;
    group_.push_back(std::move(batch));
  }

  std::vector<fs::path> finish() {
    write_group();
    if (writer_) close();
    return std::move(paths_);
  }

 private:
  const fs::path& path() const { return paths_.back(); }

  void open() {
    paths_.push_back(folder_ / fmt::format("part-{}.parquet", paths_.size()));
    file_ = written(arrow::io::FileOutputStream::Open(path().string()), path());
    writer_ = written(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(),
                                                       file_, writer_properties(options_.codec)),
                      path());
  }

  /// What was gathered becomes a row group; if the file is then large enough, it is the last.
  void write_group() {
    if (group_.empty()) return;
    if (!writer_) open();
    const auto table = delta::check(arrow::Table::FromRecordBatches(schema_, group_),
                                    ErrorKind::kBug, path().string());
    written(writer_->WriteTable(*table, table->num_rows()), path());
    group_.clear();
    group_rows_ = 0;
    group_bytes_ = 0;
    const auto size = static_cast<std::uint64_t>(written(file_->Tell(), path()));
    if (options_.cut_bytes && size >= *options_.cut_bytes) close();
  }

  void close() {
    written(writer_->Close(), path());
    written(file_->Close(), path());
    writer_.reset();
  }

  std::shared_ptr<arrow::Schema> schema_;
  const fs::path& folder_;
  const PartOptions& options_;
  const std::uint64_t group_limit_;
  std::vector<fs::path> paths_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  arrow::RecordBatchVector group_;
  std::int64_t group_rows_ = 0;
  std::uint64_t group_bytes_ = 0;
};

}  // namespace

std::vector<fs::path> write_parquet_parts(Engine& engine, const std::string& sql,
                                          const Schema& schema, const fs::path& folder,
                                          const PartOptions& options) {
  const auto columns = to_arrow(schema);
  ArrowChunks chunks(engine, columns);
  Parts parts(columns, folder, options);
  engine.stream_chunks(sql, [&](duckdb_data_chunk chunk) { parts.add(chunks.batch(chunk)); });
  return parts.finish();
}

}  // namespace headrace
