#include "table/delta/checkpoint.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include "core/error.h"
#include "testing/run_task.h"

namespace headrace::delta {
namespace {

using testing::ElementsAre;
using testing::Pair;

Bytes encode(const TableState& state, LastCheckpoint* summary = nullptr) {
  CheckpointSource source(state, nullptr);
  Bytes bytes = run_task(read_all(source, 1u << 30));
  if (summary != nullptr) *summary = source.summary();
  return bytes;
}

TableState decode(Bytes bytes) {
  TableState state(1'000'000);
  read_checkpoint(std::move(bytes), [&](Commit part) { state.restore(std::move(part)); });
  return state;
}

Commit full_commit() {
  Commit commit;
  commit.protocol = Protocol{.min_reader_version = 3,
                             .min_writer_version = 7,
                             .reader_features = {{"timestampNtz"}},
                             .writer_features = {{"appendOnly", "timestampNtz"}}};
  Metadata metadata;
  metadata.id = "the-id";
  metadata.description = "d";
  metadata.schema_string = R"({"type":"struct","fields":[]})";
  metadata.partition_columns = {"p", "q"};
  metadata.configuration = {{"a", "b"}};
  metadata.created_time = 77;
  commit.metadata = metadata;
  AddFile plain;
  plain.path = "p=1/plain%2520";
  plain.partition_values = {{"p", "1"}, {"q", std::nullopt}};
  plain.size = 5;
  plain.modification_time = 6;
  plain.stats = R"({"numRecords":3})";
  AddFile rich = plain;
  rich.path = "rich";
  rich.tags = {{"t", "u"}, {"n", std::nullopt}};
  rich.deletion_vector = DeletionVector{.storage_type = "u",
                                        .path_or_inline_dv = "xyz",
                                        .offset = 3,
                                        .size_in_bytes = 4,
                                        .cardinality = 5};
  rich.base_row_id = 100;
  rich.default_row_commit_version = 2;
  rich.clustering_provider = "c";
  rich.stats = "";
  commit.adds = {plain, rich};
  RemoveFile gone;
  gone.path = "gone";
  gone.deletion_timestamp = 123;
  gone.data_change = false;
  gone.partition_values = PartitionValues{{"p", "2"}};
  gone.size = 9;
  RemoveFile brief;
  brief.path = "brief";
  commit.removes = {gone, brief};
  commit.transactions = {{.app_id = "app", .version = 4, .last_updated = 5},
                         {.app_id = "old", .version = 1, .last_updated = std::nullopt}};
  commit.domains = {{.domain = "dom", .configuration = "conf", .removed = false}};
  return commit;
}

TEST(Checkpoint, ReadsBackAsTheStateItWasMadeOf) {
  TableState state(100);
  state.apply(full_commit());
  LastCheckpoint summary;
  const Bytes bytes = encode(state, &summary);
  EXPECT_EQ(summary.size_in_bytes, bytes.size());
  EXPECT_EQ(summary.num_of_add_files, 2u);
  EXPECT_EQ(summary.size, 9u);

  const TableState back = decode(bytes);
  EXPECT_EQ(back.protocol(), state.protocol());
  EXPECT_EQ(back.metadata().id, "the-id");
  EXPECT_EQ(back.metadata().name, std::nullopt);
  EXPECT_EQ(back.metadata().description, "d");
  EXPECT_THAT(back.metadata().partition_columns, ElementsAre("p", "q"));
  EXPECT_THAT(back.metadata().configuration, ElementsAre(Pair("a", "b")));
  EXPECT_EQ(back.metadata().created_time, 77);
  ASSERT_EQ(back.files().size(), 2u);
  const AddFile& plain = back.files().at("p=1/plain%20");
  EXPECT_EQ(plain.path, "p=1/plain%2520");
  EXPECT_THAT(plain.partition_values, ElementsAre(Pair("p", "1"), Pair("q", std::nullopt)));
  EXPECT_EQ(plain.stats, R"({"numRecords":3})");
  EXPECT_FALSE(plain.deletion_vector);
  const AddFile& rich = back.files().at(std::string("rich\0uxyz@3", 11));
  EXPECT_EQ(rich.deletion_vector->cardinality, 5);
  EXPECT_FALSE(rich.deletion_vector->max_row_index);
  EXPECT_THAT(rich.tags, ElementsAre(Pair("n", std::nullopt), Pair("t", "u")));
  EXPECT_EQ(rich.base_row_id, 100);
  EXPECT_EQ(rich.clustering_provider, "c");
  EXPECT_EQ(rich.stats, "");
  EXPECT_EQ(back.tombstones().at("gone").deletion_timestamp, 123);
  EXPECT_FALSE(back.tombstones().at("gone").data_change);
  EXPECT_FALSE(back.tombstones().at("brief").partition_values);
  EXPECT_EQ(back.transactions().at("app").last_updated, 5);
  EXPECT_EQ(back.transactions().at("old").last_updated, std::nullopt);
  EXPECT_EQ(back.domains().at("dom").configuration, "conf");
}

TEST(Checkpoint, HasTheLayoutThatOldReadersNeed) {
  TableState state(100);
  state.apply(full_commit());
  const auto buffer = arrow::Buffer::FromString(encode(state));
  const auto reader =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(buffer));
  const auto metadata = reader->metadata();
  bool element = false;
  for (int i = 0; i < metadata->num_columns(); ++i) {
    const auto column = metadata->RowGroup(0)->ColumnChunk(i);
    EXPECT_EQ(column->compression(), parquet::Compression::SNAPPY);
    EXPECT_FALSE(column->has_dictionary_page());
    for (const auto encoding : column->encodings()) {
      EXPECT_TRUE(encoding == parquet::Encoding::PLAIN || encoding == parquet::Encoding::RLE);
    }
    for (const auto& pages : column->encoding_stats()) {
      EXPECT_EQ(pages.page_type, parquet::PageType::DATA_PAGE);
    }
    element |= metadata->schema()->Column(i)->path()->ToDotString() ==
               "protocol.readerFeatures.list.element";
    // Every column is optional at its top.
    EXPECT_TRUE(metadata->schema()->GetColumnRoot(i)->is_optional());
  }
  EXPECT_TRUE(element);
}

TEST(Checkpoint, OfManyFilesComesInBoundedPieces) {
  TableState state(1'000'000);
  Commit commit = full_commit();
  const std::string stats =
      R"({"numRecords":1,"minValues":{"a":")" + std::string(300, 'x') + "\"}}";
  for (int i = 0; i < 40'000; ++i) {
    AddFile add;
    add.path = "f" + std::to_string(i);
    add.partition_values = {{"p", std::to_string(i)}, {"q", "z"}};
    add.size = static_cast<std::uint64_t>(i);
    add.stats = stats;
    commit.adds.push_back(std::move(add));
  }
  state.apply(std::move(commit));
  CheckpointSource source(state, nullptr);
  Bytes bytes;
  while (true) {
    const Bytes piece = run_task(source.read());
    if (piece.empty()) break;
    EXPECT_LE(piece.size(), 1u << 20);
    bytes += piece;
  }
  const TableState back = decode(bytes);
  EXPECT_EQ(back.files().size(), 40'002u);
  EXPECT_EQ(back.files().at("f39999").size, 39'999u);
}

TEST(Checkpoint, ThatIsNoParquetIsCorrupt) {
  for (const Bytes& bytes : {Bytes(), Bytes("PAR1"), Bytes(1'000, 'x')}) {
    try {
      read_checkpoint(bytes, [](Commit) {});
      FAIL() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    }
  }
}

TEST(Checkpoint, CutShortIsCorrupt) {
  TableState state(100);
  state.apply(full_commit());
  const Bytes whole = encode(state);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    try {
      decode(whole.substr(0, size));
      FAIL() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    }
  }
}

/// A checkpoint with one `add` column made of these members.
Bytes checkpoint_with_add(const arrow::FieldVector& fields, const arrow::ArrayVector& members) {
  const auto add = arrow::StructArray::Make(members, fields).ValueOrDie();
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("add", add->type())}),
                                        {std::shared_ptr<arrow::Array>(add)});
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1'000).ok());
  return sink->Finish().ValueOrDie()->ToString();
}

