#include "step/follow.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/table_sink_fixture.h"

namespace headrace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Follow : public TableSinkFixture {
 protected:
  Follow() { restart({OnOverwrite::kReplace, OnDelete::kRemove}); }
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
  commit(*prepared);
  const auto version = run(catalog_->open("t").snapshot())->version;
  commit(*prepared);
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
  commit(*prepared);
  EXPECT_THAT(rows(), ElementsAre("2", "3"));
}

TEST_F(Follow, EachHalfCanBeHadAlone) {
  restart({OnOverwrite::kAppend, OnDelete::kRemove});
  batch({put("a", "{\"n\":1}\n")});
  batch({put("a", "{\"n\":2}\n")});
  EXPECT_THAT(rows(), ElementsAre("1", "2"));
  batch({remove("a")});
  EXPECT_THAT(rows(), IsEmpty());

  restart({OnOverwrite::kReplace, OnDelete::kKeep});
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
