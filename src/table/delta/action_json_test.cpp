#include "table/delta/action_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ParseCommit, ReadsEveryKindOfAction) {
  const Commit commit = parse_commit(
      R"({"commitInfo":{"timestamp":5,"operation":"WRITE","engineInfo":"x","txnId":"id",)"
      R"("inCommitTimestamp":7,"isBlindAppend":true}})"
      "\n"
      R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["a"],)"
      R"("writerFeatures":["a","b"]}})"
      "\n"
      R"({"metaData":{"id":"i","name":"n","format":{"provider":"parquet","options":{}},)"
      R"("schemaString":"{}","partitionColumns":["p"],"configuration":{"k":"v"},)"
      R"("createdTime":9}})"
      "\n"
      R"({"add":{"path":"p=1/f","partitionValues":{"p":"1","q":null},"size":3,)"
      R"("modificationTime":4,"dataChange":true,"stats":"{\"numRecords\":2}","tags":{"t":"u"},)"
      R"("deletionVector":{"storageType":"u","pathOrInlineDv":"ab","offset":4,"sizeInBytes":40,)"
      R"("cardinality":6}}})"
      "\n"
      R"({"remove":{"path":"g","deletionTimestamp":8,"dataChange":false}})"
      "\n"
      R"({"txn":{"appId":"app","version":12,"lastUpdated":13}})"
      "\n"
      R"({"domainMetadata":{"domain":"d","configuration":"{}","removed":false}})"
      "\n"
      R"({"sidecar":{"path":"s.parquet","sizeInBytes":1,"modificationTime":1}})");
  EXPECT_EQ(commit.info->txn_id, "id");
  EXPECT_EQ(commit.info->in_commit_timestamp, 7);
  EXPECT_THAT(*commit.protocol->writer_features, ElementsAre("a", "b"));
  EXPECT_EQ(commit.metadata->name, "n");
  EXPECT_THAT(commit.metadata->configuration, ElementsAre(Pair("k", "v")));
  ASSERT_EQ(commit.adds.size(), 1u);
  EXPECT_THAT(commit.adds[0].partition_values,
              ElementsAre(Pair("p", "1"), Pair("q", std::nullopt)));
  EXPECT_EQ(rows_of(commit.adds[0]), 2u);
  EXPECT_EQ(commit.adds[0].deletion_vector->unique_id(), "uab@4");
  ASSERT_EQ(commit.removes.size(), 1u);
  EXPECT_EQ(commit.removes[0].deletion_timestamp, 8);
  EXPECT_EQ(commit.transactions.at(0).version, 12);
  EXPECT_EQ(commit.domains.at(0).domain, "d");
  EXPECT_EQ(commit.sidecars.at(0).path, "s.parquet");
}

TEST(ParseCommit, PassesOverWhatItDoesNotKnow) {
  const Commit commit = parse_commit(
      "{\"cdc\":{\"path\":\"x\"}}\n\n{\"somethingNew\":[1]}\n"
      "{\"add\":{\"path\":\"f\",\"size\":1,\"future\":{\"a\":1},\"stats\":null}}\r\n");
  ASSERT_EQ(commit.adds.size(), 1u);
  EXPECT_EQ(commit.adds[0].path, "f");
  EXPECT_EQ(rows_of(commit.adds[0]), std::nullopt);
}

TEST(ParseCommit, TakesACommitInfoOfAnyShape) {
  const Commit commit = parse_commit(R"({"commitInfo":{"operation":5,"timestamp":"x"}})");
  ASSERT_TRUE(commit.info);
  EXPECT_EQ(commit.info->operation, "");
  EXPECT_FALSE(commit.info->timestamp);
}

struct BadCommitCase {
  const char* name;
  const char* text;
  const char* says;
};
class BadCommitTest : public testing::TestWithParam<BadCommitCase> {};

