// Commits that take files away: deletes, rewrites, overwrites, and what stands in their way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "testing/delta_fixture.h"

namespace headrace::delta {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DeltaChangeTest : public DeltaTableTest {
 protected:
  static NewFile file(std::string path, std::uint64_t rows = 2, PartitionValues partition = {}) {
    return {.path = std::move(path), .partition = std::move(partition), .size = 10, .rows = rows};
  }
  /// Takes `remove` away for `add`, decided on the newest version.
  Change rewrite(Table& table, std::vector<std::string> remove, std::vector<NewFile> add) {
    Change change;
    change.operation = "UPDATE";
    change.schema = columns({{"a", "long"}});
    change.remove = std::move(remove);
    change.add = std::move(add);
    change.read_version = run_task(table.snapshot())->version;
    return change;
  }
  ChangeResult change(Table& table, Change change) {
    clock_.advance(std::chrono::seconds(1));
    return run_task(table.change(std::move(change)));
  }
  std::string conflict(Table& table, Change change) {
    return refusal(ErrorKind::kConflict, [&] { this->change(table, std::move(change)); });
  }
  std::vector<std::string> now(Table& table) { return paths(*run_task(table.snapshot())); }

  // A table by day.
  std::unique_ptr<Table> open_by_day(TableOptions options = {}) {
    options.partition_by = {"day"};
    return open(std::move(options));
  }
  Change of_days(std::vector<NewFile> add, Overwrite overwrite = {}) {
    Change change;
    change.schema = columns({{"a", "long"}, {"day", "date"}});
    change.add = std::move(add);
    change.overwrite = std::move(overwrite);
    return change;
  }
  static PartitionValues day(const char* text) { return {{"day", text}}; }
  static Overwrite days(std::vector<PartitionValues> partitions) {
    return {.kind = Overwrite::Kind::kPartitions, .partitions = std::move(partitions)};
  }
  static inline const Overwrite kWhole{.kind = Overwrite::Kind::kTable, .partitions = {}};
  static inline const Overwrite kDynamic{.kind = Overwrite::Kind::kAddedPartitions,
                                         .partitions = {}};
};

TEST_F(DeltaChangeTest, RemovesAndAddsInOneCommit) {
  const auto table = open();
  append(*table, rows("app", 1, "dir/a b"));
  append(*table, rows("app", 2, "kept"));
  const ChangeResult done = change(*table, rewrite(*table, {"dir/a b"}, {file("rest", 1)}));
  EXPECT_EQ(done.version, 2);
  EXPECT_EQ(done.removed, 1u);
  EXPECT_THAT(now(*table), ElementsAre("kept", "rest"));
  EXPECT_THAT(commit(2),
              AllOf(HasSubstr(R"("operation":"UPDATE")"), HasSubstr(R"("isBlindAppend":false)"),
                    HasSubstr(R"("isolationLevel":"WriteSerializable")"),
                    HasSubstr(R"({"remove":{"path":"dir/a%20b","deletionTimestamp":)"),
                    HasSubstr(R"("dataChange":true,"extendedFileMetadata":true,)"
                              R"("partitionValues":{},"size":10}})"),
                    Not(HasSubstr(R"("txn":)"))));
  EXPECT_THAT(paths(*run_task(table->snapshot_at_version(1))), ElementsAre("dir/a b", "kept"));
}

TEST_F(DeltaChangeTest, IsDoneOnceUnderOneSequenceNumber) {
  const auto table = open();
  append(*table, rows("app", 1, "old"));
  Change first = rewrite(*table, {"old"}, {file("new")});
  first.app_id = "app";
  first.seq = 2;
  EXPECT_FALSE(change(*table, first).already_done);
  EXPECT_TRUE(change(*table, first).already_done);
  EXPECT_THAT(now(*table), ElementsAre("new"));
}

TEST_F(DeltaChangeTest, CarriesTheDeletionVectorOfWhatItRemoves) {
  const auto table = open();
  append(*table, rows("app", 1, "f"));
  put_commit(1, R"({"remove":{"path":"f","dataChange":true}})"
                "\n"
                R"({"add":{"path":"f","size":5,"partitionValues":{},"tags":{"k":null},)"
                R"("deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,)"
                R"("cardinality":1}}})");
  change(*table, rewrite(*table, {"f"}, {file("g", 1)}));
  EXPECT_THAT(commit(2), HasSubstr(R"("tags":{"k":null},"deletionVector":{"storageType":"i",)"
                                   R"("pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}})"));
  EXPECT_THAT(now(*table), ElementsAre("g"));
}

