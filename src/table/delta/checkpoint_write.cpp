#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "core/error.h"
#include "table/delta/arrow_errors.h"
#include "table/delta/checkpoint.h"

namespace headrace::delta {
namespace {

constexpr std::size_t kRowsPerGroup = 16'384;
constexpr std::size_t kTextPerGroup = 8u << 20;  // Of statistics, which are most of a checkpoint.
constexpr std::size_t kPiece = 1u << 20;
constexpr std::string_view kName = "checkpoint";

void check(const arrow::Status& status) { delta::check(status, ErrorKind::kBug, kName); }

using arrow::field;
using TypePtr = std::shared_ptr<arrow::DataType>;

TypePtr text_map() { return arrow::map(arrow::utf8(), arrow::utf8()); }
// Spark and others look for the element by this name.
TypePtr text_list() { return arrow::list(field("element", arrow::utf8())); }

TypePtr deletion_vector_type() {
  return arrow::struct_({field("storageType", arrow::utf8()),
                         field("pathOrInlineDv", arrow::utf8()), field("offset", arrow::int32()),
                         field("sizeInBytes", arrow::int32()), field("cardinality", arrow::int64()),
                         field("maxRowIndex", arrow::int64())});
}

TypePtr add_type() {
  return arrow::struct_({field("path", arrow::utf8()), field("partitionValues", text_map()),
                         field("size", arrow::int64()), field("modificationTime", arrow::int64()),
                         field("dataChange", arrow::boolean()), field("stats", arrow::utf8()),
                         field("tags", text_map()), field("deletionVector", deletion_vector_type()),
                         field("baseRowId", arrow::int64()),
                         field("defaultRowCommitVersion", arrow::int64()),
                         field("clusteringProvider", arrow::utf8())});
}

TypePtr remove_type() {
  return arrow::struct_(
      {field("path", arrow::utf8()), field("deletionTimestamp", arrow::int64()),
       field("dataChange", arrow::boolean()), field("extendedFileMetadata", arrow::boolean()),
       field("partitionValues", text_map()), field("size", arrow::int64()),
       field("deletionVector", deletion_vector_type()), field("baseRowId", arrow::int64()),
       field("defaultRowCommitVersion", arrow::int64())});
}

TypePtr metadata_type() {
  return arrow::struct_(
      {field("id", arrow::utf8()), field("name", arrow::utf8()),
       field("description", arrow::utf8()),
       field("format",
             arrow::struct_({field("provider", arrow::utf8()), field("options", text_map())})),
       field("schemaString", arrow::utf8()), field("partitionColumns", text_list()),
       field("configuration", text_map()), field("createdTime", arrow::int64())});
}

TypePtr protocol_type() {
  return arrow::struct_(
      {field("minReaderVersion", arrow::int32()), field("minWriterVersion", arrow::int32()),
       field("readerFeatures", text_list()), field("writerFeatures", text_list())});
}

std::shared_ptr<arrow::Schema> checkpoint_schema() {
  return arrow::schema(
      {field("txn", arrow::struct_({field("appId", arrow::utf8()), field("version", arrow::int64()),
                                    field("lastUpdated", arrow::int64())})),
       field("add", add_type()), field("remove", remove_type()), field("metaData", metadata_type()),
       field("protocol", protocol_type()),
       field("domainMetadata",
             arrow::struct_({field("domain", arrow::utf8()), field("configuration", arrow::utf8()),
                             field("removed", arrow::boolean())}))});
}

enum Column : int { kTxn, kAdd, kRemove, kMetadata, kProtocol, kDomain };

/// Fills the members of one struct in their order.
class StructWriter {
 public:
  explicit StructWriter(arrow::ArrayBuilder* builder)
      : builder_(static_cast<arrow::StructBuilder*>(builder)) {
    check(builder_->Append());
  }

