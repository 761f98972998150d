#include "step/follow.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/query.h"
#include "step/table.h"
#include "store/file/file_store.h"
#include "testing/manual_clock.h"
#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Objects in lake/in, and the table t that follows them.
class Follow : public testing::Test, public TableResolver {
 protected:
  Follow() {
    auto store = make_file_store({.path = folder_.path()}, io_, real_clock());
    store_ = store.get();
    stores_.add("lake", std::move(store));
    TableConfig config;
    config.name = "t";
    config.store = "lake";
    config.location = "tables/t";
    catalog_ = std::make_unique<Catalog>(stores_, std::vector<TableConfig>{config}, real_clock(),
                                         real_random(), silent_log(), nullptr);
    sink_ = make_sink({OnOverwrite::kReplace, OnDelete::kRemove});
  }

  std::unique_ptr<Sink> make_sink(FollowConfig config) {
    TableSinkLimits limits;
    limits.follow = config;
    limits.object_column = true;
    limits.line_column = true;
    limits.rows.emplace(TableObjects::Services{
        .resolver = *this, .random = real_random(), .engine = {}, .scratch = folder_ / "scratch"});
    return make_table_sink(
        "t", *catalog_,
        {loop_.get_executor(), stores_, io_, real_clock(), real_random(), self_writes_}, limits);
  }

  // TableResolver
  Task<std::optional<DataPlace>> find(std::string) override {
    co_return DataPlace{store_, {"tables", "t"}, DataFormat::kDelta};
  }
  Task<std::vector<std::string>> names() override { co_return std::vector<std::string>{"t"}; }
  DataPlace locate(std::string_view) override { return {}; }
  Task<std::vector<std::string>> readable_paths(Store&, std::vector<ObjectKey> objects) override {
    std::vector<std::string> paths;
    for (const ObjectKey& object : objects) paths.push_back(folder_ / object.text());
    opened_ += paths.size();
    co_return paths;
  }

  /// Writes an object; gives the event of it.
  Event put(const std::string& key, const std::string& lines) {
    const auto etag = run(store_->put({"in", key}, lines));
    return event(key, EventKind::kCreated, *etag, lines.size());
  }
  Event remove(const std::string& key) {
    run(store_->remove({"in", key}, {}));
    return event(key, EventKind::kDeleted, std::nullopt, 0);
  }
  static Event event(const std::string& key, EventKind kind, std::optional<Etag> etag,
                     std::uint64_t size) {
    Event event;
    event.id = real_random().uuid();
    event.kind = kind;
    event.store = "lake";
    event.object = {"in", key};
    event.etag = std::move(etag);
    event.size = size;
    return event;
  }

  template <class T>
  T run(Task<T> task) {
    return step_kit_run(std::move(task));
  }
  template <class T>
  T step_kit_run(Task<T> task) {
    std::optional<T> out;
    std::exception_ptr failure;
    boost::asio::co_spawn(
        loop_,
        [](Task<T> inner, std::optional<T>& result) -> Task<> {
          result.emplace(co_await std::move(inner));
        }(std::move(task), out),
        [&](std::exception_ptr ended) { failure = ended; });
    loop_.restart();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*out);
  }

  std::unique_ptr<Sink::Prepared> prepare(std::vector<Event> events) {
    return run(sink_->prepare("t", "app", std::move(events)));
  }
  std::string commit(Sink::Prepared& prepared, std::uint64_t seq) {
    return run(sink_->commit("t", prepared, "app", seq));
  }
  /// One batch from its events to its version; how each event came out.
  std::vector<Outcome> batch(std::vector<Event> events) {
    const auto prepared = prepare(std::move(events));
    if (!prepared->empty) commit(*prepared, ++seq_);
    std::vector<Outcome> outcomes;
    for (const Sink::Item& item : prepared->items) {
      EXPECT_FALSE(item.failed) << item.failed->what();
      outcomes.push_back(item.result.outcome);
    }
    return outcomes;
  }
  std::vector<std::string> rows(const std::string& columns = "n") {
    Query query({}, *this, real_clock(), real_random());
    const auto result = run(query.run("SELECT " + columns + " FROM t ORDER BY ALL"));
    std::vector<std::string> out;
    while (const auto some = run(result->next())) {
      for (std::size_t i = 0; i < some->rows; ++i) out.push_back(some->cells[i].text);
    }
    return out;
  }
  std::vector<std::string> files() {
    std::vector<std::string> out;
    const auto snapshot = run(catalog_->open("t").snapshot());
    for (const TableFile& file : snapshot->files) out.push_back(file.path);
    return out;
  }

  TempFolder folder_;
  boost::asio::io_context loop_;
  boost::asio::thread_pool io_{2};
  Stores stores_;
  Store* store_ = nullptr;
  step_kit::AnnouncedWrites self_writes_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Sink> sink_;
  std::uint64_t seq_ = 0;
  std::size_t opened_ = 0;
};