template <class Builder, class Value>
std::shared_ptr<arrow::Array> one(Builder builder, Value value) {
  EXPECT_TRUE(builder.Append(value).ok());
  return builder.Finish().ValueOrDie();
}

TEST(Checkpoint, MakesStatisticsOfTheirColumnsWhereTheTextIsMissing) {
  const auto zoned = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  arrow::TimestampBuilder time(zoned, arrow::default_memory_pool());
  arrow::Date32Builder day;
  const auto bounds =
      arrow::StructArray::Make(
          {one(std::move(time), std::int64_t{-1}), one(std::move(day), 19'000),
           one(arrow::DoubleBuilder(), 0.5), one(arrow::StringBuilder(), "a\"b"),
           one(arrow::DoubleBuilder(), std::numeric_limits<double>::quiet_NaN())},
          arrow::FieldVector{arrow::field("t", zoned), arrow::field("d", arrow::date32()),
                             arrow::field("x", arrow::float64()), arrow::field("s", arrow::utf8()),
                             arrow::field("nan", arrow::float64())})
          .ValueOrDie();
  const auto stats =
      arrow::StructArray::Make({one(arrow::Int64Builder(), std::int64_t{3}), bounds},
                               arrow::FieldVector{arrow::field("numRecords", arrow::int64()),
                                                  arrow::field("minValues", bounds->type())})
          .ValueOrDie();
  std::optional<AddFile> add;
  read_checkpoint(
      checkpoint_with_add(
          {arrow::field("path", arrow::utf8()), arrow::field("size", arrow::int64()),
           arrow::field("stats_parsed", stats->type())},
          {one(arrow::StringBuilder(), "f"), one(arrow::Int64Builder(), std::int64_t{1}), stats}),
      [&](Commit part) { add = part.adds.at(0); });
  EXPECT_EQ(add->stats, R"({"numRecords":3,"minValues":{"t":"1969-12-31T23:59:59.999999Z",)"
                        R"("d":"2022-01-08","x":0.5,"s":"a\"b"}})");
}

TEST(Checkpoint, WithAColumnOfAnotherTypeIsCorrupt) {
  const Bytes bytes = checkpoint_with_add(
      {arrow::field("path", arrow::int64()), arrow::field("size", arrow::int64())},
      {one(arrow::Int64Builder(), std::int64_t{1}), one(arrow::Int64Builder(), std::int64_t{1})});
  EXPECT_THROW(read_checkpoint(bytes, [](Commit) {}), Error);
}

}  // namespace
}  // namespace headrace::delta
