// What is taken away, and what must stay: vacuum, clean-up of the log, drop; and tables made
// without rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/delta/vacuum.h"
#include "testing/delta_fixture.h"

namespace headrace::delta {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class UpkeepTest : public DeltaTableTest {
 protected:
  /// A file that is part of the table, and there.
  void load(Table& table, std::uint64_t seq, const std::string& path) {
    append(table, rows("app", seq, path));
    put(path, "rows");
  }
  void remove_rows(Table& table, std::vector<std::string> paths) {
    Change change;
    change.operation = "DELETE";
    change.remove = std::move(paths);
    change.read_version = run_task(table.snapshot())->version;
    run_task(table.change(change));
  }
  std::vector<std::string> vacuum(Table& table, VacuumOptions options = {.dry_run = false}) {
    std::vector<std::string> told;
    options.each = [&](const OldFile& file) { told.push_back(file.path); };
    const VacuumResult result = run_task(table.vacuum(std::move(options)));
    EXPECT_EQ(result.files, told.size());
    return told;
  }
  bool has(const std::string& path) { return get(path) != "(none)"; }
  std::vector<std::string> log_names() {
    std::vector<std::string> out;
    const ListPage page = run_task(store_.list("lake", {.prefix = "people/_delta_log/"}));
    for (const ObjectInfo& object : page.objects) {
      out.push_back(object.key.path.substr(std::string("people/_delta_log/").size()));
    }
    return out;
  }
};

TEST_F(UpkeepTest, TakesAwayWhatIsOldAndNotNeeded) {
  const auto table = open();
  load(*table, 1, "gone");
  load(*table, 2, "kept");
  put("orphan", "rows");
  remove_rows(*table, {"gone"});
  EXPECT_THAT(vacuum(*table), IsEmpty());  // All is young.
  clock_.advance(days(8));
  put("young", "rows of a writer that has not committed yet");
  EXPECT_THAT(vacuum(*table, {.dry_run = true}), ElementsAre("gone", "orphan"));
  EXPECT_TRUE(has("gone"));
  EXPECT_THAT(vacuum(*table), ElementsAre("gone", "orphan"));
  EXPECT_FALSE(has("gone"));
  EXPECT_FALSE(has("orphan"));
  EXPECT_TRUE(has("kept"));
  EXPECT_TRUE(has("young"));
}

TEST_F(UpkeepTest, KeepsWhatAYoungVersionStillNeedsHoweverOldItIs) {
  const auto table = open();
  load(*table, 1, "old");
  clock_.advance(days(100));
  remove_rows(*table, {"old"});
  clock_.advance(days(6));
  EXPECT_THAT(vacuum(*table), IsEmpty());
  clock_.advance(days(2));
  EXPECT_THAT(vacuum(*table), ElementsAre("old"));
}

TEST_F(UpkeepTest, ComparesPathsInOneSpelling) {
  const auto table = open({.partition_by = {"p"}});
  const PartitionValues values{{"p", "US/East %: ü"}};
  const std::string path = table->new_data_path(values);
  put(path, "rows");
  Append one{.app_id = "app", .seq = 1, .schema = columns({{"a", "long"}, {"p", "string"}})};
  one.files.push_back({.path = path, .partition = values, .size = 4, .rows = 1});
  append(*table, one);
  // Another writer leaves letters beyond ASCII as they are.
  put("p=\xC3\xBC/f", "rows");
  put_commit(1, R"({"add":{"path":"p=ü/f","size":4,"partitionValues":{"p":"ü"}}})");
  clock_.advance(days(30));
  EXPECT_THAT(vacuum(*table), IsEmpty());
  remove_rows(*table, {path, "p=\xC3\xBC/f"});
  clock_.advance(days(30));
  EXPECT_THAT(vacuum(*table), ElementsAre(path, "p=\xC3\xBC/f"));
}

TEST_F(UpkeepTest, LeavesHiddenFilesAndTheLogAlone) {
  const auto table = open();
  load(*table, 1, "f");
  for (const char* path : {"_tmp/x", ".crc", "a/_SUCCESS", "metadata/v1.json", "sub/.x/y"}) {
    put(path, "x");
  }
  put("_change_data/c.parquet", "x");
  clock_.advance(days(30));
  EXPECT_THAT(vacuum(*table), ElementsAre("_change_data/c.parquet"));
  EXPECT_TRUE(has("_tmp/x"));
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 1u);
}