TEST_F(Follow, TheRowsOfTheNewVersionTakeThePlaceOfTheOld) {
  batch({put("a", "{\"n\":1}\n{\"n\":2}\n"), put("b", "{\"n\":10}\n")});
  batch({put("a", "{\"n\":3}\n")});
  EXPECT_THAT(rows(), ElementsAre("3", "10"));
  EXPECT_THAT(rows("_object || ':' || _line"), ElementsAre("lake://in/a:1", "lake://in/b:1"));
  const auto version = run(catalog_->open("t").snapshot())->version;
  EXPECT_EQ(version, 1);  // They came and went in one commit.
}

TEST_F(Follow, TheRowsOfADeletedObjectLeave) {
  batch({put("a", "{\"n\":1}\n"), put("b", "{\"n\":2}\n")});
  EXPECT_THAT(batch({remove("a")}), ElementsAre(Outcome::kDone));
  EXPECT_THAT(rows(), ElementsAre("2"));
  batch({remove("b")});
  EXPECT_THAT(rows(), IsEmpty());
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Follow, AnObjectThatWasEmptiedHasNoRows) {
  batch({put("a", "{\"n\":1}\n")});
  batch({put("a", "")});
  EXPECT_THAT(rows(), IsEmpty());
}

TEST_F(Follow, EventsMayComeLateTwiceAndInAnyOrder) {
  const Event first = put("a", "{\"n\":1}\n");
  const Event second = put("a", "{\"n\":2}\n");
  EXPECT_THAT(batch({second}), ElementsAre(Outcome::kDone));
  EXPECT_THAT(batch({first}), ElementsAre(Outcome::kSuperseded));
  EXPECT_THAT(rows(), ElementsAre("2"));
  batch({second});
  EXPECT_THAT(rows(), ElementsAre("2"));

  const Event gone = remove("a");
  const Event third = put("a", "{\"n\":3}\n");
  batch({third});
  EXPECT_THAT(batch({gone}), ElementsAre(Outcome::kSuperseded));  // It is there again.
  EXPECT_THAT(rows(), ElementsAre("3"));
}

TEST_F(Follow, OneEventStandsForAllOfAnObjectInABatch) {
  const Event first = put("a", "{\"n\":1}\n");
  const Event second = put("a", "{\"n\":2}\n");
  EXPECT_THAT(batch({second, first, second}),
              ElementsAre(Outcome::kSuperseded, Outcome::kSuperseded, Outcome::kDone));
  EXPECT_THAT(rows(), ElementsAre("2"));
  const Event third = put("a", "{\"n\":3}\n");
  batch({third, remove("a")});
  EXPECT_THAT(rows(), IsEmpty());
}

TEST_F(Follow, ALineThatIsRedrivenJoinsTheRowsOfItsObject) {
  const Event good = put("a", "{\"n\":1}\nbroken\n");
  batch({good});
  Event line = good;
  line.line = {.number = 2, .text = "{\"n\":2}"};
  EXPECT_THAT(batch({line}), ElementsAre(Outcome::kDone));
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
  EXPECT_THAT(rows("_line"), ElementsAre("1", "2"));
  batch({put("a", "{\"n\":5}\n")});
  EXPECT_THAT(rows(), ElementsAre("5"));
  EXPECT_THAT(batch({line}), ElementsAre(Outcome::kSuperseded));
  EXPECT_THAT(rows(), ElementsAre("5"));
}

