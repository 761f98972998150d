
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/delta_fixture.h"

namespace headrace::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST_F(DeltaTableTest, IsNotThereBeforeTheFirstAppend) {
  const auto table = open();
  EXPECT_FALSE(run_task(table->snapshot()));
  EXPECT_FALSE(run_task(table->snapshot_at_version(0)));
  EXPECT_FALSE(run_task(table->snapshot_at_time(clock_.now())));
  EXPECT_FALSE(run_task(table->checkpoint()));
  EXPECT_EQ(run_task(table->last_txn("a")), 0u);
  EXPECT_THAT(run_task(table->history(10)), IsEmpty());
}

TEST_F(DeltaTableTest, IsMadeByTheFirstAppend) {
  const auto table = open();
  const AppendResult done = append(*table, rows("app", 1, "first"));
  EXPECT_EQ(done.version, 0);
  EXPECT_FALSE(done.already_done);
  const auto snapshot = run_task(table->snapshot());
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->version, 0);
  EXPECT_EQ(snapshot->at, clock_.now());
  EXPECT_EQ(snapshot->id.size(), 36u);
  EXPECT_EQ(snapshot->min_reader_version, 1);
  EXPECT_EQ(snapshot->min_writer_version, 2);
  EXPECT_EQ(snapshot->schema, columns({{"a", "long"}}));
  EXPECT_THAT(snapshot->transactions, ElementsAre(Pair("app", 1)));
  ASSERT_EQ(snapshot->files.size(), 1u);
  EXPECT_EQ(snapshot->files[0].path, "first");
  EXPECT_EQ(snapshot->files[0].size, 10u);
  EXPECT_EQ(snapshot->files[0].rows, 2u);
  EXPECT_EQ(table->key_of("first"), (ObjectKey{"lake", "people/first"}));
}

