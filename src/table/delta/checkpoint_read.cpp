#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <array>
#include <exception>

#include "core/error.h"
#include "table/delta/arrow_errors.h"
#include "table/delta/arrow_json.h"
#include "table/delta/checkpoint.h"

namespace headrace::delta {
namespace {

constexpr std::int64_t kRowsPerPiece = 4'096;
constexpr std::int64_t kUnpacked = 1 << 30;  // Of a checkpoint at a time; a damaged page may lie.

constexpr std::string_view kParquet = "Parquet";

[[noreturn]] void corrupt(std::string_view column, std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("{}: {}", column, what));
}

/// One struct column, or a null one where the file has no such column. Members are looked up by
/// name; their types may be any that hold the value.
class StructColumn {
 public:
  StructColumn() = default;
  StructColumn(std::shared_ptr<arrow::Array> array, std::string name)
      : array_(std::move(array)), name_(std::move(name)) {
    if (!array_) return;
    if (array_->type_id() != arrow::Type::STRUCT) corrupt(name_, "is not a struct");
    const auto& inner = static_cast<const arrow::StructArray&>(*array_);
    for (int i = 0; i < inner.num_fields(); ++i) {
      members_.emplace_back(inner.type()->field(i)->name(), inner.field(i));
    }
  }

  bool has(std::int64_t row) const { return array_ && array_->IsValid(row); }

  StructColumn inner(std::string_view key) const {
    return StructColumn(member(key), fmt::format("{}.{}", name_, key));
  }

  std::optional<std::string> find_text(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    if (!column || column->IsNull(row)) return std::nullopt;
    return text_at(*column, row, key);
  }
  std::string text(std::string_view key, std::int64_t row) const {
    return need(find_text(key, row), key);
  }
  std::optional<std::int64_t> find_number(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    if (!column || column->IsNull(row)) return std::nullopt;
    switch (column->type_id()) {
      case arrow::Type::INT64:
        return static_cast<const arrow::Int64Array&>(*column).Value(row);
      case arrow::Type::INT32:
        return static_cast<const arrow::Int32Array&>(*column).Value(row);
      default:
        corrupt(name_, fmt::format("{} is not a whole number", key));
    }
  }
  std::int64_t number(std::string_view key, std::int64_t row) const {
    return need(find_number(key, row), key);
  }
  std::optional<bool> find_boolean(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    if (!column || column->IsNull(row)) return std::nullopt;
    if (column->type_id() != arrow::Type::BOOL) {
      corrupt(name_, fmt::format("{} is not a boolean", key));
    }
    return static_cast<const arrow::BooleanArray&>(*column).Value(row);
  }
  std::optional<NullableTexts> find_map(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    if (!column || column->IsNull(row)) return std::nullopt;
    if (column->type_id() != arrow::Type::MAP) corrupt(name_, fmt::format("{} is not a map", key));
    const auto& map = static_cast<const arrow::MapArray&>(*column);
    NullableTexts out;
    for (std::int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
      std::optional<std::string> value;
      if (map.items()->IsValid(i)) value = text_at(*map.items(), i, key);
      out.emplace(text_at(*map.keys(), i, key), std::move(value));
    }
    return out;
  }
  Texts texts(std::string_view key, std::int64_t row) const {
    Texts out;
    for (auto& [name, value] : find_map(key, row).value_or(NullableTexts{})) {
      if (value) out.emplace(name, std::move(*value));
    }
    return out;
  }
  std::optional<std::vector<std::string>> find_list(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    if (!column || column->IsNull(row)) return std::nullopt;
    if (column->type_id() != arrow::Type::LIST) {
      corrupt(name_, fmt::format("{} is not a list", key));
    }
    const auto& list = static_cast<const arrow::ListArray&>(*column);
    std::vector<std::string> out;
    for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
      out.push_back(text_at(*list.values(), i, key));
    }
    return out;
  }
  /// The value of a member as JSON; empty if it is null or not there.
  std::string json(std::string_view key, std::int64_t row) const {
    const auto column = member(key);
    return column && column->IsValid(row) ? arrow_json(*column, row) : std::string();
  }

 private:
  using Member = std::pair<std::string, std::shared_ptr<arrow::Array>>;