TEST_F(DeltaChangeTest, GoesOnBesideBlindAppends) {
  const auto table = open();
  append(*table, rows("app", 1, "old"));
  Change ours = rewrite(*table, {"old"}, {file("new")});
  ours.read.kind = ReadScope::Kind::kTable;
  append(*open(), rows("other", 1, "theirs"));
  EXPECT_EQ(change(*table, ours).version, 2);
  EXPECT_THAT(now(*table), ElementsAre("new", "theirs"));
}

TEST_F(DeltaChangeTest, IsInConflictOverAFileThatAnotherRemoved) {
  const auto table = open();
  append(*table, rows("app", 1, "old"));
  const Change ours = rewrite(*table, {"old"}, {file("ours")});
  const auto other = open();
  change(*other, rewrite(*other, {"old"}, {file("theirs")}));
  EXPECT_THAT(conflict(*table, ours),
              HasSubstr("lake/people: version 1 came after version 0 was read, and is in the way: "
                        "it removed old, which is to be removed; read the table again"));
  EXPECT_THAT(now(*table), ElementsAre("theirs"));
}

TEST_F(DeltaChangeTest, SeesTheConflictAlsoWhenItLostTheRaceForTheVersion) {
  const auto table = open();
  append(*table, rows("app", 1, "old"));
  const Change ours = rewrite(*table, {"old"}, {file("ours")});
  store_.add({.kind = StoreFault::Kind::kDelay,
              .call = StoreCall::kPut,
              .key = "lake/people/_delta_log/",
              .times = 1,
              .delay = std::chrono::hours(1)});
  boost::asio::io_context loop;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, table->change(ours),
                        [&](std::exception_ptr thrown, const ChangeResult&) { failure = thrown; });
  loop.poll();  // It looked, found nobody in its way, and is about to write version 1.
  const auto other = open();
  change(*other, rewrite(*other, {"old"}, {file("theirs")}));
  clock_.advance(std::chrono::hours(1));
  loop.restart();
  loop.run();
  ASSERT_TRUE(failure);
  EXPECT_THAT(refusal(ErrorKind::kConflict, [&] { std::rethrow_exception(failure); }),
              HasSubstr("it removed old"));
}

TEST_F(DeltaChangeTest, IsInConflictOverNewColumnsButAnAppendIsNot) {
  const auto table = open();
  append(*table, rows("app", 1, "old"));
  const Change ours = rewrite(*table, {"old"}, {file("ours")});
  Append wider = rows("other", 1, "wide");
  wider.schema = columns({{"a", "long"}, {"b", "long"}});
  append(*open(), wider);
  EXPECT_THAT(conflict(*table, ours), HasSubstr("columns or properties"));
  EXPECT_FALSE(append(*table, rows("app", 2)).already_done);
}

TEST_F(DeltaChangeTest, MovesRowsWithoutChangingThem) {
  const auto table = open();
  append(*table, rows("app", 1, "one"));
  append(*table, rows("app", 2, "two"));
  Change optimize = rewrite(*table, {"one", "two"}, {file("big", 4)});
  optimize.operation = "OPTIMIZE";
  optimize.data_change = false;
  append(*open(), rows("other", 1, "theirs"));
  change(*table, optimize);
  EXPECT_THAT(now(*table), ElementsAre("big", "theirs"));
  EXPECT_THAT(commit(3), AllOf(HasSubstr(R"("isolationLevel":"SnapshotIsolation")"),
                               Not(HasSubstr(R"("dataChange":true)"))));
}

TEST_F(DeltaChangeTest, RefusesARewriteThatLosesRows) {
  const auto table = open();
  append(*table, rows("app", 1, "one"));
  Change optimize = rewrite(*table, {"one"}, {file("big", 1)});
  optimize.data_change = false;
  EXPECT_THAT(refusal(ErrorKind::kBug, [&] { change(*table, optimize); }),
              HasSubstr("a rewrite of 2 rows has 1 rows"));
  EXPECT_EQ(commit(1), "(none)");
}

TEST_F(DeltaChangeTest, SaysThatAFileIsNotThere) {
  const auto table = open();
  append(*table, rows("app", 1, "one"));
  EXPECT_THAT(conflict(*table, rewrite(*table, {"two"}, {})), HasSubstr("two is to be removed"));
}

TEST_F(DeltaChangeTest, NoticesThatTheTableWasMadeAnew) {
  const auto table = open();
  append(*table, rows("app", 1, "one"));
  append(*table, rows("app", 2, "two"));
  const Change ours = rewrite(*table, {"one"}, {});
  remove("_delta_log/" + commit_name(0));
  remove("_delta_log/" + commit_name(1));
  append(*open(), rows("new", 1, "one"));
  EXPECT_THAT(conflict(*table, ours), HasSubstr("the table was dropped since version 1 was read"));
}

// -------- Overwrites

