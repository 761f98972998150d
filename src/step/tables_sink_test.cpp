#include "step/tables_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "testing/table_sink_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr FollowConfig kAppend{};
constexpr FollowConfig kReplace{OnOverwrite::kReplace, OnDelete::kRemove};

/// A batch whose log entry is still on its way to the store when its process dies, and what the
/// next one does about it.
class TablesSinkTest : public TableSinkFixture {
 protected:
  TablesSinkTest() { restart(kAppend); }

  void log_entries_are(StoreFault::Kind kind, ErrorKind error = ErrorKind::kTransient,
                       std::uint64_t late_by = std::numeric_limits<std::uint64_t>::max()) {
    store_->add({.kind = kind,
                 .call = StoreCall::kPut,
                 .key = "tables/" + folder_of_t_ + "/_delta_log",
                 .error = error,
                 .late_by = late_by});
  }
  /// Prepares and begins to commit; its answer is lost, and what was on its way lands later.
  std::unique_ptr<Sink::Prepared> leave_late(
      std::vector<Event> events,
      std::uint64_t late_by = std::numeric_limits<std::uint64_t>::max()) {
    auto prepared = prepare(std::move(events));
    log_entries_are(StoreFault::Kind::kLate, ErrorKind::kTransient, late_by);
    EXPECT_THROW(commit(*prepared), Error);
    store_->clear();
    return prepared;
  }
  /// Asks as the work room does, until there is an answer.
  bool resolve(const Bytes& plan) {
    for (int tries = 0;; ++tries) {
      try {
        return run(sink_->resolve(plan));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
        if (tries == 5) throw;
      }
    }
  }
  /// Another writer adds a file to the table; false if it does not fit.
  bool another_writes(Schema schema) {
    auto other = Catalog(stores_, {*catalog_->config_of("t")}, real_clock(), real_random(),
                         silent_log(), nullptr);
    Table& table = other.open("t");
    NewFile file{
        .path = table.new_data_path({}), .partition = {}, .size = 1, .rows = 0, .stats = {}};
    try {
      run(table.append(
          {.app_id = "other", .seq = 1, .schema = std::move(schema), .files = {std::move(file)}}));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.what();
      return false;
    }
    return true;
  }
  std::string operation() { return run(catalog_->open("t").history(1)).at(0).operation; }
};

/// Whenever the late commit of a batch lands, its rows and those of the batch that comes after are
/// in the table once.
TEST_F(TablesSinkTest, ARowIsInTheTableOnceWheneverALateCommitLands) {
  for (const FollowConfig follow : {kAppend, kReplace}) {
    bool in_time = true;
    for (std::uint64_t calls = 1; in_time; ++calls) {  // 0: the commit itself sees it.
      folder_of_t_ = fmt::format("t-{}-{}", follow.any(), calls);
      restart(follow);
      batch({put("a", "{\"n\":1}\n"), put("b", "{\"n\":2}\n")});
      const std::vector<Event> events = {put("a", "{\"n\":3}\n"), put("c", "{\"n\":4}\n")};
      const Bytes plan = leave_late(events, calls)->plan;
      restart(follow);
      EXPECT_TRUE(resolve(plan));
      batch({put("d", "{\"n\":5}\n")});
      in_time = run(store_->land()) == 0;
      restart(follow);
      std::vector<std::string> expected = {"2", "3", "4", "5"};
      if (!follow.any()) expected.insert(expected.begin(), "1");
      ASSERT_THAT(rows(), ElementsAreArray(expected)) << folder_of_t_;
      ASSERT_LT(calls, 200u);
    }
  }
}