  std::shared_ptr<arrow::Array> member(std::string_view key) const {
    const auto found = std::ranges::find(members_, key, &Member::first);
    return found == members_.end() ? nullptr : found->second;
  }
  template <class T>
  T need(std::optional<T> value, std::string_view key) const {
    if (!value) corrupt(name_, fmt::format("{} is missing", key));
    return std::move(*value);
  }
  std::string text_at(const arrow::Array& column, std::int64_t row, std::string_view key) const {
    switch (column.type_id()) {
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        return std::string(static_cast<const arrow::BinaryArray&>(column).GetView(row));
      case arrow::Type::LARGE_STRING:
      case arrow::Type::LARGE_BINARY:
        return std::string(static_cast<const arrow::LargeBinaryArray&>(column).GetView(row));
      case arrow::Type::STRING_VIEW:
      case arrow::Type::BINARY_VIEW:
        return std::string(static_cast<const arrow::BinaryViewArray&>(column).GetView(row));
      default:
        corrupt(name_, fmt::format("{} is not text", key));
    }
  }

  std::shared_ptr<arrow::Array> array_;
  std::vector<Member> members_;
  std::string name_;
};

/// The action columns of some rows of a checkpoint.
class Piece {
 public:
  explicit Piece(const arrow::RecordBatch& batch) : rows_(batch.num_rows()) {
    const auto column = [&](const char* key) {
      return StructColumn(batch.GetColumnByName(key), key);
    };
    txn_ = column("txn");
    add_ = column("add");
    remove_ = column("remove");
    metadata_ = column("metaData");
    protocol_ = column("protocol");
    domain_ = column("domainMetadata");
    sidecar_ = column("sidecar");
    add_vector_ = add_.inner("deletionVector");
    remove_vector_ = remove_.inner("deletionVector");
    format_ = metadata_.inner("format");
  }

  Commit actions() const {
    Commit out;
    for (std::int64_t row = 0; row < rows_; ++row) {
      if (add_.has(row)) out.adds.push_back(add(row));
      if (remove_.has(row)) out.removes.push_back(remove(row));
      if (txn_.has(row)) {
        out.transactions.push_back({.app_id = txn_.text("appId", row),
                                    .version = txn_.number("version", row),
                                    .last_updated = txn_.find_number("lastUpdated", row)});
      }
      if (metadata_.has(row)) out.metadata = metadata(row);
      if (protocol_.has(row)) out.protocol = protocol(row);
      if (domain_.has(row)) {
        out.domains.push_back(
            {.domain = domain_.text("domain", row),
             .configuration = domain_.find_text("configuration", row).value_or(""),
             .removed = domain_.find_boolean("removed", row).value_or(false)});
      }
      if (sidecar_.has(row)) out.sidecars.push_back({.path = sidecar_.text("path", row)});
    }
    return out;
  }

 private:
  static std::optional<DeletionVector> vector(const StructColumn& column, std::int64_t row) {
    // Some writers put a struct of nulls where there is no vector.
    if (!column.has(row) || !column.find_text("storageType", row)) return std::nullopt;
    DeletionVector out;
    out.storage_type = column.text("storageType", row);
    out.path_or_inline_dv = column.text("pathOrInlineDv", row);
    if (const auto offset = column.find_number("offset", row)) {
      out.offset = static_cast<std::int32_t>(*offset);
    }
    out.size_in_bytes = static_cast<std::int32_t>(column.number("sizeInBytes", row));
    out.cardinality = column.number("cardinality", row);
    out.max_row_index = column.find_number("maxRowIndex", row);
    return out;
  }

  AddFile add(std::int64_t row) const {
    AddFile out;
    out.path = add_.text("path", row);
    out.partition_values = add_.find_map("partitionValues", row).value_or(PartitionValues{});
    out.size = static_cast<std::uint64_t>(add_.number("size", row));
    out.modification_time = add_.find_number("modificationTime", row).value_or(0);
    out.stats = add_.find_text("stats", row).value_or("");
    if (out.stats.empty()) out.stats = add_.json("stats_parsed", row);
    out.tags = add_.find_map("tags", row).value_or(NullableTexts{});
    out.deletion_vector = vector(add_vector_, row);
    out.base_row_id = add_.find_number("baseRowId", row);
    out.default_row_commit_version = add_.find_number("defaultRowCommitVersion", row);
    out.clustering_provider = add_.find_text("clusteringProvider", row);
    return out;
  }

  RemoveFile remove(std::int64_t row) const {
    RemoveFile out;
    out.path = remove_.text("path", row);
    out.deletion_timestamp = remove_.find_number("deletionTimestamp", row);
    out.data_change = remove_.find_boolean("dataChange", row).value_or(true);
    out.partition_values = remove_.find_map("partitionValues", row);
    if (const auto size = remove_.find_number("size", row)) {
      out.size = static_cast<std::uint64_t>(*size);
    }
    out.tags = remove_.find_map("tags", row).value_or(NullableTexts{});
    out.deletion_vector = vector(remove_vector_, row);
    out.base_row_id = remove_.find_number("baseRowId", row);
    out.default_row_commit_version = remove_.find_number("defaultRowCommitVersion", row);
    return out;
  }