  StructWriter& text(std::string_view value) {
    check(next<arrow::StringBuilder>()->Append(value));
    return *this;
  }
  StructWriter& text(const std::string& value) { return text(std::string_view(value)); }
  StructWriter& text(const std::optional<std::string>& value) {
    return value ? text(std::string_view(*value)) : null();
  }
  StructWriter& number(std::int64_t value) {
    check(next<arrow::Int64Builder>()->Append(value));
    return *this;
  }
  StructWriter& number(const std::optional<std::int64_t>& value) {
    return value ? number(*value) : null();
  }
  StructWriter& number32(std::int32_t value) {
    check(next<arrow::Int32Builder>()->Append(value));
    return *this;
  }
  StructWriter& boolean(bool value) {
    check(next<arrow::BooleanBuilder>()->Append(value));
    return *this;
  }
  StructWriter& null() {
    check(next<arrow::ArrayBuilder>()->AppendNull());
    return *this;
  }
  template <class Map>
  StructWriter& map(const Map& values) {
    auto* builder = next<arrow::MapBuilder>();
    check(builder->Append());
    auto* items = static_cast<arrow::StringBuilder*>(builder->item_builder());
    for (const auto& [key, value] : values) {
      check(static_cast<arrow::StringBuilder*>(builder->key_builder())->Append(key));
      append_item(items, value);
    }
    return *this;
  }
  StructWriter& list(const std::optional<std::vector<std::string>>& values) {
    if (!values) return null();
    auto* builder = next<arrow::ListBuilder>();
    check(builder->Append());
    for (const std::string& value : *values) {
      check(static_cast<arrow::StringBuilder*>(builder->value_builder())->Append(value));
    }
    return *this;
  }
  StructWriter inner() { return StructWriter(next<arrow::ArrayBuilder>()); }

 private:
  template <class Builder>
  Builder* next() {
    return static_cast<Builder*>(builder_->field_builder(at_++));
  }
  static void append_item(arrow::StringBuilder* items, const std::string& value) {
    check(items->Append(value));
  }
  static void append_item(arrow::StringBuilder* items, const std::optional<std::string>& value) {
    check(value ? items->Append(*value) : items->AppendNull());
  }

  arrow::StructBuilder* builder_;
  int at_ = 0;
};

void write_deletion_vector(StructWriter& out, const std::optional<DeletionVector>& vector) {
  // Absent must be a null struct: a struct of empty members would be a vector for some readers.
  if (!vector) {
    out.null();
    return;
  }
  StructWriter inner = out.inner();
  inner.text(vector->storage_type).text(vector->path_or_inline_dv);
  if (vector->offset) {
    inner.number32(*vector->offset);
  } else {
    inner.null();
  }
  inner.number32(vector->size_in_bytes).number(vector->cardinality);
  inner.number(vector->max_row_index);
}

/// Rows on their way into one row group: one column per action kind, all but one null in a row.
class Rows {
 public:
  Rows() : schema_(checkpoint_schema()) {
    for (const auto& column : schema_->fields()) {
      builders_.push_back(
          delta::check(arrow::MakeBuilder(column->type(), arrow::default_memory_pool()),
                       ErrorKind::kBug, kName));
    }
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  std::size_t size() const { return size_; }
  bool full() const { return size_ >= kRowsPerGroup || text_ >= kTextPerGroup; }

  void write(const Protocol& protocol) {
    StructWriter out = start(kProtocol);
    out.number32(protocol.min_reader_version).number32(protocol.min_writer_version);
    out.list(protocol.reader_features).list(protocol.writer_features);
  }
  void write(const Metadata& metadata) {
    StructWriter out = start(kMetadata);
    out.text(metadata.id).text(metadata.name).text(metadata.description);
    out.inner().text(metadata.provider).map(metadata.options);
    out.text(metadata.schema_string).list(metadata.partition_columns);
    out.map(metadata.configuration).number(metadata.created_time);
  }
  void write(const Transaction& transaction) {
    start(kTxn)
        .text(transaction.app_id)
        .number(transaction.version)
        .number(transaction.last_updated);
  }
  void write(const DomainMetadata& domain) {
    start(kDomain).text(domain.domain).text(domain.configuration).boolean(domain.removed);
  }
  void write(const AddFile& file) {
    StructWriter out = start(kAdd);
    out.text(file.path).map(file.partition_values).number(static_cast<std::int64_t>(file.size));
    out.number(file.modification_time).boolean(false);
    if (file.stats.empty()) {
      out.null();
    } else {
      out.text(file.stats);
    }
    if (file.tags.empty()) {
      out.null();
    } else {
      out.map(file.tags);
    }
    write_deletion_vector(out, file.deletion_vector);
    out.number(file.base_row_id).number(file.default_row_commit_version);
    out.text(file.clustering_provider);
    text_ += file.stats.size();
  }
  void write(const RemoveFile& file) {
    StructWriter out = start(kRemove);
    out.text(file.path).number(file.deletion_timestamp).boolean(file.data_change);
    out.boolean(file.partition_values.has_value());
    if (file.partition_values) {
      out.map(*file.partition_values);
    } else {
      out.null();
    }
    out.number(file.size ? std::optional(static_cast<std::int64_t>(*file.size)) : std::nullopt);
    write_deletion_vector(out, file.deletion_vector);
    out.number(file.base_row_id).number(file.default_row_commit_version);
  }

  std::shared_ptr<arrow::Table> take() {
    arrow::ArrayVector columns;
    for (const auto& builder : builders_) {
      columns.push_back(delta::check(builder->Finish(), ErrorKind::kBug, kName));
    }
    const auto rows = static_cast<std::int64_t>(std::exchange(size_, 0));
    text_ = 0;
    return arrow::Table::Make(schema_, std::move(columns), rows);
  }

 private:
  StructWriter start(Column column) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (static_cast<int>(i) != column) check(builders_[i]->AppendNull());
    }
    ++size_;
    return StructWriter(builders_[static_cast<std::size_t>(column)].get());
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::size_t size_ = 0;
  std::size_t text_ = 0;
};

/// Where the Parquet writer puts its bytes until they are fetched.
class Outlet final : public arrow::io::OutputStream {
 public:
  arrow::Status Write(const void* data, std::int64_t size) override {
    bytes.append(static_cast<const char*>(data), static_cast<std::size_t>(size));
    position_ += size;
    return arrow::Status::OK();
  }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