/// The same when the table would not take the batch any more, so that it has to be done anew.
TEST_F(TablesSinkTest, ABatchIsDoneAnewOnlyIfItsLateCommitCannotLand) {
  bool in_time = true;
  std::size_t anew = 0;
  for (std::uint64_t calls = 1; in_time; ++calls) {
    folder_of_t_ = fmt::format("t-{}", calls);
    restart(kAppend);
    batch({put("a", "{\"n\":1}\n")});
    std::vector<Event> events = {put("b", "{\"n\":2,\"m\":true}\n")};
    const auto prepared = leave_late(events, calls);
    const auto& made = static_cast<const TablesPrepared&>(*prepared).batch.tables.at(0);
    // A vacuum that came too early, so that nothing but the batch itself may bring the next
    // version.
    const ObjectKey file = catalog_->open("t").key_of(made.append.files.at(0).path);
    const Bytes bytes = run(read_all(*run(store_->get(file, {}))->body, 1u << 20));
    run(store_->remove(file, {}));
    restart(kAppend);
    const bool done = resolve(prepared->plan);
    run(store_->put(file, bytes));
    anew += done ? 0 : 1;
    if (done) events.clear();
    events.push_back(put("c", "{\"n\":3}\n"));
    batch(events);
    in_time = run(store_->land()) == 0;
    restart(kAppend);
    ASSERT_THAT(rows(), ElementsAre("1", "2", "3")) << folder_of_t_;
    ASSERT_LT(calls, 200u);
  }
  EXPECT_GT(anew, 3u);
}

TEST_F(TablesSinkTest, ABatchThatAnotherWritersColumnsDoNotSuitIsDoneAnew) {
  batch({put("a", "{\"n\":1}\n")});
  const std::vector<Event> events = {put("b", "{\"n\":2,\"m\":true}\n")};
  const auto prepared = leave_late(events);
  Schema schema = run(catalog_->open("t").snapshot())->schema;
  schema.fields.push_back({.name = "m", .type = {.kind = TypeKind::kString}});
  ASSERT_TRUE(another_writes(schema));
  restart(kAppend);
  EXPECT_FALSE(resolve(prepared->plan));
  const auto again = prepare(events);
  commit(*again);
  EXPECT_EQ(run(store_->land()), 1u);
  restart(kAppend);
  EXPECT_THAT(files(), SizeIs(3));
}

TEST_F(TablesSinkTest, TheFirstBatchOfATableIsBroughtToItsEndToo) {
  const auto prepared = leave_late({put("a", "{\"n\":1}\n")});
  restart(kAppend);
  EXPECT_TRUE(resolve(prepared->plan));
  run(store_->land());
  restart(kAppend);
  EXPECT_THAT(rows(), ElementsAre("1"));
  EXPECT_TRUE(resolve(prepared->plan));  // Harmless to repeat.
  EXPECT_THAT(rows(), ElementsAre("1"));
}

TEST_F(TablesSinkTest, APlanThatOnlyKnowsItsNumberIsDoneAnewUnlessItLanded) {
  batch({put("a", "{\"n\":1}\n")});
  const std::string plan =
      R"({"kind":"tables","rows":0,"tables":[{"table":"t","app_id":"app","seq":2}]})";
  const std::vector<Event> events = {put("b", "{\"n\":2}\n")};
  leave_late(events);
  restart(kAppend);
  EXPECT_FALSE(resolve(plan));
  EXPECT_EQ(operation(), "CLOSE BATCH");
  batch(events);
  run(store_->land());
  restart(kAppend);
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
  EXPECT_TRUE(resolve(plan));
}

TEST_F(TablesSinkTest, ACommitThatIsRefusedLeavesNoDoubtAndNoTrace) {
  batch({put("a", "{\"n\":1}\n")});
  const auto prepared = prepare({put("b", "{\"n\":2}\n")});
  log_entries_are(StoreFault::Kind::kFailBefore, ErrorKind::kInvalid);
  EXPECT_THROW(commit(*prepared), Error);
  store_->clear();
  EXPECT_FALSE(resolve(prepared->plan));
  EXPECT_EQ(version(), 0);
}