TEST_F(DeltaChangeTest, OverwritesTheWholeTable) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01")), file("b", 1, day("2024-01-02"))}));
  EXPECT_EQ(change(*table, of_days({file("c", 1, day("2024-01-03"))}, kWhole)).removed, 2u);
  EXPECT_THAT(now(*table), ElementsAre("c"));
  EXPECT_THAT(commit(1), HasSubstr(R"("operationParameters":{"mode":"Overwrite")"));
  EXPECT_EQ(change(*table, of_days({}, kWhole)).removed, 1u);
  EXPECT_THAT(now(*table), IsEmpty());
}

TEST_F(DeltaChangeTest, MakesTheTableByAnOverwrite) {
  const auto table = open_by_day();
  EXPECT_EQ(change(*table, of_days({file("a", 1, day("2024-01-01"))}, kDynamic)).version, 0);
  EXPECT_THAT(now(*table), ElementsAre("a"));
}

TEST_F(DeltaChangeTest, OverwritesGivenPartitions) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01")), file("b", 1, day("2024-01-02")),
                          file("n", 1, {{"day", std::nullopt}})}));
  change(*table, of_days({file("c", 1, day("2024-01-01"))},
                         days({day("2024-01-01"), {{"day", std::nullopt}}})));
  EXPECT_THAT(now(*table), ElementsAre("b", "c"));
}

TEST_F(DeltaChangeTest, OverwritesThePartitionsThatItBrings) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01")), file("b", 1, day("2024-01-02"))}));
  change(*table,
         of_days({file("c", 1, day("2024-01-02")), file("d", 1, day("2024-01-02"))}, kDynamic));
  EXPECT_THAT(now(*table), ElementsAre("a", "c", "d"));
}

TEST_F(DeltaChangeTest, TwoOverwritesOfAnEmptyPartitionAreInConflict) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01"))}));
  for (const Overwrite& how : {kDynamic, days({day("2024-01-02")}), kWhole}) {
    Change ours = of_days({file("ours", 1, day("2024-01-02"))}, how);
    ours.read_version = run_task(table->snapshot())->version;
    const auto other = open_by_day();
    change(*other, of_days({file("theirs", 1, day("2024-01-02"))}, kDynamic));
    EXPECT_THAT(conflict(*table, ours), HasSubstr("it added theirs"));
    // One that does not stand on what was there takes it away.
    ours.read_version.reset();
    change(*table, ours);
    EXPECT_THAT(now(*table), testing::Contains("ours"));
    EXPECT_THAT(now(*table), Not(testing::Contains("theirs")));
    change(*table, of_days({}, kWhole));
  }
}

TEST_F(DeltaChangeTest, LeavesBlindAppendsThatCameAfterWhatItRead) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01"))}));
  Change ours = of_days({file("ours", 1, day("2024-01-01"))}, kWhole);
  ours.read_version = 0;
  change(*open_by_day(), of_days({file("theirs", 1, day("2024-01-01"))}));
  change(*table, ours);
  EXPECT_THAT(now(*table), ElementsAre("ours", "theirs"));
}

TEST_F(DeltaChangeTest, GoesByTheTablesIsolationLevel) {
  const auto table = open_by_day({.properties = {{"delta.isolationLevel", "Serializable"}}});
  change(*table, of_days({file("a", 1, day("2024-01-01"))}));
  Change ours = of_days({file("ours", 1, day("2024-01-01"))}, kDynamic);
  ours.read_version = 0;
  change(*open_by_day(), of_days({file("theirs", 1, day("2024-01-01"))}));
  EXPECT_THAT(conflict(*table, ours), HasSubstr("it added theirs"));
}

struct RefusedChangeCase {
  const char* name;
  std::function<void(Change&)> change;
  const char* says;
};
class RefusedChangeTest : public DeltaChangeTest,
                          public testing::WithParamInterface<RefusedChangeCase> {};

TEST_P(RefusedChangeTest, WritesNothingAndSaysWhy) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01"))}));
  Change bad = of_days({file("b", 1, day("2024-01-01"))}, kDynamic);
  GetParam().change(bad);
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { change(*table, bad); }),
              HasSubstr(GetParam().says));
  EXPECT_EQ(commit(1), "(none)");
}

