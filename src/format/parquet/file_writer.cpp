#include "format/parquet/file_writer.h"

#include <arrow/io/interfaces.h>
#include <arrow/status.h>
#include <fmt/format.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "core/error.h"
#include "format/parquet/chunk_writer.h"
#include "format/parquet/parquet_schema.h"
#include "format/parquet/stats.h"

namespace headrace::parquet_file {
namespace {

constexpr BytesView kMagic = "PAR1";

/// Appends to bytes that it does not own.
class BytesStream final : public arrow::io::OutputStream {
 public:
  explicit BytesStream(Bytes& bytes) : bytes_(bytes) {}
  arrow::Status Write(const void* data, std::int64_t size) override {
    bytes_.append(static_cast<const char*>(data), static_cast<std::size_t>(size));
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }
  arrow::Result<std::int64_t> Tell() const override {
    return static_cast<std::int64_t>(bytes_.size());
  }
  bool closed() const override { return false; }

 private:
  Bytes& bytes_;
};

parquet::Compression::type compression_of(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return parquet::Compression::UNCOMPRESSED;
    case Codec::kSnappy:
      return parquet::Compression::SNAPPY;
    case Codec::kZstd:
      return parquet::Compression::ZSTD;
  }
  return parquet::Compression::UNCOMPRESSED;
}

[[noreturn]] void fail(const std::exception& error) {
  throw Error(ErrorKind::kBug, fmt::format("writing Parquet: {}", error.what()));
}

}  // namespace

class FileWriter::Impl {
 public:
  Impl(const jsonl::Plan& plan, const Schema& schema, Codec codec, int level)
      : version_(plan.version()), stats_(plan), chunks_(codec, level), bytes_(kMagic) {
    std::vector<Field> stored;
    const jsonl::Node& root = plan.root();
    for (std::size_t i = 0; i < root.children.size(); ++i) {
      if (!is_stored(*root.children[i])) continue;
      stored.push_back(schema.fields[i]);
      collect_leaves(*root.children[i]);
    }
    descriptor_.Init(parquet_schema(stored));
    parquet::WriterProperties::Builder properties;
    properties.version(parquet::ParquetVersion::PARQUET_2_6)
        ->created_by("headrace")
        ->compression(compression_of(codec));
    metadata_ = parquet::FileMetaDataBuilder::Make(&descriptor_, properties.build());
  }

  void write(Columns& columns) {
    auto* group = metadata_->AppendRowGroup();
    group->set_num_rows(static_cast<std::int64_t>(columns.rows()));
    std::int64_t plain_bytes = 0;
    for (const std::uint32_t leaf : leaves_) {
      const Column& column = columns.at(leaf);
      const Bounds bounds = bounds_of(column);
      stats_.add(columns, column, bounds);
      plain_bytes += chunks_.write(columns, column, bounds, *group->NextColumnChunk(), bytes_);
    }
    for (const std::uint32_t list : stats_.lists()) {
      columns.complete(columns.at(list));
      stats_.add(columns, columns.at(list), {});
    }
    stats_.add_rows(columns.rows());
    group->Finish(plain_bytes, ordinal_++);
  }

  std::uint64_t size() const { return bytes_.size(); }
  std::uint32_t version() const { return version_; }
  void reserve(std::uint64_t bytes) { bytes_.reserve(static_cast<std::size_t>(bytes)); }

  ParquetFile finish() {
    BytesStream stream(bytes_);
    parquet::WriteFileMetaData(*metadata_->Finish(), &stream);
    ParquetFile file;
    file.bytes = std::move(bytes_);
    file.rows = stats_.rows();
    file.stats = stats_.json();
    return file;
  }

 private:
  void collect_leaves(const jsonl::Node& node) {
    if (physical_of(node) != Physical::kNone) leaves_.push_back(node.id);
    for (const jsonl::Node* child : node.children) collect_leaves(*child);
  }

  std::uint32_t version_;
  Stats stats_;
  std::vector<std::uint32_t> leaves_;
  parquet::SchemaDescriptor descriptor_;
  std::unique_ptr<parquet::FileMetaDataBuilder> metadata_;
  ChunkWriter chunks_;
  std::int16_t ordinal_ = 0;
  Bytes bytes_;
};

FileWriter::FileWriter(const jsonl::Plan& plan, const Schema& schema, Codec codec,
                       int codec_level) try
    : impl_(std::make_unique<Impl>(plan, schema, codec, codec_level)) {
} catch (const parquet::ParquetException& error) {
  fail(error);
}

FileWriter::~FileWriter() = default;
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&&) noexcept = default;

void FileWriter::write(Columns& columns) try {
  impl_->write(columns);
} catch (const parquet::ParquetException& error) {
  fail(error);
}

void FileWriter::reserve(std::uint64_t bytes) { impl_->reserve(bytes); }
std::uint64_t FileWriter::size() const { return impl_->size(); }
std::uint32_t FileWriter::plan_version() const { return impl_->version(); }

ParquetFile FileWriter::finish() try {
  return impl_->finish();
} catch (const parquet::ParquetException& error) {
  fail(error);
}

}  // namespace headrace::parquet_file