TEST_F(DeltaTableTest, WritesACommitThatBeginsWithItsInfo) {
  const auto table = open({.engine = "Test/1"});
  append(*table, rows("app", 1));
  const std::string text = commit(0);
  EXPECT_THAT(text, testing::StartsWith(R"({"commitInfo":{)"));
  EXPECT_THAT(text, HasSubstr(R"("isBlindAppend":true)"));
  EXPECT_THAT(text, HasSubstr(R"("engineInfo":"Test/1")"));
  EXPECT_THAT(text, HasSubstr(R"("txn":{"appId":"app","version":1)"));
  EXPECT_THAT(text, HasSubstr(R"("stats":"{\"numRecords\":2}")"));
  EXPECT_THAT(text, testing::Not(HasSubstr("readVersion")));
}

TEST_F(DeltaTableTest, AppendsOnceUnderOneSequenceNumber) {
  const auto table = open();
  append(*table, rows("app", 1));
  append(*table, rows("app", 2));
  const AppendResult again = append(*table, rows("app", 2, "other"));
  EXPECT_TRUE(again.already_done);
  EXPECT_TRUE(append(*table, rows("app", 1)).already_done);
  EXPECT_FALSE(append(*table, rows("bpp", 1)).already_done);
  EXPECT_EQ(run_task(table->last_txn("app")), 2u);
  EXPECT_THAT(paths(*run_task(table->snapshot())), ElementsAre("app1", "app2", "bpp1"));
}

TEST_F(DeltaTableTest, SeesWhatOtherWritersCommitted) {
  const auto one = open();
  const auto two = open();
  append(*one, rows("one", 1));
  append(*two, rows("two", 1));
  append(*one, rows("one", 2));
  EXPECT_THAT(paths(*run_task(two->snapshot())), ElementsAre("one1", "one2", "two1"));
  EXPECT_EQ(run_task(two->last_txn("one")), 2u);
}

TEST_F(DeltaTableTest, TakesTheNextVersionWhenAnotherWriterWasFaster) {
  const auto one = open();
  append(*one, rows("one", 1));
  // The second writer's listing is made to miss the newest version, as when both look at once.
  const auto two = open();
  run_task(two->snapshot());
  append(*one, rows("one", 2));
  const std::string theirs = commit(1);
  remove("_delta_log/" + commit_name(1));
  run_task(two->snapshot());
  put_commit(1, theirs);
  EXPECT_EQ(append(*two, rows("two", 1)).version, 2);
  EXPECT_EQ(commit(1), theirs);
}

TEST_F(DeltaTableTest, KnowsItsOwnCommitWhenTheAnswerWasLost) {
  const auto table = open();
  append(*table, rows("app", 1));
  fault(StoreFault::Kind::kFailAfter, StoreCall::kPut, "lake/people/_delta_log/");
  const AppendResult done = append(*table, rows("app", 2));
  EXPECT_EQ(done.version, 1);
  EXPECT_FALSE(done.already_done);
  EXPECT_THAT(paths(*run_task(table->snapshot())), ElementsAre("app1", "app2"));
}

TEST_F(DeltaTableTest, SaysThatTheOutcomeIsOpenWhenItIs) {
  const auto table = open();
  append(*table, rows("app", 1));
  fault(StoreFault::Kind::kFailBefore, StoreCall::kPut, "lake/people/_delta_log/");
  const std::string told = refusal(ErrorKind::kTransient, [&] { append(*table, rows("app", 2)); });
  EXPECT_THAT(told, HasSubstr("version 1, which may still come to be"));
  EXPECT_EQ(append(*table, rows("app", 2)).version, 1);
}

TEST_F(DeltaTableTest, TheOutcomeIsOpenTooWhereTheStoreRefusesTheLookAfterALostAnswer) {
  const auto table = open();
  append(*table, rows("app", 1));
  fault(StoreFault::Kind::kLate, StoreCall::kPut, "lake/people/_delta_log/");
  store_.add({.call = StoreCall::kGet,
              .key = "lake/people/_delta_log/" + commit_name(1),
              .first = 2,
              .times = 1,
              .error = ErrorKind::kInvalid});
  const std::string told = refusal(ErrorKind::kTransient, [&] { append(*table, rows("app", 2)); });
  EXPECT_THAT(told, HasSubstr("version 1, which may still come to be"));
}

TEST_F(DeltaTableTest, DoesNotDoubleAnAppendWhoseFirstTryLandedUnseen) {
  const auto table = open();
  append(*table, rows("app", 1));
  fault(StoreFault::Kind::kFailAfter, StoreCall::kPut, "lake/people/_delta_log/");
  fault(StoreFault::Kind::kFailBefore, StoreCall::kGet, "lake/people/_delta_log/" + commit_name(1));
  EXPECT_THROW(append(*table, rows("app", 2, "try1")), Error);
  EXPECT_TRUE(append(*table, rows("app", 2, "try2")).already_done);
  EXPECT_THAT(paths(*run_task(table->snapshot())), ElementsAre("app1", "try1"));
}

TEST_F(DeltaTableTest, ReadsOnlyWhatIsNewerThanItKnows) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 5; ++i) append(*table, rows("app", i));
  run_task(table->snapshot());
  const auto before = store_.calls(StoreCall::kGet);
  run_task(table->snapshot());
  EXPECT_EQ(store_.calls(StoreCall::kGet), before);
  const auto other = open();
  append(*other, rows("other", 1));
  const auto middle = store_.calls(StoreCall::kGet);
  run_task(table->snapshot());
  EXPECT_EQ(store_.calls(StoreCall::kGet), middle + 1);
}

TEST_F(DeltaTableTest, FollowsATableThatWasDroppedAndMadeAnew) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 3; ++i) append(*table, rows("app", i));
  const auto other = open();
  for (std::int64_t v = 0; v < 3; ++v) remove("_delta_log/" + commit_name(v));
  append(*other, rows("new", 1));
  EXPECT_THAT(paths(*run_task(table->snapshot())), ElementsAre("new1"));
}

TEST_F(DeltaTableTest, AddsColumnsAndKeepsTheTablesIdentity) {
  const auto table = open();
  append(*table, rows("app", 1));
  const std::string id = run_task(table->snapshot())->id;
  Append wider = rows("app", 2);
  wider.schema = columns({{"b", "timestamp_ntz"}, {"a", "long"}});
  append(*table, wider);
  const auto snapshot = run_task(table->snapshot());
  EXPECT_EQ(snapshot->schema, columns({{"a", "long"}, {"b", "timestamp_ntz"}}));
  EXPECT_EQ(snapshot->id, id);
  EXPECT_EQ(snapshot->min_reader_version, 3);
  EXPECT_EQ(snapshot->min_writer_version, 7);
  EXPECT_THAT(commit(1),
              HasSubstr(R"("writerFeatures":["appendOnly","invariants","timestampNtz"])"));
  append(*table, rows("app", 3));
  EXPECT_THAT(commit(2), testing::Not(HasSubstr("metaData")));
}

TEST_F(DeltaTableTest, RefusesAColumnOfAnotherTypeNamingBoth) {
  const auto table = open();
  append(*table, rows("app", 1));
  Append other = rows("app", 2);
  other.schema = columns({{"a", "string"}});
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, other); });
  EXPECT_THAT(told, HasSubstr("lake/people: column a is long in the table and string"));
  EXPECT_EQ(run_task(table->snapshot())->version, 0);
}

