#include "query/file_stats.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace headrace {
namespace {

struct StatsCase {
  const char* name;
  DataType type;
  std::vector<std::string> values;  ///< SQL.
  std::string least;                ///< JSON; empty: no bound.
  std::string most;
};

class FileStatsTest : public testing::TestWithParam<StatsCase> {};

/// Bounds as they stand in the log, of a file that the engine wrote.
TEST_P(FileStatsTest, BoundsHoldForEveryRow) {
  const StatsCase& row = GetParam();
  const TempFolder folder;
  Engine engine({});
  std::string select;
  for (const std::string& value : row.values) {
    select += fmt::format("{}SELECT {} AS v", select.empty() ? "" : " UNION ALL ", value);
  }
  const std::string path = folder / "f.parquet";
  engine.execute(fmt::format("COPY ({}) TO '{}' (FORMAT parquet)", select, path));
  Snapshot snapshot;
  snapshot.schema.fields.push_back({.name = "v", .type = row.type});
  const auto member = [](const std::string& bound) {
    return bound.empty() ? std::string("{}") : "{\"v\":" + bound + "}";
  };
  EXPECT_EQ(
      file_stats(engine, snapshot, path).json,
      fmt::format(R"({{"numRecords":{},"minValues":{},"maxValues":{},"nullCount":{{"v":0}}}})",
                  row.values.size(), member(row.least), member(row.most)));
}

DataType plain(TypeKind kind) { return {.kind = kind}; }

/// JSON of a text that is cut for the log: the first 32 UTF-16 units; the greatest is raised.
std::string text(const std::string& start, int times, const std::string& end = "") {
  std::string out = "\"";
  for (int i = 0; i < times; ++i) out += start;
  return out + end + "\"";
}

INSTANTIATE_TEST_SUITE_P(
    Values, FileStatsTest,
    testing::Values(
        StatsCase{"NotANumber", plain(TypeKind::kDouble), {"1.5::DOUBLE", "'nan'::DOUBLE"}, "", ""},
        StatsCase{"NotANumberAlone", plain(TypeKind::kFloat), {"'nan'::FLOAT"}, "", ""},
        StatsCase{
            "Infinity", plain(TypeKind::kDouble), {"1.5::DOUBLE", "'inf'::DOUBLE"}, "1.5", ""},
        StatsCase{
            "MinusInfinity", plain(TypeKind::kFloat), {"'-inf'::FLOAT", "1.5::FLOAT"}, "", "1.5"},
        StatsCase{"DateBeyondTheCalendar",
                  plain(TypeKind::kDate),
                  {"DATE '2026-01-31'", "DATE '12345-01-01'"},
                  "\"2026-01-31\"",
                  ""},
        StatsCase{"InfiniteTime",
                  plain(TypeKind::kTimestampNtz),
                  {"TIMESTAMP '2026-01-31 00:00:00'", "'infinity'::TIMESTAMP"},
                  "\"2026-01-31T00:00:00.000\"",
                  ""},
        StatsCase{"LongText",
                  plain(TypeKind::kString),
                  {"repeat('b', 40)", "repeat('a', 1000000)"},
                  text("a", 32),
                  text("b", 32, "\\u007f")},
        // Two units each: 16 of them, and never half of one.
        StatsCase{"SurrogatePairs",
                  plain(TypeKind::kString),
                  {"repeat(chr(128512), 20)", "'a' || repeat(chr(128512), 20)"},
                  text("a", 1, text("\U0001F600", 15).substr(1, 60)),
                  text("\U0001F600", 16, "\U0010FFFF")},
        StatsCase{"GreatestCharacters",
                  plain(TypeKind::kString),
                  {"repeat(chr(1114111), 40)"},
                  text("\U0010FFFF", 16),
                  ""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