INSTANTIATE_TEST_SUITE_P(
    Changes, RefusedChangeTest,
    testing::Values(RefusedChangeCase{"OutsideOfThePartitions",
                                      [](Change& c) {
                                        c.overwrite = {.kind = Overwrite::Kind::kPartitions,
                                                       .partitions = {{{"day", "2024-01-02"}}}};
                                      },
                                      "b lies in none of the partitions"},
                    RefusedChangeCase{"NoPartitionColumn",
                                      [](Change& c) {
                                        c.overwrite = {.kind = Overwrite::Kind::kPartitions,
                                                       .partitions = {{{"a", "1"}}}};
                                      },
                                      "a is no partition column: it is partitioned by day"},
                    RefusedChangeCase{"PartitionWithoutValues",
                                      [](Change& c) {
                                        c.overwrite = {.kind = Overwrite::Kind::kPartitions,
                                                       .partitions = {{}}};
                                      },
                                      "without any value"},
                    RefusedChangeCase{"PartitionValueOfAnotherType",
                                      [](Change& c) {
                                        c.overwrite = {.kind = Overwrite::Kind::kPartitions,
                                                       .partitions = {{{"day", "x"}}}};
                                      },
                                      "'x' is no date"},
                    RefusedChangeCase{"AddedAndRemoved", [](Change& c) { c.add[0].path = "a"; },
                                      "a is both added and removed"}),
    [](const auto& row) { return row.param.name; });

/// An overwrite takes rows away, never columns: readers of the table go on.
TEST_F(DeltaChangeTest, AnOverwriteKeepsTheColumnsAndMayAddSome) {
  const auto table = open_by_day();
  change(*table, of_days({file("a", 1, day("2024-01-01"))}));
  for (const Overwrite& overwrite : {kWhole, kDynamic, days({day("2024-01-01")})}) {
    const std::string path = "b" + std::to_string(run_task(table->snapshot())->version);
    Change other = of_days({file(path, 1, day("2024-01-01"))}, overwrite);
    other.schema = columns({{"b", "string"}, {"day", "date"}});
    change(*table, other);
    EXPECT_THAT(now(*table), ElementsAre(path));
    EXPECT_EQ(run_task(table->snapshot())->schema,
              columns({{"a", "long"}, {"day", "date"}, {"b", "string"}}));
    other.schema = columns({{"a", "string"}, {"day", "date"}});
    other.add = {file("c", 1, day("2024-01-01"))};
    EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { change(*table, other); }),
                HasSubstr("column a is long in the table and string in the new rows, and a table "
                          "keeps its columns' types: cast it in the rows, or write them to another "
                          "table"));
    EXPECT_THAT(now(*table), ElementsAre(path));
  }
}

TEST_F(DeltaChangeTest, KeepsTheRowsOfATableThatIsAppendOnly) {
  const auto table = open({.properties = {{"delta.appendOnly", "true"}}});
  append(*table, rows("app", 1, "one"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { change(*table, rewrite(*table, {"one"}, {})); }),
              HasSubstr("delta.appendOnly"));
  Change optimize = rewrite(*table, {"one"}, {file("big", 2)});
  optimize.data_change = false;
  EXPECT_EQ(change(*table, optimize).version, 1);
}

TEST_F(DeltaChangeTest, RefusesToRewriteRowsWhereTheirChangesAreRecorded) {
  put_commit(0, R"({"protocol":{"minReaderVersion":1,"minWriterVersion":4}})"
                "\n"
                R"({"metaData":{"id":"i","schemaString":)"
                R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",)"
                R"(\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],)"
                R"("configuration":{"delta.enableChangeDataFeed":"true"}}})");
  const auto table = open();
  append(*table, rows("app", 1, "one"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid,
                      [&] { change(*table, rewrite(*table, {"one"}, {file("two", 1)})); }),
              HasSubstr("'changeDataFeed'"));
  Change whole = rewrite(*table, {}, {file("two", 1)});
  whole.overwrite = kWhole;
  EXPECT_EQ(change(*table, whole).removed, 1u);
}

TEST_F(DeltaChangeTest, RefusesPropertiesThatItDoesNotKnow) {
  const auto says = [&](std::map<std::string, std::string> properties) {
    const auto table = open({.properties = std::move(properties)});
    return refusal(ErrorKind::kInvalid, [&] { append(*table, rows("app", 1)); });
  };
  EXPECT_THAT(says({{"delta.enableDeletionVectors", "true"}}),
              HasSubstr("no property delta.enableDeletionVectors"));
  EXPECT_THAT(says({{"delta.checkpointInterval", "0"}}),
              HasSubstr("delta.checkpointInterval is '0', and takes a number of commits"));
  EXPECT_THAT(says({{"delta.logRetentionDuration", "soon"}}), HasSubstr("takes an interval"));
  const auto table = open({.properties = {{"delta.checkpointInterval", "3"}, {"owner", "me"}}});
  append(*table, rows("app", 1));
  EXPECT_THAT(
      run_task(table->snapshot())->properties,
      ElementsAre(testing::Pair("delta.checkpointInterval", "3"), testing::Pair("owner", "me")));
}

}  // namespace
}  // namespace headrace::delta
