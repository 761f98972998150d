#include "upkeep/row_changes.h"

#include "testing/upkeep_fixture.h"

namespace headrace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class RowChanges : public UpkeepTest {
 protected:
  using Set = std::vector<std::pair<std::string, std::string>>;

  RowChangeReport remove(std::string where, bool dry_run = false) {
    return run_task(delete_rows(rewriter_, *table_, *store_, {std::move(where), dry_run}));
  }
  RowChangeReport update(Set set, std::string where) {
    return run_task(
        update_rows(rewriter_, *table_, *store_, std::move(set), {std::move(where), false}));
  }
  std::vector<std::string> all() { return rows("SELECT * FROM t ORDER BY ALL"); }
};

TEST_F(RowChanges, RewriteOnlyTheFilesThatHoldSuchRows) {
  run_task(add("{\"id\":1}\n{\"id\":2}\n"));
  run_task(add("{\"id\":3}\n{\"id\":4}\n"));
  run_task(add("{\"id\":5}\n"));
  const auto before = paths();
  const RowChangeReport report = remove("id IN (2, 5)");
  EXPECT_EQ(report.rows, 2u);
  EXPECT_EQ(report.files_rewritten, 1u);
  EXPECT_EQ(report.files_removed, 1u);
  EXPECT_EQ(report.before.rows, 5u);
  EXPECT_EQ(report.after.rows, 3u);
  EXPECT_THAT(all(), ElementsAre("1", "3", "4"));
  int kept = 0;
  for (const std::string& path : before)
    kept += static_cast<int>(testing::Value(paths(), Contains(path)));
  EXPECT_EQ(kept, 1);
  EXPECT_THAT(commit(report.version), HasSubstr("\"operation\":\"DELETE\""));
  EXPECT_FALSE(left_something());
}

TEST_F(RowChanges, KeepRowsOfWhichTheConditionIsUnknown) {
  run_task(add("{\"id\":1,\"n\":null}\n{\"id\":2,\"n\":5}\n{\"id\":3,\"n\":6}\n"));
  remove("n > 5");
  EXPECT_THAT(all(), ElementsAre("1|NULL", "2|5"));
  update({{"n", "n + 1"}}, "n < 10");
  EXPECT_THAT(all(), ElementsAre("1|NULL", "2|6"));
}

TEST_F(RowChanges, OpenNoFileForAConditionOnPartitions) {
  reopen({.partition_by = {"day"}});
  run_task(add("{\"id\":1,\"day\":\"a\"}\n{\"id\":2,\"day\":\"b\"}\n{\"id\":3,\"day\":null}\n"));
  opened_ = 0;
  const RowChangeReport report = remove("day = 'a' OR day IS NULL");
  EXPECT_EQ(opened_, 0u);
  EXPECT_EQ(report.rows, 2u);
  EXPECT_EQ(report.files_removed, 2u);
  EXPECT_THAT(all(), ElementsAre("2|b"));
}

TEST_F(RowChanges, OpenOnlyFilesThatMayHoldSuchRows) {
  run_task(add("{\"id\":1}\n"));
  run_task(add("{\"id\":100}\n"));
  opened_ = 0;
  remove("id > 50");
  EXPECT_EQ(opened_, 1u);
  EXPECT_THAT(all(), ElementsAre("1"));
}

TEST_F(RowChanges, CanEmptyATable) {
  run_task(add("{\"id\":1}\n"));
  EXPECT_EQ(remove("true").rows, 1u);
  EXPECT_THAT(all(), IsEmpty());
  run_task(add("{\"id\":2}\n"));
  EXPECT_THAT(all(), ElementsAre("2"));
}

TEST_F(RowChanges, DoNothingWhereNothingMatches) {
  run_task(add("{\"id\":1}\n"));
  const auto version = snapshot().version;
  const RowChangeReport report = remove("id = 7");
  EXPECT_FALSE(report.committed);
  EXPECT_EQ(snapshot().version, version);
  EXPECT_EQ(remove("id = 1", true).rows, 1u);  // A dry run.
  EXPECT_EQ(snapshot().version, version);
}

TEST_F(RowChanges, SetColumnsToWhatTheRowGives) {
  run_task(add("{\"a\":1,\"b\":10,\"c\":\"x\"}\n{\"a\":2,\"b\":20,\"c\":\"y\"}\n"));
  const RowChangeReport report =
      update({{"a", "b"}, {"b", "a"}, {"c", "upper(c) -- shout"}}, "a = 2 -- the second");
  EXPECT_EQ(report.rows, 1u);
  EXPECT_EQ(report.after.rows, 2u);
  EXPECT_THAT(all(), ElementsAre("1|10|x", "20|2|Y"));
  EXPECT_THAT(commit(report.version), HasSubstr("\"operation\":\"UPDATE\""));
}

TEST_F(RowChanges, KeepUpWithOtherWriters) {
  run_task(add("{\"id\":1}\n{\"id\":2}\n"));
  int times = 0;
  std::function<Task<>()> disturb = [&]() -> Task<> {
    if (++times < 3) before_reading_ = disturb;
    co_await add(fmt::format("{{\"id\":{}}}\n", 10 + times));
    const auto now = co_await table_->snapshot();
    Change change;
    change.remove = {now->files[0].path};
    NewFile again{.path = table_->new_data_path({}),
                  .size = now->files[0].size,
                  .rows = *now->files[0].rows,
                  .stats = now->files[0].stats};
    co_await store_->copy(table_->key_of(now->files[0].path), table_->key_of(again.path), {});
    change.add = {again};
    change.schema = now->schema;
    change.read_version = now->version;
    change.read = {.kind = ReadScope::Kind::kTable};
    co_await table_->change(std::move(change));
  };
  before_reading_ = disturb;
  remove("id = 2 OR id >= 11");
  EXPECT_THAT(rows("SELECT id FROM t WHERE id < 10"), ElementsAre("1"));
}

TEST_F(RowChanges, SayWhatIsWrong) {
  const auto refused = [](const auto& work) { return refusal(ErrorKind::kInvalid, work); };
  EXPECT_THAT(refused([&] { remove("true"); }), HasSubstr("no table yet"));
  reopen({.partition_by = {"day"}});
  run_task(add("{\"id\":1,\"day\":\"a\"}\n"));
  EXPECT_THAT(refused([&] { remove("idd = 1"); }), HasSubstr("idd"));
  EXPECT_THAT(refused([&] { remove("id ="); }), HasSubstr("syntax error"));
  EXPECT_THAT(refused([&] { update({{"x", "1"}}, "true"); }), HasSubstr("no column is named x"));
  EXPECT_THAT(refused([&] { update({{"day", "'b'"}}, "true"); }), HasSubstr("parts the table"));
  EXPECT_THAT(refused([&] { update({{"id", "'x'"}}, "true"); }), HasSubstr("'x'"));
  EXPECT_THAT(all(), ElementsAre("1|a"));
  EXPECT_FALSE(left_something());
}

}  // namespace
}  // namespace headrace