TEST_F(UpkeepTest, KeepsDeletionVectorsThatAreInUse) {
  const auto table = open();
  load(*table, 1, "f");
  const std::string in_use = "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin";
  put(in_use, "x");
  put("deletion_vector_00000000-0000-0000-0000-000000000000.bin", "x");
  put_commit(1, R"({"remove":{"path":"f","dataChange":true}})"
                "\n"
                R"({"add":{"path":"f","size":5,"partitionValues":{},"deletionVector":)"
                R"({"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":1,)"
                R"("sizeInBytes":4,"cardinality":1}}})");
  clock_.advance(days(30));
  EXPECT_THAT(vacuum(*table),
              ElementsAre("deletion_vector_00000000-0000-0000-0000-000000000000.bin"));
  EXPECT_TRUE(has(in_use));
}

TEST_F(UpkeepTest, KeepsWhatAnAbsolutePathMayName) {
  const auto table = open();
  load(*table, 1, "f");
  put("x/abs.parquet", "rows");
  put_commit(1, R"({"add":{"path":"s3://lake/people/x/abs.parquet","size":4,)"
                R"("partitionValues":{}}})");
  clock_.advance(days(30));
  EXPECT_THAT(vacuum(*table), IsEmpty());
}

TEST_F(UpkeepTest, GuardsTheRetention) {
  const auto table = open({.properties = {{"delta.deletedFileRetentionDuration", "2 days"}}});
  load(*table, 1, "f");
  put("orphan", "x");
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { vacuum(*table, {.retention = hours(1)}); }),
              HasSubstr("a retention of 1h is less than the table's 2d"));
  clock_.advance(hours(3));
  EXPECT_THAT(vacuum(*table, {.retention = hours(1), .force = true}), ElementsAre("orphan"));
  put("orphan", "x");
  clock_.advance(hours(47));
  EXPECT_THAT(vacuum(*table), IsEmpty());
  clock_.advance(hours(2));
  EXPECT_THAT(vacuum(*table), ElementsAre("orphan"));
}

TEST_F(UpkeepTest, GoesByTheClockOfTheStoreWhereOursIsAhead) {
  const auto table = open();
  load(*table, 1, "f");
  put("waits", "rows of a writer that has not committed yet");
  ManualClock ahead;
  ahead.advance(days(300));
  const auto wrong = open_delta_table(store_, "lake", "people", {}, ahead, random_);
  EXPECT_THAT(vacuum(*wrong), IsEmpty());
  EXPECT_TRUE(has("waits"));
  EXPECT_EQ(log_names().size(), 1u);
  const ListPage all = run_task(store_.list("lake", {.prefix = "people/"}));
  EXPECT_EQ(all.objects.size(), 3u);  // Nothing was left behind by looking at the clock.
}

TEST_F(UpkeepTest, RemovesNothingWhereAnotherTableLiesWithin) {
  const auto table = open();
  load(*table, 1, "f");
  put("a-orphan", "x");
  put("z/inner/_delta_log/00000000000000000000.json", "{}");
  put("z/inner/rows.parquet", "x");
  clock_.advance(days(30));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { vacuum(*table); }),
              HasSubstr("another table lies within this one, at z/inner"));
  EXPECT_TRUE(has("a-orphan"));
}

TEST_F(UpkeepTest, RefusesToCleanUpWhatItMayNotWriteOrWhatIsNotThere) {
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { vacuum(*open()); }), HasSubstr("no table"));
  put_commit(0, R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7,)"
                R"("writerFeatures":["rowTracking"]}})"
                "\n"
                R"({"metaData":{"id":"i","schemaString":"{\"type\":\"struct\",\"fields\":[]}",)"
                R"("partitionColumns":[]}})");
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { vacuum(*open()); }), HasSubstr("'rowTracking'"));
}

