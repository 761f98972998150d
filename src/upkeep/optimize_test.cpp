#include "upkeep/optimize.h"

#include "query/engine.h"
#include "table/delta/schema_json.h"
#include "testing/upkeep_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Optimize : public UpkeepTest {
 protected:
  OptimizeReport optimize_table(OptimizeOptions options = {}) {
    return run_task(optimize(rewriter_, *table_, *store_, options));
  }
};

TEST_F(Optimize, JoinsTheSmallFilesOfEachPartition) {
  reopen({.partition_by = {"day"}});
  for (int i = 0; i < 3; ++i) {
    run_task(add(fmt::format("{{\"id\":{0},\"day\":\"a\"}}\n{{\"id\":{0},\"day\":\"b/c\"}}\n", i)));
  }
  run_task(add("{\"id\":9,\"day\":null}\n"));
  const auto before = rows("SELECT id, day FROM t ORDER BY ALL");
  const OptimizeReport report = optimize_table();
  EXPECT_EQ(report.files_joined, 6u);
  EXPECT_EQ(report.files_written, 2u);
  EXPECT_EQ(report.before.files, 7u);
  EXPECT_EQ(report.after.files, 3u);
  EXPECT_EQ(report.after.rows, 7u);
  EXPECT_EQ(rows("SELECT id, day FROM t ORDER BY ALL"), before);
  const std::string said = commit(report.version);
  EXPECT_THAT(said, HasSubstr("\"operation\":\"OPTIMIZE\""));
  EXPECT_THAT(said, HasSubstr("\"dataChange\":false"));
  EXPECT_THAT(said, Not(HasSubstr("\"dataChange\":true")));
  EXPECT_THAT(said, HasSubstr(R"(\"minValues\":{\"id\":0},\"maxValues\":{\"id\":2})"));
  EXPECT_FALSE(left_something());
}

TEST_F(Optimize, DoesNothingTwice) {
  for (int i = 0; i < 3; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", i)));
  optimize_table();
  const std::int64_t version = snapshot().version;
  const OptimizeReport again = optimize_table();
  EXPECT_EQ(again.files_joined, 0u);
  EXPECT_EQ(again.version, version);
}

TEST_F(Optimize, OnlySaysWhatItWouldDoWhenAsked) {
  for (int i = 0; i < 3; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", i)));
  const OptimizeReport report = optimize_table({.dry_run = true});
  EXPECT_EQ(report.files_joined, 3u);
  EXPECT_THAT(paths(), SizeIs(3));
}

TEST_F(Optimize, SortsTheRowsOfEachPartition) {
  for (const char* ids : {"3 1", "5 2", "4 0"}) {
    run_task(add(fmt::format("{{\"id\":{}}}\n{{\"id\":{}}}\n", ids[0], ids[2])));
  }
  optimize_table({.sort_by = {"id"}});
  EXPECT_THAT(paths(), SizeIs(1));
  EXPECT_EQ(rows("SELECT id FROM t"), rows("SELECT id FROM t ORDER BY id"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { optimize_table({.sort_by = {"x"}}); }),
              HasSubstr("no column is named x"));
}

TEST_F(Optimize, LooksAtTheWantedPartitionsOnly) {
  reopen({.partition_by = {"day"}});
  for (int i = 0; i < 2; ++i) {
    run_task(add(fmt::format("{{\"id\":{0},\"day\":\"a\"}}\n{{\"id\":{0},\"day\":\"b\"}}\n", i)));
  }
  const OptimizeReport report = optimize_table({.where = "day = 'a'"});
  EXPECT_EQ(report.files_joined, 2u);
  EXPECT_EQ(report.after.files, 3u);
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { optimize_table({.where = "id > 1"}); }),
              HasSubstr("partition columns, of which the table has [day]"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { optimize_table({.where = "dya = 'a'"}); }),
              HasSubstr("dya"));
}