TEST_F(DeltaTableTest, KeepsPartitionsInTheLogInTheirFourSpellings) {
  const auto table = open({.partition_by = {"country", "day"}});
  const PartitionValues values{{"country", "US/East %"}, {"day", std::nullopt}};
  const std::string path = table->new_data_path(values);
  EXPECT_THAT(path, testing::MatchesRegex(
                        "country=US%2FEast%20%25/day=__HIVE_DEFAULT_PARTITION__/part-[-0-9a-f]*"
                        "\\.headrace\\.parquet"));
  Append one{.app_id = "app",
             .seq = 1,
             .schema = columns({{"a", "long"}, {"country", "string"}, {"day", "date"}}),
             .files = {}};
  one.files.push_back({.path = path, .partition = values, .size = 1, .rows = 1, .stats = ""});
  append(*table, one);
  EXPECT_THAT(commit(0), HasSubstr(R"("path":"country=US%252FEast%2520%2525/day=)"));
  EXPECT_THAT(commit(0), HasSubstr(R"("partitionValues":{"country":"US/East %","day":null})"));
  const auto snapshot = run_task(table->snapshot());
  EXPECT_THAT(snapshot->partition_by, ElementsAre("country", "day"));
  EXPECT_EQ(snapshot->files[0].path, path);
  EXPECT_EQ(snapshot->files[0].partition, values);
}

TEST_F(DeltaTableTest, NeverGivesTheSamePathTwiceAndLeavesOutFoldersThatDoNotFit) {
  const auto table = open();
  EXPECT_NE(table->new_data_path({}), table->new_data_path({}));
  EXPECT_THAT(table->new_data_path({{"c", std::string(1'000, 'x')}}), testing::StartsWith("part-"));
}

struct RefusedAppendCase {
  const char* name;
  std::vector<std::string> partition_by;
  std::function<void(Append&)> change;
  const char* says;
};
class RefusedAppendTest : public DeltaTableTest,
                          public testing::WithParamInterface<RefusedAppendCase> {};

TEST_P(RefusedAppendTest, WritesNothingAndSaysWhy) {
  const auto table = open({.partition_by = GetParam().partition_by});
  Append bad = rows("app", 1);
  bad.schema = columns({{"a", "long"}, {"p", "integer"}});
  GetParam().change(bad);
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, bad); });
  EXPECT_THAT(told, HasSubstr(GetParam().says));
  EXPECT_EQ(commit(0), "(none)");
}

INSTANTIATE_TEST_SUITE_P(
    Appends, RefusedAppendTest,
    testing::Values(
        RefusedAppendCase{"PartitionIsNoColumn", {"q"}, [](Append&) {}, "no column q"},
        RefusedAppendCase{"NothingButPartitions", {"a", "p"}, [](Append&) {}, "a column besides"},
        RefusedAppendCase{"NoPartitionValue", {"p"}, [](Append&) {}, "no value for the partition"},
        RefusedAppendCase{"ValueOfAnotherType",
                          {"p"},
                          [](Append& a) { a.files[0].partition = {{"p", "x"}}; },
                          "partition column p: 'x' is no integer"},
        RefusedAppendCase{"ValueWithoutPartition",
                          {},
                          [](Append& a) { a.files[0].partition = {{"p", "1"}}; },
                          "partitioned by nothing"},
        RefusedAppendCase{
            "AbsolutePath", {}, [](Append& a) { a.files[0].path = "/etc/f"; }, "/etc/f"},
        RefusedAppendCase{"NameThatDeltaForbids",
                          {},
                          [](Append& a) { a.schema.fields[0].name = "a b"; },
                          "'a b'"}),
    [](const auto& row) { return row.param.name; });

TEST_F(DeltaTableTest, RefusesToBePartitionedOtherwiseThanItIs) {
  append(*open(), rows("app", 1));
  const auto table = open({.partition_by = {"a"}});
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, rows("app", 2)); });
  EXPECT_THAT(told, HasSubstr("partitioned by nothing, not by a"));
}

TEST_F(DeltaTableTest, DoesNotTakeOverAPlaceThatHoldsOtherFiles) {
  const auto table = open();
  put("data/one.json", "{}");
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, rows("app", 1)); });
  EXPECT_THAT(told, HasSubstr("people/data/one.json"));
  EXPECT_FALSE(run_task(table->snapshot()));
}