TEST_F(Follow, FilesWithoutTheObjectsRowsAreLeftAlone) {
  batch({put("a", "{\"n\":1}\n"), put("c", "{\"n\":3}\n")});
  batch({put("b", "{\"n\":2}\n")});
  batch({put("x", "{\"n\":9}\n")});
  const auto before = files();
  opened_ = 0;
  batch({put("b", "{\"n\":20}\n")});
  // By its range the first file may hold it, but its objects are known since b came; the second is
  // read for its column _object and then for the rows; the third cannot hold it.
  const auto after = files();
  int kept = 0;
  for (const std::string& path : before) {
    kept += std::ranges::find(after, path) != after.end() ? 1 : 0;
  }
  EXPECT_EQ(kept, 2);
  EXPECT_EQ(opened_, 2u);
  EXPECT_THAT(rows(), ElementsAre("1", "3", "9", "20"));
  opened_ = 0;
  batch({put("bb", "{\"n\":7}\n")});  // In the range of the first, whose objects are known.
  EXPECT_EQ(opened_, 0u);
}

TEST_F(Follow, ACommitThatIsRepeatedChangesNothing) {
  batch({put("a", "{\"n\":1}\n")});
  const auto prepared = prepare({put("a", "{\"n\":2}\n")});
  commit(*prepared, 2);
  const auto version = run(catalog_->open("t").snapshot())->version;
  commit(*prepared, 2);
  EXPECT_EQ(run(catalog_->open("t").snapshot())->version, version);
  EXPECT_THAT(rows(), ElementsAre("2"));
}

TEST_F(Follow, OldRowsAreFoundAnewWhenAnotherWriterMovedThem) {
  batch({put("a", "{\"n\":1}\n"), put("b", "{\"n\":2}\n")});
  const auto prepared = prepare({put("a", "{\"n\":3}\n")});
  // Meanwhile the file is replaced by a copy of itself.
  Table& table = catalog_->open("t");
  const auto now = run(table.snapshot());
  Change moved;
  moved.data_change = false;
  moved.read_version = now->version;
  moved.remove = {now->files[0].path};
  moved.schema = now->schema;
  moved.add = {{.path = table.new_data_path({}),
                .partition = {},
                .size = now->files[0].size,
                .rows = *now->files[0].rows,
                .stats = now->files[0].stats}};
  run(store_->copy(table.key_of(now->files[0].path), table.key_of(moved.add[0].path), {}));
  run(table.change(moved));
  commit(*prepared, 2);
  EXPECT_THAT(rows(), ElementsAre("2", "3"));
}

TEST_F(Follow, EachHalfCanBeHadAlone) {
  sink_ = make_sink({OnOverwrite::kAppend, OnDelete::kRemove});
  batch({put("a", "{\"n\":1}\n")});
  batch({put("a", "{\"n\":2}\n")});
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
  batch({remove("a")});
  EXPECT_THAT(rows(), IsEmpty());

  sink_ = make_sink({OnOverwrite::kReplace, OnDelete::kKeep});
  batch({put("a", "{\"n\":3}\n")});
  batch({put("a", "{\"n\":4}\n")});
  batch({remove("a")});
  EXPECT_THAT(rows(), ElementsAre("4"));
}

TEST(MayHoldObjects, ByTheBoundsOfTheirNames) {
  const std::vector<std::string> objects = {"lake://in/b", "lake://in/m"};
  TableFile file;
  const auto may = [&](const std::string& stats) {
    file.stats = stats;
    return may_hold_objects(file, objects);
  };
  EXPECT_TRUE(may(""));
  EXPECT_TRUE(may("{\"numRecords\":1}"));
  const auto range = [](const char* least, const char* most) {
    return fmt::format(
        "{{\"minValues\":{{\"_object\":\"{}\"}},\"maxValues\":{{\"_object\":\"{}\"}}}}", least,
        most);
  };
  EXPECT_TRUE(may(range("lake://in/a", "lake://in/c")));
  EXPECT_TRUE(may(range("lake://in/b", "lake://in/b")));
  EXPECT_FALSE(may(range("lake://in/c", "lake://in/l")));
  EXPECT_FALSE(may(range("lake://in/n", "lake://in/z")));
  EXPECT_FALSE(may(range("lake://in/a", "lake://in/aa")));
  EXPECT_TRUE(may("{\"minValues\":{\"_object\":\"lake://in/c\"}}"));
}

}  // namespace
}  // namespace headrace