  Metadata metadata(std::int64_t row) const {
    Metadata out;
    out.id = metadata_.text("id", row);
    out.name = metadata_.find_text("name", row);
    out.description = metadata_.find_text("description", row);
    if (format_.has(row)) {
      out.provider = format_.find_text("provider", row).value_or("parquet");
      out.options = format_.texts("options", row);
    }
    out.schema_string = metadata_.text("schemaString", row);
    out.partition_columns =
        metadata_.find_list("partitionColumns", row).value_or(std::vector<std::string>{});
    out.configuration = metadata_.texts("configuration", row);
    out.created_time = metadata_.find_number("createdTime", row);
    return out;
  }

  Protocol protocol(std::int64_t row) const {
    Protocol out;
    out.min_reader_version = static_cast<int>(protocol_.number("minReaderVersion", row));
    out.min_writer_version = static_cast<int>(protocol_.number("minWriterVersion", row));
    // Older writers leave empty lists where the versions have none.
    if (out.min_reader_version == 3)
      out.reader_features = protocol_.find_list("readerFeatures", row);
    if (out.min_writer_version == 7)
      out.writer_features = protocol_.find_list("writerFeatures", row);
    return out;
  }

  std::int64_t rows_;
  StructColumn txn_, add_, remove_, metadata_, protocol_, domain_, sidecar_;
  StructColumn add_vector_, remove_vector_, format_;
};

/// Leaves to read: those of the actions we know, without columns that repeat what is there as text.
std::vector<int> wanted_columns(const parquet::SchemaDescriptor& schema) {
  static constexpr std::array<std::string_view, 7> kActions = {
      "txn", "add", "remove", "metaData", "protocol", "domainMetadata", "sidecar"};
  bool stats_as_text = false;
  for (int i = 0; i < schema.num_columns(); ++i) {
    stats_as_text |= schema.Column(i)->path()->ToDotString() == "add.stats";
  }
  std::vector<int> wanted;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::vector<std::string> path = schema.Column(i)->path()->ToDotVector();
    if (std::ranges::find(kActions, path.front()) == kActions.end()) continue;
    const std::string_view second = path.size() > 1 ? std::string_view(path[1]) : "";
    if (second == "partitionValues_parsed") continue;
    if (second == "stats_parsed" && (stats_as_text || path.front() != "add")) continue;
    wanted.push_back(i);
  }
  return wanted;
}

void read_all_rows(std::shared_ptr<arrow::io::RandomAccessFile> file,
                   const std::function<void(Commit)>& take) {
  arrow::ProxyMemoryPool counted(arrow::default_memory_pool());  // This file's part of it.
  arrow::CappedMemoryPool pool(&counted, kUnpacked);
  const auto checked = [&](auto&& result) {
    if (result.status().IsOutOfMemory()) corrupt(kParquet, result.status().ToString());
    return check(std::forward<decltype(result)>(result), ErrorKind::kCorrupt, kParquet);
  };
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(kRowsPerPiece);
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(std::move(file), parquet::ReaderProperties(&pool)), ErrorKind::kCorrupt,
        kParquet);
  builder.memory_pool(&pool)->properties(properties);
  const std::unique_ptr<parquet::arrow::FileReader> reader = checked(builder.Build());
  const auto& metadata = *reader->parquet_reader()->metadata();
  const std::vector<int> columns = wanted_columns(*metadata.schema());
  if (columns.empty()) corrupt(kParquet, "holds no actions");
  std::vector<int> groups(static_cast<std::size_t>(metadata.num_row_groups()));
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
  const auto batches = checked(reader->GetRecordBatchReader(groups, columns));
  while (const std::shared_ptr<arrow::RecordBatch> batch = checked(batches->Next())) {
    check(batch->Validate(), ErrorKind::kCorrupt, kParquet);
    take(Piece(*batch).actions());
  }
}

}  // namespace

void read_checkpoint(Bytes parquet, const std::function<void(Commit)>& take) {
  try {
    const auto buffer = arrow::Buffer::FromString(std::move(parquet));
    read_all_rows(std::make_shared<arrow::io::BufferReader>(buffer), take);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // What the library throws and does not return.
    corrupt(kParquet, error.what());
  }
}

}  // namespace headrace::delta