TEST_F(DeltaTableTest, IsMadeBesideItsOwnOrphansAndHiddenFiles) {
  const auto table = open();
  put(table->new_data_path({{"p", "1"}}), "PAR1");
  put("_temporary/0/x", "x");
  put(".part.crc", "x");
  EXPECT_EQ(append(*table, rows("app", 1)).version, 0);
}

TEST_F(DeltaTableTest, IgnoresANeighbourWhoseNameBeginsAlike) {
  run_task(store_.put({"lake", "people2/data.json"}, "{}"));
  EXPECT_EQ(append(*open(), rows("app", 1)).version, 0);
}

TEST_F(DeltaTableTest, DoesItsLargeWorkOnThePool) {
  CpuPool cpu(1);
  const auto table = open({.cpu = &cpu});
  Append many = rows("app", 1);
  for (int i = 0; i < 2'000; ++i) {
    many.files.push_back({.path = fmt::format("f{}", i), .size = 1, .rows = 1});
  }
  append(*table, many);
  run_task(table->checkpoint());
  EXPECT_EQ(run_task(table->snapshot())->files.size(), 2'001u);
  EXPECT_EQ(run_task(open({.cpu = &cpu})->snapshot())->files.size(), 2'001u);
}

TEST_F(DeltaTableTest, RefusesACommitBeyondItsLimit) {
  const auto table = open({.commit_bytes = 1'000});
  Append many = rows("app", 1);
  for (int i = 0; i < 20; ++i) {
    many.files.push_back({.path = fmt::format("f{}", i), .size = 1, .rows = 1});
  }
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, many); });
  EXPECT_THAT(told, HasSubstr("append fewer files at once"));
}

TEST_F(DeltaTableTest, CanBeAWholeBucket) {
  const auto table = open_delta_table(store_, "whole", "", {}, clock_, random_);
  append(*table, rows("app", 1, "f"));
  EXPECT_EQ(table->key_of("f"), (ObjectKey{"whole", "f"}));
  EXPECT_TRUE(run_task(store_.head({"whole", "_delta_log/" + commit_name(0)})));
}

// -------- Checkpoints

class CheckpointedTableTest : public DeltaTableTest {
 protected:
  void append_up_to(Table& table, std::int64_t version) {
    const auto now = run_task(table.snapshot());
    for (std::int64_t v = now ? now->version + 1 : 0; v <= version; ++v) {
      append(table, rows("app", static_cast<std::uint64_t>(v + 1)));
    }
  }
  bool has_checkpoint(std::int64_t version) {
    return get("_delta_log/" + checkpoint_name(version)) != "(none)";
  }
  std::string hint() { return get("_delta_log/_last_checkpoint"); }
  /// A checkpoint file with the table's protocol and metadata and the files app<first + 1>... only.
  std::string checkpoint_of_files(std::uint64_t first, std::uint64_t last) {
    ManualClock clock;
    const auto store = make_memory_store(clock);
    const auto table = open_delta_table(*store, "b", "t", {}, clock, random_);
    for (std::uint64_t i = first; i <= last; ++i) run_task(table->append(rows("app", i + 1)));
    const auto version = run_task(table->checkpoint());
    return *run_task(
        read_object(*store, {"b", "t/_delta_log/" + checkpoint_name(*version)}, 1u << 30));
  }
};

TEST_F(CheckpointedTableTest, WritesOneEveryTenCommits) {
  const auto table = open();
  append_up_to(*table, 21);
  EXPECT_TRUE(has_checkpoint(10));
  EXPECT_TRUE(has_checkpoint(20));
  EXPECT_FALSE(has_checkpoint(11));
  EXPECT_THAT(hint(), HasSubstr(R"("version":20)"));
  EXPECT_THAT(hint(), HasSubstr(R"("numOfAddFiles":21)"));
}

TEST_F(CheckpointedTableTest, ReadsTheTableFromTheNewestAlone) {
  append_up_to(*open(), 12);
  for (std::int64_t v = 0; v < 10; ++v) remove("_delta_log/" + commit_name(v));
  const auto table = open();
  const auto gets = store_.calls(StoreCall::kGet);
  const auto snapshot = run_task(table->snapshot());
  EXPECT_EQ(snapshot->version, 12);
  EXPECT_EQ(snapshot->files.size(), 13u);
  EXPECT_EQ(snapshot->transactions.at("app"), 13);
  // The hint, the checkpoint and two commits.
  EXPECT_EQ(store_.calls(StoreCall::kGet), gets + 4);
}

TEST_F(CheckpointedTableTest, DoesWithoutAHintThatIsMissingOrWrong) {
  append_up_to(*open(), 12);
  for (const char* wrong : {"", "{", R"({"version":99})", R"({"version":3})", "\xFF\xFE"}) {
    put("_delta_log/_last_checkpoint", wrong);
    EXPECT_EQ(run_task(open()->snapshot())->files.size(), 13u) << wrong;
  }
  remove("_delta_log/_last_checkpoint");
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 13u);
}