TEST(HiddenTest, IsWhatBeginsWithAMarkAndIsNoData) {
  const std::vector<std::string> columns{"_p", "a b"};
  for (const char* path : {"_x", ".x", "a/_x/f", "a/.f", "metadata/f", "_delta_log/f", "_pq=1/f"}) {
    EXPECT_TRUE(is_hidden(path, columns)) << path;
  }
  for (const char* path : {"f", "a/b", "_p=1/f", "_change_data/f", "_delta_index/f", "x/metadata/f",
                           "a_b/f", "_p=_x/f"}) {
    EXPECT_FALSE(is_hidden(path, columns)) << path;
  }
}

// -------- The log

TEST_F(UpkeepTest, CleansUpTheLogBehindACheckpoint) {
  const auto table = open({.properties = {{"delta.logRetentionDuration", "interval 3 days"}}});
  for (std::uint64_t i = 1; i <= 12; ++i) append(*table, rows("app", i));
  put("_delta_log/00000000000000000002.crc", "{}");
  put("_delta_log/00000000000000000003.00000000000000000007.compacted.json", "{}");
  put("_delta_log/00000000000000000003.00000000000000000011.compacted.json", "{}");
  put("_delta_log/_other", "x");
  clock_.advance(days(5));
  for (std::uint64_t i = 13; i <= 21; ++i) append(*table, rows("app", i));
  // The newest commit of three days ago is 11: it needs checkpoint 10, whose commit stays too.
  EXPECT_THAT(
      log_names(),
      testing::AllOf(testing::Not(testing::Contains(commit_name(9))),
                     testing::Contains(commit_name(10)), testing::Contains(checkpoint_name(10)),
                     testing::Contains(checkpoint_name(20)), testing::Contains("_other"),
                     testing::Not(testing::Contains("00000000000000000002.crc")),
                     testing::Contains(HasSubstr("0011.compacted")),
                     testing::Not(testing::Contains(HasSubstr("0007.compacted")))));
  EXPECT_EQ(run_task(open()->snapshot())->files.size(), 21u);
  EXPECT_EQ(run_task(open()->snapshot_at_version(10))->files.size(), 11u);
}

TEST_F(UpkeepTest, KeepsTheWholeLogForAMonthOrIfAskedTo) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 12; ++i) append(*table, rows("app", i));
  clock_.advance(days(29));
  run_task(table->checkpoint());
  EXPECT_THAT(log_names(), testing::Contains(commit_name(0)));
  clock_.advance(days(3));
  run_task(table->checkpoint());
  EXPECT_THAT(log_names(), testing::Not(testing::Contains(commit_name(0))));
}

TEST_F(UpkeepTest, KeepsTheLogWhereCleaningIsOff) {
  const auto table = open({.properties = {{"delta.enableExpiredLogCleanup", "false"}}});
  for (std::uint64_t i = 1; i <= 12; ++i) append(*table, rows("app", i));
  clock_.advance(days(300));
  run_task(table->checkpoint());
  EXPECT_THAT(log_names(), testing::Contains(commit_name(0)));
}

TEST_F(UpkeepTest, CleansUpByTheClockOfTheStore) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 12; ++i) append(*table, rows("app", i));
  ManualClock ahead;
  ahead.advance(days(300));
  run_task(open_delta_table(store_, "lake", "people", {}, ahead, random_)->checkpoint());
  EXPECT_THAT(log_names(), testing::Contains(commit_name(0)));
}

// -------- Made and dropped