TEST_F(TablesSinkTest, WhileNothingCanBeWrittenAPlanIsKept) {
  batch({put("a", "{\"n\":1}\n")});
  const auto prepared = leave_late({put("b", "{\"n\":2}\n")});
  restart(kAppend);
  log_entries_are(StoreFault::Kind::kFailBefore, ErrorKind::kInvalid);
  try {
    resolve(prepared->plan);
    ADD_FAILURE() << "it may still land";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("table t: "));
    EXPECT_THAT(error.what(), HasSubstr("the route waits until the table can be written"));
  }
  store_->clear();
  EXPECT_TRUE(resolve(prepared->plan));
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
}

TEST_F(TablesSinkTest, ATableThatIsInTheStackNoMoreHoldsUpNothing) {
  batch({put("a", "{\"n\":1}\n")});
  const auto prepared = leave_late({put("b", "{\"n\":2}\n")});
  Bytes plan = prepared->plan;
  plan.replace(plan.find("\"t\""), 3, "\"gone\"");
  EXPECT_FALSE(resolve(plan));
}

TEST_F(TablesSinkTest, RowsToRemoveAreInThePlanToo) {
  restart(kReplace);
  batch({put("a", "{\"n\":1}\n"), put("b", "{\"n\":2}\n")});
  const auto prepared = leave_late({remove("a")});
  restart(kReplace);
  EXPECT_TRUE(resolve(prepared->plan));
  run(store_->land());
  restart(kReplace);
  EXPECT_THAT(rows(), ElementsAre("2"));
}

TEST_F(TablesSinkTest, APlanToReplaceRowsIsDoneAnewByARouteThatFollowsNoMore) {
  restart(kReplace);
  batch({put("a", "{\"n\":1}\n")});
  const std::vector<Event> events = {put("a", "{\"n\":2}\n")};
  const auto prepared = leave_late(events);
  restart(kAppend);
  EXPECT_FALSE(resolve(prepared->plan));
  batch(events);
  run(store_->land());
  restart(kAppend);
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
}

TEST_F(TablesSinkTest, PlansOfOtherSinksAreNoneOfIts) {
  EXPECT_FALSE(resolve(""));
  EXPECT_FALSE(resolve(R"({"kind":"objects"})"));
  EXPECT_THROW(run(sink_->resolve(R"({"kind":"tables"})")), Error);
}

TEST(TableBatchPlan, ReadsBackWhatItWrote) {
  TableBatch batch;
  batch.rows = 3;
  TableBatch::One& one = batch.tables.emplace_back();
  one.table = "t";
  one.append.app_id = "s/r/t";
  one.append.seq = 7;
  one.append.schema.fields.push_back({.name = "a \"b\""});
  one.append.files.push_back({.path = "p=1/x.parquet",
                              .partition = {{"p", "1"}, {"q", std::nullopt}},
                              .size = 9,
                              .rows = 3,
                              .stats = R"({"numRecords":3})"});
  one.outdated = {"lake://in/\"a\"", "lake://in/b"};
  const auto back = decode_table_batch(encode(batch)).value();
  EXPECT_EQ(back.rows, 3u);
  ASSERT_EQ(back.tables.size(), 1u);
  const TableBatch::One& read = back.tables[0];
  EXPECT_EQ(read.table, "t");
  EXPECT_EQ(read.append.app_id, one.append.app_id);
  EXPECT_EQ(read.append.seq, one.append.seq);
  EXPECT_EQ(read.append.schema, one.append.schema);
  ASSERT_EQ(read.append.files.size(), 1u);
  EXPECT_EQ(read.append.files[0].path, one.append.files[0].path);
  EXPECT_EQ(read.append.files[0].partition, one.append.files[0].partition);
  EXPECT_EQ(read.append.files[0].size, 9u);
  EXPECT_EQ(read.append.files[0].rows, 3u);
  EXPECT_EQ(read.append.files[0].stats, one.append.files[0].stats);
  EXPECT_EQ(read.outdated, one.outdated);
  EXPECT_FALSE(read.only_numbered);
}

}  // namespace
}  // namespace headrace