TEST_F(CheckpointedTableTest, PassesOverACheckpointThatIsBroken) {
  append_up_to(*open(), 22);
  put("_delta_log/" + checkpoint_name(20), "PAR1 not really");
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 23u);
  put("_delta_log/" + checkpoint_name(10), "");
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 23u);
}

TEST_F(CheckpointedTableTest, IsCorruptIfTheOnlyWayToItIsBroken) {
  append_up_to(*open(), 12);
  remove("_delta_log/" + commit_name(3));
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 13u);
  put("_delta_log/" + checkpoint_name(10), "");
  const std::string told = refusal(ErrorKind::kCorrupt, [&] { run_task(open()->snapshot()); });
  EXPECT_THAT(told, HasSubstr("version 3 is missing"));
}

TEST_F(CheckpointedTableTest, DoesNotFailAnAppendForACheckpoint) {
  const auto table = open();
  append_up_to(*table, 9);
  fault(StoreFault::Kind::kFailBefore, StoreCall::kPut,
        "lake/people/_delta_log/" + checkpoint_name(10));
  EXPECT_EQ(append(*table, rows("app", 11)).version, 10);
  EXPECT_FALSE(has_checkpoint(10));
  append_up_to(*table, 20);
  EXPECT_TRUE(has_checkpoint(20));
}

TEST_F(CheckpointedTableTest, CatchesUpWhereAnotherWriterFailedToWriteOne) {
  const auto table = open();
  fault(StoreFault::Kind::kFailBefore, StoreCall::kPut,
        "lake/people/_delta_log/" + checkpoint_name(10));
  fault(StoreFault::Kind::kFailBefore, StoreCall::kPut,
        "lake/people/_delta_log/" + checkpoint_name(20));
  append_up_to(*table, 20);
  EXPECT_FALSE(has_checkpoint(20));
  append_up_to(*table, 21);
  EXPECT_TRUE(has_checkpoint(21));
}

TEST_F(CheckpointedTableTest, NeverMovesTheHintBack) {
  append_up_to(*open(), 9);
  put("_delta_log/_last_checkpoint", R"({"version":15,"size":1})");
  append_up_to(*open(), 10);
  EXPECT_TRUE(has_checkpoint(10));
  EXPECT_THAT(hint(), HasSubstr(R"("version":15)"));
}

TEST_F(CheckpointedTableTest, HonoursTheTablesInterval) {
  const auto table = open();
  append(*table, rows("app", 1));
  put_commit(1, R"({"metaData":{"id":"i","schemaString":)"
                R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",)"
                R"(\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],)"
                R"("configuration":{"delta.checkpointInterval":"3"}}})");
  append_up_to(*table, 4);
  EXPECT_TRUE(has_checkpoint(3));
}

TEST_F(CheckpointedTableTest, IsWrittenOnRequest) {
  const auto table = open();
  append_up_to(*table, 3);
  EXPECT_EQ(run_task(table->checkpoint()), 3);
  EXPECT_TRUE(has_checkpoint(3));
}

// Others write checkpoints in several files; each of ours is one, so parts are made of two of ours.

TEST_F(CheckpointedTableTest, ReadsACheckpointInParts) {
  append_up_to(*open(), 10);
  const std::string early = checkpoint_of_files(0, 4);
  const std::string late = checkpoint_of_files(5, 10);
  const auto part = [](int number) {
    return fmt::format("_delta_log/{:020}.checkpoint.{:010}.{:010}.parquet", 10, number, 2);
  };
  for (std::int64_t v = 0; v < 10; ++v) remove("_delta_log/" + commit_name(v));
  remove("_delta_log/" + checkpoint_name(10));
  put(part(1), early);
  EXPECT_THROW(run_task(open()->snapshot()), Error);  // Half a checkpoint is none.
  put(part(2), late);
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 11u);
}

