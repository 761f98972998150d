#include "format/parquet/file_writer.h"

#include <arrow/io/interfaces.h>
#include <arrow/status.h>
#include <fmt/format.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "core/error.h"
#include "core/hash.h"
#include "format/parquet/parquet_schema.h"
#include "format/parquet/stats.h"

namespace headrace::parquet_file {
namespace {

constexpr std::int64_t kPageBytes = 1 << 20;
constexpr std::int64_t kDictionaryBytes = 1 << 20;
constexpr std::int64_t kBatchValues = 16'384;
constexpr std::size_t kSample = 2'048;

/// Arrow's stream into our own bytes.
class BytesStream final : public arrow::io::OutputStream {
 public:
  arrow::Status Write(const void* data, std::int64_t size) override {
    bytes.append(static_cast<const char*>(data), static_cast<std::size_t>(size));
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<std::int64_t> Tell() const override {
    return static_cast<std::int64_t>(bytes.size());
  }
  bool closed() const override { return closed_; }

  Bytes bytes;

 private:
  bool closed_ = false;
};

/// Every so many-th value of a column, hashed: how many of them differ?
template <class HashOf>
double distinct_share(std::size_t values, HashOf hash_of) {
  const std::size_t step = std::max<std::size_t>(1, values / kSample);
  std::unordered_set<std::uint64_t> distinct;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < values; i += step, ++looked_at) distinct.insert(hash_of(i));
  return static_cast<double>(distinct.size()) /
         static_cast<double>(std::max<std::size_t>(1, looked_at));
}

double distinct_share(const Column& column) {
  const auto bits = [](const auto& buffer) {
    return distinct_share(buffer.size(), [&](std::size_t i) {
      const auto value = buffer[i];
      return hash64({reinterpret_cast<const char*>(&value), sizeof value});
    });
  };
  switch (column.physical) {
    case Physical::kInt32:
      return bits(column.ints);
    case Physical::kInt64:
      return bits(column.longs);
    case Physical::kFloat:
      return bits(column.floats);
    case Physical::kDouble:
      return bits(column.doubles);
    case Physical::kText:
    case Physical::kWide: {
      std::vector<std::size_t> starts(column.lengths.size());
      std::size_t at = 0;
      for (std::size_t i = 0; i < starts.size(); at += column.lengths[i++]) starts[i] = at;
      return distinct_share(starts.size(), [&](std::size_t i) {
        return hash64({column.text.data() + starts[i], column.lengths[i]});
      });
    }
    case Physical::kBool:
    case Physical::kNone:
      return 1;
  }
  return 1;
}

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
  Impl(const jsonl::Plan& plan, const Schema& schema, Columns& first, Codec codec, int level)
      : version_(plan.version()), stats_(plan), sink_(std::make_shared<BytesStream>()) {
    std::vector<Field> stored;
    const jsonl::Node& root = plan.root();
    for (std::size_t i = 0; i < root.children.size(); ++i) {
      if (!is_stored(*root.children[i])) continue;
      stored.push_back(schema.fields[i]);
      collect_leaves(*root.children[i]);
    }
    const auto nodes = parquet_schema(stored);
    writer_ =
        parquet::ParquetFileWriter::Open(sink_, nodes, properties(nodes, first, codec, level));
  }

  void write(Columns& columns) {
    stats_.add(columns);
    auto* group = writer_->AppendRowGroup();
    for (const std::uint32_t leaf : leaves_) {
      write_leaf(*group->NextColumn(), columns, columns.at(leaf));
    }
    group->Close();
  }

  std::uint64_t size() const { return sink_->bytes.size(); }
  std::uint32_t version() const { return version_; }

  ParquetFile finish() {
    writer_->Close();
    ParquetFile file;
    file.bytes = std::move(sink_->bytes);
    file.rows = stats_.rows();
    file.stats = stats_.json();
    return file;
  }

 private:
  void collect_leaves(const jsonl::Node& node) {
    if (physical_of(node) != Physical::kNone) leaves_.push_back(node.id);
    for (const jsonl::Node* child : node.children) collect_leaves(*child);
  }

