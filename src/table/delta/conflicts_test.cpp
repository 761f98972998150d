#include "table/delta/conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/delta/action_json.h"
#include "table/delta/schema_json.h"

namespace headrace::delta {
namespace {

Schema columns() {
  Schema schema;
  for (const auto& [name, type] : {std::pair("a", "long"), std::pair("day", "date"),
                                   std::pair("at", "timestamp"), std::pair("n", "integer")}) {
    Field field;
    field.name = name;
    field.type = *parse_primitive(type);
    schema.fields.push_back(field);
  }
  return schema;
}

enum class Level { kWriteSerializable, kSerializable };

/// One row per rule: what we stand on, what another committed, and what must come of it.
struct ConflictCase {
  const char* name;
  ReadScope read;
  std::string winner;  ///< Lines of a commit; `day` of added and removed files is 2024-01-01.
  const char* why;     ///< nullptr: no conflict.
  Level level = Level::kWriteSerializable;
};

std::string said(bool blind) {
  return std::string(R"({"commitInfo":{"isBlindAppend":)") + (blind ? "true" : "false") + "}}\n";
}
constexpr const char* kAdd =
    R"({"add":{"path":"new","size":1,"partitionValues":{"day":"2024-01-01"},"dataChange":true}})";
constexpr const char* kRewrite =
    R"({"remove":{"path":"other","dataChange":false,"partitionValues":{"day":"2024-01-01"}}})"
    "\n"
    R"({"add":{"path":"new","size":1,"partitionValues":{"day":"2024-01-01"},"dataChange":false}})";
constexpr const char* kRemove =
    R"({"remove":{"path":"other","dataChange":true,"partitionValues":{"day":"2024-01-01"}}})";
constexpr const char* kBareRemove = R"({"remove":{"path":"other","dataChange":true}})";
constexpr const char* kSameRemove = R"({"remove":{"path":"our%20file","dataChange":false}})";

const ReadScope kNothing;
const ReadScope kAll{.kind = ReadScope::Kind::kTable, .partitions = {}};
ReadScope in_day(const char* day) {
  return {.kind = ReadScope::Kind::kPartitions, .partitions = {{{"day", day}}}};
}

class ConflictTest : public testing::TestWithParam<ConflictCase> {};

TEST_P(ConflictTest, FollowsTheRules) {
  const ConflictCase& row = GetParam();
  const Footing footing{.app_id = "us",
                        .removed = {"our file"},
                        .read = row.read,
                        .schema = columns(),
                        .serializable = row.level == Level::kSerializable};
  const auto why = conflict_with(parse_commit(row.winner), footing);
  if (row.why == nullptr) {
    EXPECT_FALSE(why) << *why;
  } else {
    ASSERT_TRUE(why);
    EXPECT_THAT(*why, testing::HasSubstr(row.why));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ConflictTest,
    testing::Values(
        ConflictCase{"AddToWhatWasNotRead", kNothing, kAdd, nullptr},
        ConflictCase{"AddToTheTableThatWasRead", kAll, kAdd, "added new"},
        ConflictCase{"AddThatSaysItIsNotBlind", kAll, said(false) + kAdd, "added new"},
        ConflictCase{"BlindAppend", kAll, said(true) + kAdd, nullptr},
        ConflictCase{"BlindAppendWhereTheTableIsSerializable", kAll, said(true) + kAdd, "added new",
                     Level::kSerializable},
        ConflictCase{"AddToThePartition", in_day("2024-01-01"), kAdd, "added new"},
        ConflictCase{"AddToAnotherPartition", in_day("2024-01-02"), kAdd, nullptr},
        ConflictCase{"RemoveInThePartition", in_day("2024-01-01"), kRemove, "removed other"},
        ConflictCase{"RemoveInAnotherPartition", in_day("2024-01-02"), kRemove, nullptr},
        ConflictCase{"RemoveThatDoesNotSayWhere", in_day("2024-01-02"), kBareRemove,
                     "rows were read"},
        ConflictCase{"RemoveOfWhatWasRead", kAll, kRemove, "rows were read"},
        ConflictCase{"RewriteOfWhatWasRead", kAll, kRewrite, nullptr},
        ConflictCase{"RewriteWhereTheTableIsSerializable", kAll, kRewrite, nullptr,
                     Level::kSerializable},
        ConflictCase{"RemoveOfTheSameFileInAnotherSpelling", kNothing, kSameRemove,
                     "removed our file"},
        ConflictCase{
            "OtherColumns", kNothing,
            R"({"metaData":{"id":"i","schemaString":"{\"type\":\"struct\",\"fields\":[]}"}})",
            "columns or properties"},
        ConflictCase{"OurApplication", kNothing, R"({"txn":{"appId":"us","version":1}})",
                     "same application"},
        ConflictCase{"AnotherApplication", kAll, R"({"txn":{"appId":"you","version":9}})", nullptr},
        ConflictCase{"Nothing", kAll, said(false), nullptr}),
    [](const auto& row) { return row.param.name; });

TEST(LaterRowsTest, AreInConflictWithARewrite) {
  const Footing reader{.read = kAll, .schema = columns()};
  EXPECT_FALSE(conflict_with(parse_commit(kRewrite), reader, {"another"}));
  EXPECT_THAT(*conflict_with(parse_commit(kRewrite), reader, {"other"}),
              testing::HasSubstr("rewrote other, which came after"));
  const Footing mover{.removed = {"our file"}, .schema = columns()};
  EXPECT_FALSE(conflict_with(parse_commit(kRewrite), mover, {"other"}));
}

TEST(PartitionsTest, AreComparedByMeaningNotBySpelling) {
  const std::vector<PartitionValues> wanted{{{"at", "2024-06-15T19:30:45.000000Z"}, {"n", "7"}},
                                            {{"day", std::nullopt}}};
  const auto lies = [&](const PartitionValues& file) { return lies_in(file, wanted, columns()); };
  EXPECT_TRUE(lies({{"at", "2024-06-15 19:30:45"}, {"n", "007"}, {"day", "2024-01-01"}}));
  EXPECT_FALSE(lies({{"at", "2024-06-15 19:30:46"}, {"n", "7"}, {"day", "2024-01-01"}}));
  EXPECT_FALSE(lies({{"at", "what"}, {"n", "7"}, {"day", "2024-01-01"}}));
  EXPECT_TRUE(lies({{"at", "what"}, {"n", "8"}, {"day", std::nullopt}}));
  EXPECT_TRUE(lies({{"at", "what"}, {"n", "8"}, {"day", ""}}));
}

}  // namespace
}  // namespace headrace::delta