TEST_P(BadCommitTest, IsCorruptAndSaysWhere) {
  try {
    parse_commit(GetParam().text);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BadCommitTest,
    testing::Values(BadCommitCase{"NoJson", "{}\n{\"add\":", "line 2"},
                    BadCommitCase{"NoObject", "[1]", "line 1: is not an object"},
                    BadCommitCase{"NoPath", R"({"add":{"size":1}})", "add: path is missing"},
                    BadCommitCase{"NoSize", R"({"add":{"path":"a"}})", "size is missing"},
                    BadCommitCase{"NegativeSize", R"({"add":{"path":"a","size":-1}})", "size"},
                    BadCommitCase{"NoSchema", R"({"metaData":{"id":"x"}})", "schemaString"},
                    BadCommitCase{"NoVersion", R"({"protocol":{"minReaderVersion":1}})",
                                  "minWriterVersion"},
                    BadCommitCase{"TextForNumber", R"({"txn":{"appId":"a","version":"1"}})",
                                  "version has the wrong type"}),
    [](const auto& row) { return row.param.name; });

TEST(Rows, AreCountedWhereverNumRecordsStands) {
  AddFile add;
  add.stats = R"({"numRecords":12,"minValues":{"numRecords":7}})";
  EXPECT_EQ(rows_of(add), 12u);
  add.stats = R"({"minValues":{"numRecords":7}, "numRecords": 12})";
  EXPECT_EQ(rows_of(add), 12u);
  add.stats = R"({"minValues":{"numRecords":7}})";
  EXPECT_EQ(rows_of(add), std::nullopt);
  add.stats = "{";
  EXPECT_EQ(rows_of(add), std::nullopt);
}

TEST(LastCheckpointHint, IsOnlyBelievedIfItCanBe) {
  EXPECT_EQ(parse_last_checkpoint(R"({"version":10,"size":3,"parts":2})")->version, 10);
  EXPECT_EQ(parse_last_checkpoint(last_checkpoint_json({.version = 20}))->version, 20);
  for (const char* text : {"", "{", "[]", "{}", R"({"version":-1})", R"({"version":"10"})"}) {
    EXPECT_FALSE(parse_last_checkpoint(text)) << text;
  }
}

TEST(Lines, ReadBackAsWhatWasWritten) {
  AddFile add;
  add.path = "c=%2520/\"f\"";
  add.partition_values = {{"c", " \"\n"}, {"d", std::nullopt}};
  add.size = 7;
  add.modification_time = 8;
  add.stats = R"({"numRecords":1,"minValues":{"a":"\"x\""}})";
  Metadata metadata;
  metadata.id = "id";
  metadata.schema_string = R"({"type":"struct","fields":[]})";
  metadata.partition_columns = {"c", "d"};
  metadata.configuration = {{"delta.appendOnly", "true"}};
  metadata.created_time = 5;
  Protocol protocol{.min_reader_version = 3,
                    .min_writer_version = 7,
                    .reader_features = {{"a"}},
                    .writer_features = {{"a", "b"}}};
  const Commit commit =
      parse_commit(protocol_line(protocol) + metadata_line(metadata) + add_line(add) +
                   transaction_line({.app_id = "a/b", .version = 3, .last_updated = 4}));
  EXPECT_EQ(commit.protocol, protocol);
  EXPECT_EQ(commit.metadata->schema_string, metadata.schema_string);
  EXPECT_EQ(commit.metadata->partition_columns, metadata.partition_columns);
  EXPECT_EQ(commit.metadata->configuration, metadata.configuration);
  EXPECT_EQ(commit.metadata->created_time, 5);
  EXPECT_EQ(commit.adds.at(0).path, add.path);
  EXPECT_EQ(commit.adds.at(0).partition_values, add.partition_values);
  EXPECT_EQ(commit.adds.at(0).stats, add.stats);
  EXPECT_EQ(commit.transactions.at(0).app_id, "a/b");
  EXPECT_EQ(commit.transactions.at(0).last_updated, 4);
}

}  // namespace
}  // namespace headrace::delta