  /// Dictionaries where values repeat; else what suits numbers in a row, or nothing.
  std::shared_ptr<parquet::WriterProperties> properties(
      const std::shared_ptr<parquet::schema::GroupNode>& nodes, Columns& first, Codec codec,
      int level) {
    parquet::WriterProperties::Builder builder;
    builder.version(parquet::ParquetVersion::PARQUET_2_6)
        ->data_page_version(parquet::ParquetDataPageVersion::V1)
        ->created_by("headrace")
        ->data_pagesize(kPageBytes)
        ->dictionary_pagesize_limit(kDictionaryBytes)
        ->write_batch_size(kBatchValues)
        ->compression(compression_of(codec))
        ->disable_dictionary();
    if (codec == Codec::kZstd) builder.compression_level(level);
    parquet::SchemaDescriptor descriptor;
    descriptor.Init(nodes);
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const auto path = descriptor.Column(static_cast<int>(i))->path();
      const Column& column = first.at(leaves_[i]);
      const bool whole = column.physical == Physical::kInt32 || column.physical == Physical::kInt64;
      const double most = whole ? kWholeDictionaryShare : kDictionaryShare;
      if (column.values() == 0 || distinct_share(column) < most) {
        if (column.physical != Physical::kBool) builder.enable_dictionary(path);
      }
      if (whole) builder.encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
    }
    return builder.build();
  }

  template <class Type, class Value>
  void put(parquet::ColumnWriter& writer, const Column& column, const Value* values) {
    auto& typed = static_cast<parquet::TypedColumnWriter<Type>&>(writer);
    const auto* repetitions = column.space == nullptr ? nullptr : repetitions_.data();
    typed.WriteBatch(static_cast<std::int64_t>(levels_.size()), levels_.data(), repetitions,
                     values);
  }

  void write_leaf(parquet::ColumnWriter& writer, Columns& columns, Column& column) {
    columns.definition_levels(column, levels_);
    if (column.space != nullptr) widen_repetitions(*column.space);
    switch (column.physical) {
      case Physical::kBool:
        static_assert(sizeof(bool) == 1);
        put<parquet::BooleanType>(writer, column,
                                  reinterpret_cast<const bool*>(column.bools.data()));
        break;
      case Physical::kInt32:
        put<parquet::Int32Type>(writer, column, column.ints.data());
        break;
      case Physical::kInt64:
        put<parquet::Int64Type>(writer, column, column.longs.data());
        break;
      case Physical::kFloat:
        put<parquet::FloatType>(writer, column, column.floats.data());
        break;
      case Physical::kDouble:
        put<parquet::DoubleType>(writer, column, column.doubles.data());
        break;
      case Physical::kText:
        put<parquet::ByteArrayType>(writer, column, texts_of(column));
        break;
      case Physical::kWide:
        put<parquet::FLBAType>(writer, column, wides_of(column, writer.descr()->type_length()));
        break;
      case Physical::kNone:
        break;
    }
    writer.Close();
  }

  void widen_repetitions(const Column& space) {
    repetitions_.clear();
    std::int16_t* out = repetitions_.extend(space.repetitions.size());
    for (const std::uint8_t level : space.repetitions.view()) *out++ = level;
  }

  const parquet::ByteArray* texts_of(const Column& column) {
    texts_.clear();
    parquet::ByteArray* out = texts_.extend(column.lengths.size());
    const auto* at = reinterpret_cast<const std::uint8_t*>(column.text.data());
    for (const std::uint32_t length : column.lengths.view()) {
      *out++ = parquet::ByteArray(length, at);
      at += length;
    }
    return texts_.data();
  }

  /// Decimals are kept as 16 bytes; the file has only as many as the precision needs.
  const parquet::FixedLenByteArray* wides_of(const Column& column, int length) {
    wides_.clear();
    parquet::FixedLenByteArray* out = wides_.extend(column.lengths.size());
    const auto* at = reinterpret_cast<const std::uint8_t*>(column.text.data());
    for (std::size_t i = 0; i < column.lengths.size(); ++i, at += 16) {
      *out++ = parquet::FixedLenByteArray(at + 16 - length);
    }
    return wides_.data();
  }

  static constexpr double kDictionaryShare = 0.67;
  static constexpr double kWholeDictionaryShare = 0.5;

  std::uint32_t version_;
  Stats stats_;
  std::vector<std::uint32_t> leaves_;
  std::shared_ptr<BytesStream> sink_;
  std::unique_ptr<parquet::ParquetFileWriter> writer_;

  Buffer<std::int16_t> levels_;
  Buffer<std::int16_t> repetitions_;
  Buffer<parquet::ByteArray> texts_;
  Buffer<parquet::FixedLenByteArray> wides_;
};

FileWriter::FileWriter(const jsonl::Plan& plan, const Schema& schema, Columns& first, Codec codec,
                       int codec_level) try
    : impl_(std::make_unique<Impl>(plan, schema, first, codec, codec_level)) {
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

std::uint64_t FileWriter::size() const { return impl_->size(); }
std::uint32_t FileWriter::plan_version() const { return impl_->version(); }

ParquetFile FileWriter::finish() try {
  return impl_->finish();
} catch (const parquet::ParquetException& error) {
  fail(error);
}

}  // namespace headrace::parquet_file