TEST_F(Optimize, LetsOthersAppendMeanwhile) {
  for (int i = 0; i < 3; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", i)));
  before_reading_ = [this] { return add("{\"id\":7}\n"); };
  const OptimizeReport report = optimize_table();
  EXPECT_EQ(report.commits, 1u);
  EXPECT_THAT(rows("SELECT id FROM t ORDER BY 1"), ElementsAre("0", "1", "2", "7"));
  EXPECT_THAT(paths(), SizeIs(2));
}

TEST_F(Optimize, PlansAnewWhenItsFilesWereRemovedMeanwhile) {
  for (int i = 0; i < 3; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", i)));
  before_reading_ = [this]() -> Task<> {
    const auto now = co_await table_->snapshot();
    headrace::Change change;
    change.operation = "DELETE";
    change.remove = {now->files[0].path};
    change.read_version = now->version;
    co_await table_->change(std::move(change));
  };
  const OptimizeReport report = optimize_table();
  EXPECT_EQ(report.files_joined, 2u);
  EXPECT_THAT(rows("SELECT count(*) FROM t"), ElementsAre("2"));
  EXPECT_THAT(paths(), SizeIs(1));
}

struct ColumnText {
  std::string name;
  std::string type;  // JSON.
  std::string metadata = "{}";
};
std::string schema_of_columns(const std::vector<ColumnText>& columns) {
  std::string fields;
  for (const ColumnText& column : columns) {
    fields += fmt::format("{}{{\"name\":\"{}\",\"type\":{},\"nullable\":true,\"metadata\":{}}}",
                          fields.empty() ? "" : ",", column.name, column.type, column.metadata);
  }
  return "{\"type\":\"struct\",\"fields\":[" + fields + "]}";
}

/// Columns of every type,
std::string every_type() {
  return schema_of_columns(
      {{"b", "\"boolean\""},
       {"i8", "\"byte\"", "{\"parquet.field.id\":7}"},
       {"i16", "\"short\""},
       {"i32", "\"integer\""},
       {"i64", "\"long\""},
       {"f", "\"float\""},
       {"d", "\"double\""},
       {"d9", "\"decimal(9,2)\""},
       {"d38", "\"decimal(38,10)\""},
       {"s", "\"string\""},
       {"bin", "\"binary\""},
       {"day", "\"date\""},
       {"ts", "\"timestamp\""},
       {"ntz", "\"timestamp_ntz\""},
       {"st", schema_of_columns({{"x_y", "\"long\""},
                                 {"l",
                                  "{\"type\":\"array\",\"elementType\":\"string\","
                                  "\"containsNull\":true}"}})},
       {"m",
        "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"double\","
        "\"valueContainsNull\":true}"}});
}

/// and values that are easily lost on the way.
const char* const kValues =
    "SELECT true b, (-128)::TINYINT i8, 32767::SMALLINT i16, (-2147483648)::INTEGER i32, "
    "9223372036854775807::BIGINT i64, 'nan'::FLOAT f, '-inf'::DOUBLE d, "
    "1234567.89::DECIMAL(9,2) d9, '-1234567890123456789012345678.0123456789'::DECIMAL(38,10) "
    "d38, repeat('é', 70) || chr(128512) s, '\\x00\\xFF'::BLOB bin, DATE '1969-12-31' \"day\", "
    "TIMESTAMPTZ '1969-12-31 23:59:59.999999+00' ts, TIMESTAMP '2024-02-29 12:00:00.000001' ntz, "
    "{'x_y': 1, 'l': ['a', NULL]} st, MAP {'k': 1.5::DOUBLE, 'n': NULL} m "
    "UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL, NULL "
    "UNION ALL SELECT false, 1, 2, 3, -4, 0.1, -0.0, 0.01, 0, '', '', DATE '2024-02-29', "
    "'2024-01-01 00:00:00+00', '1900-01-01', {'x_y': NULL, 'l': []}, MAP {}";

/// As another writer wrote them.
TEST_F(Optimize, KeepsEveryTypeAndValue) {
  const std::string schema_json = every_type();
  Engine writer({});
  Append append{.app_id = "w", .seq = 1, .schema = delta::parse_schema(schema_json), .files = {}};
  for (int i = 0; i < 2; ++i) {
    const std::string name = table_->new_data_path({});
    std::filesystem::create_directories(folder_ / "lake/t");
    writer.execute(
        fmt::format("COPY ({}) TO '{}' (FORMAT parquet)", kValues, folder_ / ("lake/t/" + name)));
    append.files.push_back({.path = name,
                            .partition = {},
                            .size = std::filesystem::file_size(folder_ / ("lake/t/" + name)),
                            .rows = 3,
                            .stats = {}});
  }
  run_task(table_->append(append));
  const std::string all = "SELECT * REPLACE (hex(bin) AS bin) FROM t ORDER BY ALL";
  const auto before = rows(all);
  const auto types = rows("SELECT column_type FROM (DESCRIBE SELECT * FROM t)");
  const Schema schema = snapshot().schema;
  optimize_table();
  EXPECT_EQ(rows(all), before);
  EXPECT_EQ(rows("SELECT column_type FROM (DESCRIBE SELECT * FROM t)"), types);
  const Snapshot now = snapshot();
  ASSERT_EQ(now.files.size(), 1u);
  EXPECT_EQ(now.schema, schema);
  const std::string& stats = now.files[0].stats;
  EXPECT_THAT(stats, HasSubstr("\"ts\":\"1969-12-31T23:59:59.999Z\""));  // Downwards,
  EXPECT_THAT(stats, HasSubstr("\"ntz\":\"2024-02-29T12:00:00.001\""));  // upwards.
  EXPECT_THAT(stats, HasSubstr("\"d9\":0.01"));
  EXPECT_THAT(stats, HasSubstr("\"d38\":-1234567890123456789012345678.0123456789"));
  EXPECT_THAT(stats, Not(HasSubstr("\"f\":0.1")));  // There is a NaN.
  EXPECT_THAT(stats, Not(HasSubstr("nan")));
  EXPECT_THAT(stats, Not(HasSubstr("inf")));
  EXPECT_THAT(stats, HasSubstr("\"st\":{\"x_y\":1}"));
  EXPECT_THAT(stats, HasSubstr("\"nullCount\":{\"b\":2,\"i8\":2"));
  const auto ids =
      writer.rows(fmt::format("SELECT name, field_id FROM parquet_schema('{}') WHERE name = 'i8'",
                              folder_ / ("lake/t/" + now.files[0].path)));
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(ids[0][1].text, "2");  // As files of new rows have it: the second column.
}

/// A file of `rows` rows that do not shrink.
std::string noise(int first, int rows) {
  SeededRandom random(static_cast<std::uint64_t>(first));
  std::string lines;
  for (int i = 0; i < rows; ++i) {
    lines += fmt::format("{{\"id\":{},\"t\":\"{}{}\"}}\n", first + i, random.uuid(), random.uuid());
  }
  return lines;
}

TEST_F(Optimize, MakesFilesAsLargeAsTheTableWantsThem) {
  reopen({.properties = {{"delta.targetFileSize", "1"}}});  // Never below 1 MiB.
  for (int i = 0; i < 4; ++i) run_task(add(noise(i * 20'000, 20'000)));
  const auto before = rows("SELECT count(*), sum(id), sum(hash(t)) FROM t");
  const OptimizeReport report = optimize_table({.sort_by = {"id"}});
  EXPECT_EQ(report.files_joined, 4u);
  EXPECT_EQ(rows("SELECT count(*), sum(id), sum(hash(t)) FROM t"), before);
  const Snapshot now = snapshot();
  ASSERT_GT(now.files.size(), 1u);
  for (const TableFile& file : now.files) EXPECT_LT(file.size, 2u << 20);
  // Their ranges do not overlap: rows went into one file after the other.
  EXPECT_THAT(rows("SELECT count(*) FROM t WHERE id < 1000"), ElementsAre("1000"));
}

TEST_F(Optimize, KeepsStatisticsOfTheColumnsThatTheTableWants) {
  reopen({.properties = {{"delta.dataSkippingStatsColumns", "c35, s.y"}}});
  for (int i = 0; i < 2; ++i) {
    std::string line = "{\"s\":{\"x\":1,\"y\":2}";
    for (int c = 0; c < 40; ++c) line += fmt::format(",\"c{}\":{}", c, c + i);
    run_task(add(line + "}\n"));
  }
  optimize_table();
  const Snapshot now = snapshot();
  ASSERT_EQ(now.files.size(), 1u);
  EXPECT_EQ(now.files[0].stats,
            R"({"numRecords":2,"minValues":{"s":{"y":2},"c35":35},)"
            R"("maxValues":{"s":{"y":2},"c35":36},"nullCount":{"s":{"y":0},"c35":0}})");
}

TEST_F(Optimize, NamesAFileThatIsBrokenAndChangesNothing) {
  for (int i = 0; i < 3; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", i)));
  const Snapshot before = snapshot();
  const std::filesystem::path broken = folder_ / ("lake/t/" + before.files[1].path);
  std::filesystem::resize_file(broken, std::filesystem::file_size(broken) / 2);
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { optimize_table(); }),
              HasSubstr(before.files[1].path));
  EXPECT_EQ(snapshot().version, before.version);
  EXPECT_FALSE(left_something());
}

// Which files are joined with which.

TableFile file(std::string path, std::uint64_t size, int age, PartitionValues partition = {}) {
  TableFile out;
  out.path = std::move(path);
  out.size = size;
  out.modified = Time(std::chrono::seconds(age));
  out.partition = std::move(partition);
  return out;
}

std::vector<std::string> planned(const std::vector<TableFile>& files, OptimizeOptions options) {
  std::vector<const TableFile*> pointers;
  for (const TableFile& one : files) pointers.push_back(&one);
  std::vector<std::string> out;
  for (const FileGroup& group : plan_optimize(pointers, options)) {
    out.emplace_back();
    for (const TableFile* one : group) out.back() += one->path;
  }
  return out;
}

TEST(PlanOptimize, JoinsNeighboursInTimeUpToTheTarget) {
  const std::vector<TableFile> files = {file("c", 40, 3), file("a", 40, 1), file("b", 40, 2),
                                        file("d", 40, 4)};
  EXPECT_THAT(planned(files, {.target_bytes = 100}), ElementsAre("ab", "cd"));
}

TEST(PlanOptimize, LeavesLargeFilesAndLonelyOnes) {
  const std::vector<TableFile> files = {file("a", 90, 1), file("b", 10, 2), file("c", 80, 3)};
  EXPECT_THAT(planned(files, {.target_bytes = 100}), IsEmpty());
  EXPECT_THAT(planned(files, {.target_bytes = 100, .small_bytes = 85}), ElementsAre("bc"));
}

TEST(PlanOptimize, RewritesAFileWithDeletedRowsAlone) {
  std::vector<TableFile> files = {file("a", 90, 1)};
  files[0].deletion_vector.emplace();
  EXPECT_THAT(planned(files, {.target_bytes = 100}), ElementsAre("a"));
}

TEST(PlanOptimize, NeverJoinsPartitions) {
  const std::vector<TableFile> files = {
      file("a", 1, 1, {{"p", "x"}}), file("b", 1, 2, {{"p", "y"}}), file("c", 1, 3, {{"p", "x"}}),
      file("d", 1, 4, {{"p", std::nullopt}})};
  EXPECT_THAT(planned(files, {.target_bytes = 100}), ElementsAre("ac"));
}

}  // namespace
}  // namespace headrace