TEST_F(UpkeepTest, MakesATableWithoutRows) {
  const auto table = open();
  run_task(table->create({.schema = columns({{"a", "long"}, {"day", "date"}}),
                          .partition_by = {"day"},
                          .properties = {{"delta.appendOnly", "true"}},
                          .description = "people"}));
  const auto snapshot = run_task(open()->snapshot());
  EXPECT_EQ(snapshot->version, 0);
  EXPECT_EQ(snapshot->schema, columns({{"a", "long"}, {"day", "date"}}));
  EXPECT_THAT(snapshot->partition_by, ElementsAre("day"));
  EXPECT_THAT(snapshot->properties, ElementsAre(Pair("delta.appendOnly", "true")));
  EXPECT_THAT(commit(0), HasSubstr(R"("operation":"CREATE TABLE")"));
  EXPECT_THAT(commit(0), HasSubstr(R"("description":"people")"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { run_task(table->create({})); }),
              HasSubstr("there is a table already, at version 0"));
}

TEST_F(UpkeepTest, DropsATableAndLeavesWhatItDoesNotKnow) {
  const auto table = open();
  load(*table, 1, "by-others.parquet");
  load(*table, 2, "removed.parquet");
  remove_rows(*table, {"removed.parquet"});
  put(table->new_data_path({}), "an orphan of ours");
  put("notes.txt", "mine");
  run_task(table->checkpoint());
  const DropResult told = run_task(table->drop(/*dry_run=*/true));
  EXPECT_EQ(told.objects, 3u + 2u + 3u);  // Data, checkpoint and hint, commits.
  EXPECT_EQ(told.left, 1u);
  EXPECT_EQ(run_task(open()->snapshot())->version, 2);
  const DropResult done = run_task(table->drop(/*dry_run=*/false));
  EXPECT_EQ(done.objects, told.objects);
  EXPECT_EQ(done.first_left, "notes.txt");
  EXPECT_FALSE(run_task(table->snapshot()));
  const ListPage all = run_task(store_.list("lake", {.prefix = "people/"}));
  ASSERT_EQ(all.objects.size(), 1u);
  EXPECT_EQ(run_task(table->drop(false)).objects, 0u);
}

TEST_F(UpkeepTest, DropsATableWhoseLogIsBroken) {
  const auto table = open();
  load(*table, 1, table->new_data_path({}));
  load(*table, 2, "foreign.parquet");
  put_commit(1, "{");
  const DropResult done = run_task(open()->drop(false));
  EXPECT_EQ(done.objects, 3u);
  EXPECT_EQ(done.left, 1u);
  EXPECT_THAT(log_names(), IsEmpty());
}

TEST_F(UpkeepTest, LeavesNoTableToReadOrWriteWhenADropIsCutShort) {
  const auto table = open();
  for (std::uint64_t i = 1; i <= 12; ++i) load(*table, i, fmt::format("f{}", i));
  // The call after the checkpoints and the first commit are gone fails.
  fault(StoreFault::Kind::kFailBefore, StoreCall::kRemove,
        "lake/people/_delta_log/" + commit_name(3));
  EXPECT_THROW(run_task(table->drop(false)), Error);
  EXPECT_EQ(commit(0), "(none)");
  EXPECT_THAT(refusal(ErrorKind::kCorrupt, [&] { run_task(open()->snapshot()); }),
              HasSubstr("is missing"));
  EXPECT_THAT(refusal(ErrorKind::kCorrupt, [&] { append(*open(), rows("late", 1)); }),
              HasSubstr("is missing"));
  EXPECT_GT(run_task(open()->drop(false)).objects, 0u);
  EXPECT_THAT(log_names(), IsEmpty());
}

// -------- Statistics