  Bytes bytes;

 private:
  std::int64_t position_ = 0;
  bool closed_ = false;
};

std::shared_ptr<parquet::WriterProperties> writer_properties() {
  // No dictionary and V1 pages: some readers of checkpoints know nothing else.
  return parquet::WriterProperties::Builder()
      .disable_dictionary()
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->compression(parquet::Compression::SNAPPY)
      ->build();
}

}  // namespace

class CheckpointSource::Impl {
 public:
  explicit Impl(const TableState& state)
      : state_(state),
        file_(state.files().begin()),
        tombstone_(state.tombstones().begin()),
        outlet_(std::make_shared<Outlet>()) {
    writer_ =
        delta::check(parquet::arrow::FileWriter::Open(*rows_.schema(), arrow::default_memory_pool(),
                                                      outlet_, writer_properties()),
                     ErrorKind::kBug, kName);
  }

  /// Encodes until there is something to give, or all is done.
  void encode() {
    while (!done_ && outlet_->bytes.size() < kPiece) {
      fill();
      if (rows_.size() > 0) {
        summary.size += rows_.size();
        const auto table = rows_.take();
        check(writer_->WriteTable(*table, table->num_rows()));
        continue;
      }
      check(writer_->Close());
      done_ = true;
    }
  }

  Bytes take() {
    Bytes piece = std::move(outlet_->bytes);
    outlet_->bytes.clear();
    if (piece.size() > kPiece) {
      outlet_->bytes = piece.substr(kPiece);
      piece.resize(kPiece);
    }
    summary.size_in_bytes += piece.size();
    return piece;
  }

  LastCheckpoint summary;

 private:
  void fill() {
    if (!std::exchange(head_written_, true)) {
      rows_.write(state_.protocol());
      rows_.write(state_.metadata());
      for (const auto& [app_id, transaction] : state_.transactions()) rows_.write(transaction);
      for (const auto& [name, domain] : state_.domains()) rows_.write(domain);
    }
    for (; !rows_.full() && file_ != state_.files().end(); ++file_) rows_.write(file_->second);
    for (; !rows_.full() && tombstone_ != state_.tombstones().end(); ++tombstone_) {
      rows_.write(tombstone_->second);
    }
  }

  const TableState& state_;
  TableState::Files::const_iterator file_;
  TableState::Tombstones::const_iterator tombstone_;
  bool head_written_ = false;
  bool done_ = false;
  Rows rows_;
  std::shared_ptr<Outlet> outlet_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

CheckpointSource::CheckpointSource(const TableState& state, CpuPool* cpu)
    : impl_(std::make_unique<Impl>(state)), cpu_(cpu) {
  impl_->summary.version = state.version;
  impl_->summary.num_of_add_files = state.files().size();
}

CheckpointSource::~CheckpointSource() = default;

Task<Bytes> CheckpointSource::read() {
  auto encode = [this] { impl_->encode(); };
  if (cpu_ != nullptr) {
    co_await run_on(*cpu_, encode);
  } else {
    encode();
  }
  co_return impl_->take();
}

const LastCheckpoint& CheckpointSource::summary() const { return impl_->summary; }

}  // namespace headrace::delta