TEST_F(CheckpointedTableTest, ReadsACheckpointWithSidecars) {
  append_up_to(*open(), 10);
  put("_delta_log/_sidecars/one.parquet", checkpoint_of_files(0, 4));
  put("_delta_log/_sidecars/two.parquet", checkpoint_of_files(5, 10));
  for (std::int64_t v = 0; v < 10; ++v) remove("_delta_log/" + commit_name(v));
  remove("_delta_log/" + checkpoint_name(10));
  put(fmt::format("_delta_log/{:020}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json", 10),
      R"({"checkpointMetadata":{"version":10}})"
      "\n"
      R"({"sidecar":{"path":"one.parquet","sizeInBytes":1,"modificationTime":1}})"
      "\n"
      R"({"sidecar":{"path":"two.parquet","sizeInBytes":1,"modificationTime":1}})");
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 11u);
  remove("_delta_log/_sidecars/two.parquet");
  EXPECT_THAT(refusal(ErrorKind::kCorrupt, [&] { run_task(open()->snapshot()); }),
              HasSubstr("is missing"));
}

TEST_F(CheckpointedTableTest, NoticesThatTheLogWasCleanedUpPastIt) {
  const auto behind = open();
  const auto other = open();
  append_up_to(*other, 2);
  run_task(behind->snapshot());
  append_up_to(*other, 12);
  for (std::int64_t v = 0; v < 10; ++v) remove("_delta_log/" + commit_name(v));
  // Version 3 is free in the store, and must not be taken.
  EXPECT_EQ(append(*behind, rows("late", 1)).version, 13);
}

// -------- Time travel

TEST_F(CheckpointedTableTest, TellsAnOlderVersion) {
  const auto table = open();
  append_up_to(*table, 12);
  for (const std::int64_t version : {0, 9, 10, 11}) {
    const auto snapshot = run_task(table->snapshot_at_version(version));
    EXPECT_EQ(snapshot->version, version);
    EXPECT_EQ(snapshot->files.size(), static_cast<std::size_t>(version + 1));
  }
  const std::string told =
      refusal(ErrorKind::kInvalid, [&] { run_task(table->snapshot_at_version(13)); });
  EXPECT_THAT(told, HasSubstr("no version 13: the log has 0 to 12"));
}

TEST_F(CheckpointedTableTest, SaysThatAVersionIsNoLongerThere) {
  const auto table = open();
  append_up_to(*table, 12);
  for (std::int64_t v = 0; v < 8; ++v) remove("_delta_log/" + commit_name(v));
  const std::string told =
      refusal(ErrorKind::kInvalid, [&] { run_task(table->snapshot_at_version(9)); });
  EXPECT_THAT(told, HasSubstr("the log has 10 to 12"));
}

TEST_F(CheckpointedTableTest, TellsTheVersionThatWasNewestAtATime) {
  const auto table = open();
  std::vector<Time> times;
  for (std::uint64_t i = 0; i < 5; ++i) {
    append(*table, rows("app", i + 1));
    times.push_back(clock_.now());
  }
  const auto version_at = [&](Time at) { return run_task(table->snapshot_at_time(at))->version; };
  EXPECT_EQ(version_at(times[0]), 0);
  EXPECT_EQ(version_at(times[2] - Duration(1)), 1);
  EXPECT_EQ(version_at(times[2]), 2);
  EXPECT_EQ(version_at(times[4] + std::chrono::hours(1)), 4);
  EXPECT_EQ(run_task(table->snapshot_at_version(2))->at, times[2]);
  const std::string told = refusal(
      ErrorKind::kInvalid, [&] { run_task(table->snapshot_at_time(times[0] - Duration(1))); });
  EXPECT_THAT(told, HasSubstr("the oldest is 0 of"));
}