TEST_F(UpkeepTest, KeepsStatisticsOfTheColumnsThatTheTableWants) {
  const auto stats_with = [&](std::map<std::string, std::string> properties) {
    clock_.advance(days(1));
    const auto table = open_delta_table(store_, "lake",
                                        fmt::format("t{}", clock_.now().time_since_epoch().count()),
                                        {.properties = std::move(properties)}, clock_, random_);
    Append one{.app_id = "app", .seq = 1, .schema = columns({{"a", "long"}, {"b", "long"}})};
    Field inner;
    inner.name = "s";
    inner.type.kind = TypeKind::kStruct;
    inner.type.fields = columns({{"x", "long"}, {"y", "long"}}).fields;
    one.schema.fields.push_back(inner);
    one.files.push_back({.path = "f",
                         .size = 1,
                         .rows = 1,
                         .stats = R"({"numRecords":1,"minValues":{"a":1,"b":2,"s":{"x":3,"y":4}},)"
                                  R"("nullCount":{"a":0,"b":0,"s":{"x":0,"y":0}}})"});
    run_task(table->append(one));
    return run_task(table->snapshot())->files[0].stats;
  };
  const char* all = R"({"numRecords":1,"minValues":{"a":1,"b":2,"s":{"x":3,"y":4}},)"
                    R"("nullCount":{"a":0,"b":0,"s":{"x":0,"y":0}}})";
  EXPECT_EQ(stats_with({}), all);
  EXPECT_EQ(stats_with({{"delta.dataSkippingNumIndexedCols", "-1"}}), all);
  EXPECT_EQ(stats_with({{"delta.dataSkippingNumIndexedCols", "4"}}), all);
  EXPECT_EQ(stats_with({{"delta.dataSkippingNumIndexedCols", "3"}}),
            R"({"numRecords":1,"minValues":{"a":1,"b":2,"s":{"x":3}},)"
            R"("nullCount":{"a":0,"b":0,"s":{"x":0}}})");
  EXPECT_EQ(stats_with({{"delta.dataSkippingNumIndexedCols", "0"}}),
            R"({"numRecords":1,"minValues":{},"nullCount":{}})");
  EXPECT_EQ(stats_with({{"delta.dataSkippingStatsColumns", "b, `s`.y"}}),
            R"({"numRecords":1,"minValues":{"b":2,"s":{"y":4}},"nullCount":{"b":0,"s":{"y":0}}})");
  EXPECT_EQ(stats_with({{"delta.dataSkippingStatsColumns", "s"}}),
            R"({"numRecords":1,"minValues":{"s":{"x":3,"y":4}},"nullCount":{"s":{"x":0,"y":0}}})");
}
TEST_F(UpkeepTest, TakesAwaySidecarsThatNoCheckpointNamesAnyMore) {
  const auto table = open({.properties = {{"delta.logRetentionDuration", "interval 3 days"}}});
  for (std::uint64_t i = 1; i <= 12; ++i) append(*table, rows("app", i));
  const auto sidecar_checkpoint = [&](std::int64_t version, char id, const std::string& sidecars) {
    std::string lines = fmt::format(R"({{"checkpointMetadata":{{"version":{}}}}})", version);
    for (const char name : sidecars) {
      const std::string path = fmt::format("{}.parquet", name);
      put("_delta_log/_sidecars/" + path, "x");
      lines += "\n" + fmt::format(R"({{"sidecar":{{"path":"{}","sizeInBytes":1}}}})", path);
    }
    put(fmt::format("_delta_log/{:020}.checkpoint.{}0a083e8-7026-4e79-81be-64bd76c43a11.json",
                    version, id),
        lines);
  };
  sidecar_checkpoint(5, '1', "ab");
  sidecar_checkpoint(11, '2', "bc");
  put("_delta_log/_sidecars/left.parquet", "of a checkpoint that never came to be");
  clock_.advance(days(5));
  put("_delta_log/_sidecars/young.parquet", "of one that is under way");
  for (std::uint64_t i = 13; i <= 21; ++i) append(*table, rows("app", i));
  // Checkpoint 5 is gone, 11 is needed still.
  EXPECT_FALSE(has("_delta_log/_sidecars/a.parquet"));
  EXPECT_FALSE(has("_delta_log/_sidecars/left.parquet"));
  EXPECT_TRUE(has("_delta_log/_sidecars/b.parquet"));
  EXPECT_TRUE(has("_delta_log/_sidecars/c.parquet"));
  EXPECT_TRUE(has("_delta_log/_sidecars/young.parquet"));
}

}  // namespace
}  // namespace headrace::delta