TEST_F(CheckpointedTableTest, CountsOnWhatCommitsSayWhereTheTableDoes) {
  const auto table = open();
  const auto ict = [](int version, std::int64_t ms) {
    return fmt::format(R"({{"commitInfo":{{"inCommitTimestamp":{}}}}})"
                       "\n"
                       R"({{"txn":{{"appId":"x","version":{}}}}})",
                       ms, version);
  };
  put_commit(0, ict(0, 1'000) + "\n" +
                    R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7,)"
                    R"("writerFeatures":["inCommitTimestamp"]}})"
                    "\n"
                    R"({"metaData":{"id":"i","schemaString":)"
                    R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",)"
                    R"(\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],)"
                    R"("configuration":{"delta.enableInCommitTimestamps":"true"}}})");
  put_commit(1, ict(1, 2'000));
  const std::int64_t far = 4'000'000'000'000;  // A writer's clock was ahead of ours.
  put_commit(2, ict(2, far));
  const auto at_ms = [](std::int64_t ms) { return Time(std::chrono::milliseconds(ms)); };
  EXPECT_EQ(run_task(table->snapshot())->at, at_ms(far));
  EXPECT_EQ(run_task(table->snapshot_at_time(at_ms(1'999)))->version, 0);
  EXPECT_EQ(run_task(table->snapshot_at_time(at_ms(2'000)))->version, 1);
  append(*table, rows("app", 1));
  EXPECT_THAT(commit(3), testing::StartsWith(
                             fmt::format(R"({{"commitInfo":{{"inCommitTimestamp":{})", far + 1)));
  EXPECT_EQ(run_task(open()->snapshot())->at, at_ms(far + 1));
  run_task(table->checkpoint());
  EXPECT_EQ(run_task(open()->snapshot())->at, at_ms(far + 1));
}

// -------- History and foreign tables

TEST_F(DeltaTableTest, TellsItsHistoryNewestFirst) {
  const auto table = open({.engine = "Test/1"});
  append(*table, rows("app", 1));
  put_commit(1, R"({"commitInfo":{"operation":"OPTIMIZE","engineInfo":"Other"}})"
                "\n"
                R"({"remove":{"path":"app1","dataChange":false}})"
                "\n"
                R"({"add":{"path":"big","size":5,"partitionValues":{},"dataChange":false}})");
  const auto history = run_task(table->history(5));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].operation, "OPTIMIZE");
  EXPECT_EQ(history[0].engine, "Other");
  EXPECT_EQ(history[0].files_removed, 1u);
  EXPECT_EQ(history[1].version, 0);
  EXPECT_EQ(history[1].operation, "WRITE");
  EXPECT_EQ(history[1].files_added, 1u);
  EXPECT_EQ(history[1].rows_added, 2u);
  EXPECT_EQ(run_task(table->history(1)).size(), 1u);
}

TEST_F(DeltaTableTest, TellsWhichRowsADeletionVectorTookAway) {
  const auto table = open();
  append(*table, rows("app", 1));
  put_commit(1, R"({"remove":{"path":"app1","dataChange":true}})"
                "\n"
                R"({"add":{"path":"app1","size":5,"partitionValues":{},"deletionVector":)"
                R"({"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":3},)"
                R"("stats":"{\"numRecords\":10}"}})");
  const auto snapshot = run_task(table->snapshot());
  ASSERT_THAT(paths(*snapshot), ElementsAre("app1"));
  ASSERT_TRUE(snapshot->files[0].deletion_vector);
  EXPECT_EQ(snapshot->files[0].deletion_vector->unique_id(), "ux");
  EXPECT_EQ(snapshot->files[0].rows, 10u);
  EXPECT_EQ(snapshot->files[0].live_rows(), 7u);
}

TEST_F(DeltaTableTest, IsCorruptIfAVersionIsMissing) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 4; ++i) append(*table, rows("app", i));
  remove("_delta_log/" + commit_name(2));
  const std::string told = refusal(ErrorKind::kCorrupt, [&] { run_task(open()->snapshot()); });
  EXPECT_THAT(told, HasSubstr("lake/people: version 2 is missing in the log, 3 is there"));
}

TEST_F(DeltaTableTest, NamesTheCommitThatCannotBeRead) {
  const auto table = open();
  append(*table, rows("app", 1));
  put_commit(1, "{\"add\":");
  const std::string told = refusal(ErrorKind::kCorrupt, [&] { run_task(table->snapshot()); });
  EXPECT_THAT(told, HasSubstr("lake/people/_delta_log/00000000000000000001.json: line 1"));
}

struct BrokenLogCase {
  const char* name;
  std::function<void(DeltaTableTest&)> harm;  ///< Of a table with the versions 0 to 3.
  const char* says;
};

class BrokenLogTest : public DeltaTableTest, public testing::WithParamInterface<BrokenLogCase> {
 public:
  using DeltaTableTest::commit;
  using DeltaTableTest::put_commit;
  using DeltaTableTest::remove;
};

TEST_P(BrokenLogTest, IsNamedAndNotWrittenTo) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 4; ++i) append(*table, rows("app", i));
  GetParam().harm(*this);
  const auto objects = [&] { return run_task(store_.list("lake", {})).objects.size(); };
  const std::size_t before = objects();
  for (const bool fresh : {true, false}) {
    const auto reader = open();
    Table& asked = fresh ? *reader : *table;
    EXPECT_THAT(refusal(ErrorKind::kCorrupt, [&] { run_task(asked.snapshot()); }),
                HasSubstr(GetParam().says));
    EXPECT_THAT(refusal(ErrorKind::kCorrupt, [&] { append(asked, rows("late", 1)); }),
                HasSubstr(GetParam().says));
    EXPECT_THROW(run_task(asked.checkpoint()), Error);
    EXPECT_THROW(
        run_task(asked.vacuum({.retention = Duration(0), .force = true, .dry_run = false})), Error);
  }
  EXPECT_EQ(objects(), before);
}

template <int kVersion>
std::function<void(DeltaTableTest&)> with_line(std::string line) {
  return [line](DeltaTableTest& test) {
    auto& open = static_cast<BrokenLogTest&>(test);
    // The version is a new one, so that a table that is open already comes to it too.
    open.put_commit(kVersion, open.commit(3) + line);
  };
}

INSTANTIATE_TEST_SUITE_P(
    Logs, BrokenLogTest,
    testing::Values(
        BrokenLogCase{"NoJson", with_line<4>("{\"add\":"), "0004.json: line "},
        BrokenLogCase{"CutOff", with_line<4>(R"({"add":{"path":"f","si)"), "0004.json: line "},
        BrokenLogCase{"Bytes", with_line<4>(std::string("\0\xFF\x01", 3)), "0004.json: line "},
        BrokenLogCase{"NoPath", with_line<4>(R"({"add":{"size":1}})"), "path is missing"},
        BrokenLogCase{"WrongType", with_line<4>(R"({"add":{"path":1,"size":1}})"),
                      "path has the wrong type"},
        BrokenLogCase{"NoSchema", with_line<4>(R"({"metaData":{"id":"i","schemaString":"{"}})"),
                      "0004.json"},
        BrokenLogCase{"AGap", with_line<5>(""), "version 4 is missing in the log, 5 is there"}),
    [](const auto& row) { return row.param.name; });

TEST_F(DeltaTableTest, LeavesABrokenCheckpointAsItIs) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 11; ++i) append(*table, rows("app", i));
  put("_delta_log/" + checkpoint_name(10), "PAR1 broken");
  append(*open(), rows("app", 12));
  EXPECT_EQ(get("_delta_log/" + checkpoint_name(10)), "PAR1 broken");
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 12u);
}

TEST_F(DeltaTableTest, OrdersVersionsWhateverTheClocksSay) {
  const auto table = open();
  clock_.advance(std::chrono::hours(1'000));
  append(*table, rows("app", 1));
  ManualClock behind;  // A writer whose clock is six weeks behind.
  run_task(
      open_delta_table(store_, "lake", "people", {}, behind, random_)->append(rows("behind", 1)));
  append(*table, rows("app", 2));
  const auto first = run_task(table->snapshot_at_version(0))->at;
  const auto second = run_task(table->snapshot_at_version(1))->at;
  EXPECT_LT(first, second);
  EXPECT_LT(second, run_task(table->snapshot())->at);
  EXPECT_EQ(run_task(table->snapshot_at_time(second))->version, 1);
}

TEST_F(DeltaTableTest, CarriesStatisticsThatAreNoJson) {
  const auto table = open({.properties = {{"delta.dataSkippingNumIndexedCols", "0"}}});
  Append odd = rows("app", 1);
  odd.files[0].stats = R"({"numRecords":2,"maxValues":{"a":NaN}})";
  append(*table, odd);
  const auto snapshot = run_task(open()->snapshot());
  EXPECT_EQ(snapshot->files[0].rows, 2u);
  EXPECT_EQ(snapshot->files[0].stats, odd.files[0].stats);
}

TEST_F(DeltaTableTest, RefusesFilesOutsideOfItsLocation) {
  const auto table = open();
  const std::string told = refusal(ErrorKind::kInvalid, [&] { table->key_of("s3://elsewhere/f"); });
  EXPECT_THAT(told, HasSubstr("shallow clone"));
}

TEST_F(DeltaTableTest, AppendsToANotNullColumnOnlyWhatHasNoNulls) {
  put_commit(0, R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
                "\n"
                R"({"metaData":{"id":"i","schemaString":)"
                R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",)"
                R"(\"nullable\":false,\"metadata\":{}}]}","partitionColumns":[]}})");
  const auto table = open();
  const std::string told = refusal(ErrorKind::kInvalid, [&] { append(*table, rows("app", 1)); });
  EXPECT_THAT(told, HasSubstr("column a is NOT NULL"));
  Append full = rows("app", 1);
  full.files[0].stats = R"({"numRecords":2,"nullCount":{"a":0}})";
  EXPECT_EQ(append(*table, full).version, 1);
  Append holed = rows("app", 2);
  holed.files[0].stats = R"({"numRecords":2,"nullCount":{"a":1}})";
  EXPECT_THROW(append(*table, holed), Error);
}

}  // namespace
}  // namespace headrace::delta
