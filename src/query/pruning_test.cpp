#include "query/pruning.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "core/random.h"
#include "query/statement.h"
#include "query/test_lake.h"

namespace headrace {
namespace {

/// A file of 10 rows with one column `x`, described by statistics or by its partition value.
struct PruneCase {
  TypeKind kind;
  const char* facts;  // Statistics as JSON, or "=value" for a partition value, "=null" for null.
  const char* where;
  bool may_match;
};

void PrintTo(const PruneCase& row, std::ostream* out) { *out << row.facts << " | " << row.where; }

/// Starting an engine is slow: the cases of a suite share one.
template <class Case>
class WithEngine : public testing::TestWithParam<Case> {
 public:
  static void SetUpTestSuite() { engine = std::make_unique<Engine>(QueryOptions{}); }
  static void TearDownTestSuite() { engine.reset(); }

 protected:
  static inline std::unique_ptr<Engine> engine;
};

bool may_match(Engine& engine, const PruneCase& row, const std::string& zone = "UTC") {
  engine.execute("SET TimeZone = '" + zone + "'");
  const Statement statement = analyse(engine, fmt::format("SELECT * FROM t WHERE {}", row.where));
  EXPECT_EQ(statement.references.size(), 1u);
  Snapshot snapshot;
  snapshot.schema.fields = {
      {.name = "x", .type = {.kind = row.kind, .precision = 10, .scale = 2}},
      {.name = "y", .type = {.kind = TypeKind::kLong}},
      {.name = "s",
       .type = {.kind = TypeKind::kStruct, .fields = {{.name = "a", .type = {.kind = row.kind}}}}}};
  TableFile file{.rows = 10};
  const std::string facts = row.facts;
  if (facts == "=null") {
    file.partition["x"] = std::nullopt;
  } else if (facts.starts_with('=')) {
    file.partition["x"] = facts.substr(1);
  } else {
    file.stats = facts;
  }
  Pruner pruner(snapshot, statement.constants, true);
  return pruner.may_match(statement.references.at(0).predicate, file);
}

class Prune : public WithEngine<PruneCase> {};

TEST_P(Prune, KeepsWhatMayMatch) {
  EXPECT_EQ(may_match(*engine, GetParam()), GetParam().may_match);
}

constexpr const char* k10To20 =
    R"({"minValues":{"x":10},"maxValues":{"x":20},"nullCount":{"x":0}})";

INSTANTIATE_TEST_SUITE_P(
    Integers, Prune,
    testing::Values(PruneCase{TypeKind::kLong, k10To20, "x = 9", false},
                    PruneCase{TypeKind::kLong, k10To20, "x = 10", true},
                    PruneCase{TypeKind::kLong, k10To20, "21 = x", false},
                    PruneCase{TypeKind::kLong, k10To20, "x < 10", false},
                    PruneCase{TypeKind::kLong, k10To20, "x <= 10", true},
                    PruneCase{TypeKind::kLong, k10To20, "20 < x", false},
                    PruneCase{TypeKind::kLong, k10To20, "20 <= x", true},
                    PruneCase{TypeKind::kLong, k10To20, "t.x > 20", false},
                    PruneCase{TypeKind::kLong, k10To20, "X > 20", false},
                    PruneCase{TypeKind::kLong, k10To20, "x <> 15", true},
                    PruneCase{TypeKind::kLong, k10To20, "x BETWEEN 1 AND 9", false},
                    PruneCase{TypeKind::kLong, k10To20, "x BETWEEN 21 AND 30", false},
                    PruneCase{TypeKind::kLong, k10To20, "x BETWEEN 1 AND 10", true},
                    PruneCase{TypeKind::kLong, k10To20, "x NOT BETWEEN 1 AND 9", true},
                    PruneCase{TypeKind::kLong, k10To20, "x IN (1, 2, 30)", false},
                    PruneCase{TypeKind::kLong, k10To20, "x IN (1, 15, 30)", true},
                    PruneCase{TypeKind::kLong, k10To20, "x NOT IN (15)", true},
                    PruneCase{TypeKind::kLong, k10To20, "x IN (SELECT 1)", true},
                    PruneCase{TypeKind::kLong, k10To20, "x = '9'", false},
                    PruneCase{TypeKind::kLong, k10To20, "x = 9.5", false},
                    PruneCase{TypeKind::kLong, k10To20, "x > 1 + 2 * 10", false},
                    PruneCase{TypeKind::kLong, k10To20, "x > random() * 0 + 30", true},
                    PruneCase{TypeKind::kLong, k10To20, "x + 0 = 9", true},
                    PruneCase{TypeKind::kLong, k10To20, "x = 9 AND unknown(y)", false},
                    PruneCase{TypeKind::kLong, k10To20, "x = 9 OR y = 1", true},
                    PruneCase{TypeKind::kLong, k10To20, "x = 9 OR x = 8", false},
                    PruneCase{TypeKind::kLong, k10To20, "NOT (x >= 10)", false},
                    PruneCase{TypeKind::kLong, k10To20, "NOT (x = 15)", true},
                    PruneCase{TypeKind::kLong, k10To20, "x IS NULL", false},
                    PruneCase{TypeKind::kLong, k10To20, "x IS NOT DISTINCT FROM 9", true},
                    PruneCase{TypeKind::kLong, k10To20, "x = NULL", true},
                    PruneCase{TypeKind::kLong, k10To20, "x = y", true},
                    PruneCase{TypeKind::kLong, k10To20, "y = 9", true},
                    PruneCase{TypeKind::kLong, k10To20, "z = 9", true},
                    PruneCase{TypeKind::kLong, R"({"minValues":{"x":9007199254740993}})",
                              "x < 9007199254740993", false},
                    PruneCase{TypeKind::kLong, R"({"minValues":{"x":9007199254740992}})",
                              "x < 9007199254740993", true},
                    PruneCase{TypeKind::kLong,
                              R"({"minValues":{"x":-9223372036854775808},"maxValues":{"x":0}})",
                              "x > 9223372036854775807", false},
                    PruneCase{TypeKind::kLong, k10To20, "x = 12345678901234567890123", false}));

INSTANTIATE_TEST_SUITE_P(
    Nulls, Prune,
    testing::Values(PruneCase{TypeKind::kLong, R"({"nullCount":{"x":10}})", "x = 1", false},
                    PruneCase{TypeKind::kLong, R"({"nullCount":{"x":10}})", "x IS NOT NULL", false},
                    PruneCase{TypeKind::kLong, R"({"nullCount":{"x":10}})", "x IS NULL", true},
                    PruneCase{TypeKind::kLong, R"({"nullCount":{"x":9}})", "x = 1", true},
                    PruneCase{TypeKind::kLong, "=null", "x <> 1", false},
                    PruneCase{TypeKind::kLong, "=null", "x IS NULL", true},
                    PruneCase{TypeKind::kLong, "=null", "x IS NOT NULL", false},
                    PruneCase{TypeKind::kLong, "=5", "x IS NULL", false},
                    PruneCase{TypeKind::kLong, "=5", "x <> 5", false},
                    PruneCase{TypeKind::kLong, "=5", "x <> 6", true}));

INSTANTIATE_TEST_SUITE_P(
    WhatIsMissing, Prune,
    testing::Values(PruneCase{TypeKind::kLong, "", "x = 1", true},
                    PruneCase{TypeKind::kLong, "{}", "x IS NULL", true},
                    PruneCase{TypeKind::kLong, "{broken", "x = 1", true},
                    PruneCase{TypeKind::kLong, R"([1])", "x = 1", true},
                    PruneCase{TypeKind::kLong, R"({"minValues":{"x":null}})", "x < 1", true},
                    PruneCase{TypeKind::kLong, R"({"minValues":{"x":"10"}})", "x < 1", true},
                    PruneCase{TypeKind::kLong, R"({"minValues":5})", "x < 1", true},
                    PruneCase{TypeKind::kLong, R"({"minValues":{"x":10}})", "x > 1", true},
                    PruneCase{TypeKind::kLong, "=ten", "x = 1", true},
                    PruneCase{TypeKind::kDate, "=never", "x = DATE '2024-01-01'", true}));

constexpr const char* kBToD = R"({"minValues":{"x":"b"},"maxValues":{"x":"d"}})";

INSTANTIATE_TEST_SUITE_P(
    Text, Prune,
    testing::Values(PruneCase{TypeKind::kString, kBToD, "x = 'a'", false},
                    PruneCase{TypeKind::kString, kBToD, "x = 'b'", true},
                    PruneCase{TypeKind::kString, kBToD, "x > 'd'", false},
                    PruneCase{TypeKind::kString, kBToD, "x = 'é'", false},
                    PruneCase{TypeKind::kString, kBToD, "x = lower('A')", false},
                    PruneCase{TypeKind::kString, kBToD, "x = 5", true},
                    PruneCase{TypeKind::kString, kBToD, "x COLLATE nocase = 'A'", true},
                    PruneCase{TypeKind::kString, kBToD, "x LIKE 'z%'", true},
                    // Cut statistics: the minimum is a prefix, the maximum lies above.
                    PruneCase{TypeKind::kString,
                              "{\"minValues\":{\"x\":\"ab\"},\"maxValues\":{\"x\":\"ab\x7f\"}}",
                              "x = 'abz'", true},
                    PruneCase{TypeKind::kString, "=DE", "x = 'DE'", true},
                    PruneCase{TypeKind::kString, "=DE", "x IN ('FR', 'AT')", false},
                    PruneCase{TypeKind::kString, "=", "x = ''", true},
                    PruneCase{TypeKind::kBinary, "=DE", "x = 'FR'::BLOB", true}));

constexpr const char* kOneToTwo = R"({"minValues":{"x":1.0},"maxValues":{"x":2.0}})";

INSTANTIATE_TEST_SUITE_P(
    Reals, Prune,
    testing::Values(PruneCase{TypeKind::kDouble, kOneToTwo, "x = 0.5", false},
                    PruneCase{TypeKind::kDouble, kOneToTwo, "x < 0.5", false},
                    // NaN, which statistics leave out, is above everything to the engine.
                    PruneCase{TypeKind::kDouble, kOneToTwo, "x > 5", true},
                    PruneCase{TypeKind::kDouble, kOneToTwo, "x BETWEEN 5 AND 6", false},
                    PruneCase{TypeKind::kDouble, kOneToTwo, "x BETWEEN 5 AND 'nan'::DOUBLE", true},
                    PruneCase{TypeKind::kDouble, kOneToTwo, "x = 'nan'::DOUBLE", true},
                    PruneCase{TypeKind::kDouble, "=1.5", "x > 5", false},
                    PruneCase{TypeKind::kFloat, R"({"minValues":{"x":0.1},"maxValues":{"x":0.1}})",
                              "x = 0.10000000149", true},
                    PruneCase{TypeKind::kDecimal, kOneToTwo, "x > 5", false},
                    PruneCase{TypeKind::kDecimal, kOneToTwo, "x >= 2", true},
                    PruneCase{TypeKind::kDecimal, kOneToTwo, "x = 0.99", false},
                    PruneCase{TypeKind::kBoolean, "=true", "x = false", false},
                    PruneCase{TypeKind::kBoolean, "=true", "x = true", true},
                    PruneCase{TypeKind::kBoolean, "=true", "x", true}));

constexpr const char* kDays = R"({"minValues":{"x":"2024-03-01"},"maxValues":{"x":"2024-03-31"}})";
constexpr const char* kTimes = R"({"minValues":{"x":"2024-03-01T00:00:00.000Z"},)"
                               R"("maxValues":{"x":"2024-03-31T12:00:00.123Z"}})";

INSTANTIATE_TEST_SUITE_P(
    Times, Prune,
    testing::Values(
        PruneCase{TypeKind::kDate, kDays, "x = '2024-02-29'", false},
        PruneCase{TypeKind::kDate, kDays, "x = DATE '2024-03-31'", true},
        PruneCase{TypeKind::kDate, kDays, "x = '2024-03-31 23:00:00'", true},
        PruneCase{TypeKind::kDate, kDays, "x > TIMESTAMP '2024-03-31 00:00:00'", false},
        PruneCase{TypeKind::kDate, kDays, "x >= TIMESTAMP '2024-03-31 00:00:00'", true},
        PruneCase{TypeKind::kDate, kDays, "x >= TIMESTAMPTZ '2024-04-01 00:00:00Z'", true},
        PruneCase{TypeKind::kDate, kDays, "x >= TIMESTAMPTZ '2024-04-03 00:00:00Z'", false},
        PruneCase{TypeKind::kDate, kDays, "x >= current_date - 7", false},
        PruneCase{TypeKind::kDate, kDays, "x < current_date - 7", true},
        PruneCase{TypeKind::kDate, kDays, "x >= now() - INTERVAL 7 days", false},
        PruneCase{TypeKind::kTimestamp, kTimes, "x < TIMESTAMPTZ '2024-03-01 00:00:00Z'", false},
        PruneCase{TypeKind::kTimestamp, kTimes, "x > '2024-03-31 12:00:00.1235Z'", true},
        PruneCase{TypeKind::kTimestamp, kTimes, "x > '2024-03-31 12:00:00.125Z'", false},
        PruneCase{TypeKind::kTimestamp, kTimes, "x >= date_trunc('day', now())", false},
        PruneCase{TypeKind::kTimestamp, "=2024-06-15T19:30:45.000000Z",
                  "x = '2024-06-15 19:30:45+00'", true},
        PruneCase{TypeKind::kTimestamp, "=2024-06-15 19:30:45", "x = '2024-06-15 19:30:46+00'",
                  false},
        PruneCase{TypeKind::kTimestampNtz, "=2024-06-15 12:30:45.000000",
                  "x = TIMESTAMP '2024-06-15 12:30:45'", true},
        PruneCase{TypeKind::kTimestampNtz, "=2024-06-15 12:30:45.000000",
                  "x = TIMESTAMP '2024-06-15 12:30:46'", false},
        PruneCase{TypeKind::kTimestampNtz, "=2024-06-15 12:30:45.000000",
                  "x = TIMESTAMPTZ '2024-06-15 20:30:45Z'", true}));

INSTANTIATE_TEST_SUITE_P(
    Structs, Prune,
    testing::Values(
        PruneCase{TypeKind::kLong, R"({"minValues":{"s":{"a":5}},"maxValues":{"s":{"a":7}}})",
                  "t.s.a = 8", false},
        PruneCase{TypeKind::kLong, R"({"minValues":{"s":{"a":5}},"maxValues":{"s":{"a":7}}})",
                  "t.s.a = 6", true},
        PruneCase{TypeKind::kLong, R"({"nullCount":{"s":{"a":0}}})", "t.s.a IS NULL", true}));

TEST(PruneZones, AreTheSessions) {
  const PruneCase row{TypeKind::kTimestamp, "=2024-06-15T02:00:00.000000Z",
                      "x < TIMESTAMP '2024-06-15 00:00:00'", false};
  Engine engine(QueryOptions{});
  EXPECT_FALSE(may_match(engine, row));
  EXPECT_TRUE(may_match(engine, row, "America/New_York")) << "midnight there is 04:00Z";
}

struct ReferenceCase {
  const char* sql;
  std::vector<std::string> expected;  // "name" or "name?" where a predicate was found.
};

class References : public WithEngine<ReferenceCase> {};

TEST_P(References, AreFoundWithTheirPredicates) {
  std::vector<std::string> found;
  for (const Reference& reference : analyse(*engine, GetParam().sql).references) {
    const bool anything = reference.predicate.kind == Predicate::Kind::kAnything;
    found.push_back(reference.name + (anything ? "" : "?"));
  }
  EXPECT_THAT(found, testing::UnorderedElementsAreArray(GetParam().expected)) << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Statements, References,
    testing::Values(
        ReferenceCase{"SELECT 1", {}}, ReferenceCase{"SELECT * FROM a", {"a"}},
        ReferenceCase{"SELECT * FROM a WHERE x = 1", {"a?"}},
        ReferenceCase{"SELECT * FROM a, b WHERE a.x = 1 AND b.y = 2 AND z = 3", {"a?", "b?"}},
        ReferenceCase{"SELECT * FROM a, b WHERE x = 1", {"a", "b"}},
        ReferenceCase{"SELECT * FROM a LEFT JOIN b ON a.i = b.i WHERE a.x = 1 AND b.x IS NULL",
                      {"a?", "b"}},
        ReferenceCase{"SELECT * FROM a RIGHT JOIN b ON a.i = b.i WHERE a.x = 1 AND b.x = 1",
                      {"a", "b?"}},
        ReferenceCase{"SELECT * FROM a FULL JOIN b ON a.i = b.i WHERE a.x = 1 AND b.x = 1",
                      {"a", "b"}},
        ReferenceCase{"SELECT * FROM a SEMI JOIN b USING (i) WHERE a.x = 1", {"a?", "b"}},
        ReferenceCase{"SELECT * FROM a ASOF JOIN b ON a.i >= b.i WHERE a.x = 1 AND b.x = 1",
                      {"a", "b"}},
        ReferenceCase{"SELECT * FROM a POSITIONAL JOIN b WHERE a.x = 1 AND b.x = 1", {"a", "b"}},
        ReferenceCase{"SELECT * FROM a q WHERE q.x = 1", {"a?"}},
        ReferenceCase{"SELECT * FROM a q WHERE a.x = 1", {"a"}},
        ReferenceCase{"SELECT * FROM a AS q(u, v) WHERE u = 1", {"a"}},
        ReferenceCase{"SELECT * FROM a TABLESAMPLE 10% WHERE x = 1", {"a"}},
        ReferenceCase{"SELECT * FROM a WHERE x = 1 USING SAMPLE 10", {"a"}},
        ReferenceCase{"SELECT * FROM (SELECT * FROM a WHERE x = 1) WHERE y = 2", {"a?"}},
        ReferenceCase{"SELECT * FROM (FROM a) WHERE y = 2", {"a"}},
        ReferenceCase{"SELECT * FROM a WHERE x = 1 UNION SELECT * FROM a WHERE y = 2",
                      {"a?", "a?"}},
        ReferenceCase{"SELECT * FROM a WHERE x = 1 UNION FROM a", {"a?", "a"}},
        ReferenceCase{"SELECT * FROM a WHERE x = (SELECT max(x) FROM a)", {"a"}},
        ReferenceCase{"WITH c AS (SELECT * FROM a WHERE x = 1) SELECT * FROM c WHERE y = 1",
                      {"a?"}},
        ReferenceCase{"SELECT * FROM a WHERE x = 1 UNION FROM query('FROM a')", {"a"}},
        ReferenceCase{"SELECT * FROM main.a WHERE x = 1", {}},
        ReferenceCase{"EXPLAIN SELECT * FROM a WHERE x = 1", {"a?"}},
        ReferenceCase{"EXPLAIN ANALYZE SELECT * FROM a WHERE x = 1", {"a?"}},
        ReferenceCase{"COPY (SELECT * FROM a WHERE x = 1) TO 'x.csv' (FORMAT csv)", {"a?"}},
        ReferenceCase{"COPY a TO 'x.csv'", {"a"}},
        ReferenceCase{"CREATE OR REPLACE TEMP TABLE b AS SELECT * FROM a WHERE x = 1", {"a?"}},
        ReferenceCase{"DESCRIBE a", {"a"}}, ReferenceCase{"SELEC * FROM a", {}}));

TEST(HiddenReferences, AreLeftByViewsMacrosAndPreparedStatements) {
  EXPECT_TRUE(hides_references("CREATE OR REPLACE TEMP VIEW v AS FROM a"));
  EXPECT_TRUE(hides_references("create macro m() as table from a"));
  EXPECT_TRUE(hides_references("/* */ PREPARE p AS FROM a"));
  EXPECT_FALSE(hides_references("CREATE TABLE v AS FROM view"));
  EXPECT_FALSE(hides_references("SELECT 'create view'"));
  EXPECT_FALSE(hides_references(""));
}

/// A table of random rows with statistics as writers make them: cut text, times cut to
/// milliseconds, NaN ignored, some left out.
class RandomTable {
 public:
  explicit RandomTable(std::uint64_t seed) : random_(seed) {
    std::string adds;
    for (int i = 0; i < 30; ++i) adds += file(i);
    lake.commit("b/t", 0,
                delta_metadata({delta_field("id", "long"), delta_field("i", "integer"),
                                delta_field("d", "double"), delta_field("s", "string"),
                                delta_field("t", "timestamp"), delta_field("day", "date"),
                                delta_field("n", "decimal(10,2)"), delta_field("p", "integer"),
                                delta_field("q", "string")},
                               {"p", "q"}) +
                    adds);
    lake.query();
    lake.rows("CREATE TEMP TABLE everything AS FROM 'lake://b/t'");
  }

  std::string predicate(int depth = 0) {
    const auto kind = pick(depth < 2 ? 6 : 3);
    if (kind == 3) return predicate(depth + 1) + " AND " + predicate(depth + 1);
    if (kind == 4) return "(" + predicate(depth + 1) + " OR " + predicate(depth + 1) + ")";
    if (kind == 5) return "NOT (" + predicate(depth + 1) + ")";
    const std::size_t column = pick(std::size(kColumns));
    const std::string name = kColumns[column];
    if (kind == 0) return name + (pick(2) ? " IS NULL" : " IS NOT NULL");
    if (kind == 1) return fmt::format("{} BETWEEN {} AND {}", name, value(column), value(column));
    if (pick(4) == 0) return fmt::format("{} IN ({}, {})", name, value(column), value(column));
    constexpr const char* kOperators[] = {"=", "<>", "<", "<=", ">", ">="};
    return fmt::format("{} {} {}", name, kOperators[pick(6)], value(column));
  }

  TestLake lake;

 private:
  static constexpr const char* kColumns[] = {"i", "d", "s", "t", "day", "n", "p", "q"};

  std::uint64_t pick(std::uint64_t below) { return random_.next() % below; }

  /// A literal that fits the column, now and then of another type.
  std::string value(std::size_t column) {
    switch (column) {
      case 0:
      case 6:
        return pick(5) ? std::to_string(number()) : fmt::format("'{}'", number());
      case 1:
        return pick(8) ? fmt::format("{}.{}", number(), pick(10)) : "'nan'::DOUBLE";
      case 2:
      case 7:
        return "'" + text() + "'";
      case 3:
        return fmt::format("{} '{}'", pick(2) ? "TIMESTAMPTZ" : "TIMESTAMP", time());
      case 4:
        return pick(3) ? fmt::format("'{}'", time().substr(0, 10))
                       : fmt::format("{} '{}'", pick(2) ? "TIMESTAMPTZ" : "TIMESTAMP", time());
      default:
        return fmt::format("{}.{:02}", number(), pick(100));
    }
  }

  int number() { return static_cast<int>(pick(60)) - 20; }
  std::string text() {
    std::string out;
    for (auto i = pick(6); i > 0; --i) out += std::string_view("abé\u4e2d").substr(0, 1 + pick(2));
    return out + std::string(pick(3), static_cast<char>('a' + pick(3)));
  }
  std::string time() {
    return fmt::format("2024-03-{:02} {:02}:00:00.{:06}", 1 + pick(28), pick(24), pick(1'000'000));
  }

  /// Writes a file and gives its add action.
  std::string file(int index) {
    const int around = number();  // Files hold neighbours, so that there is something to skip.
    std::string rows;
    for (auto left = 1 + pick(8); left > 0; --left) {
      rows += fmt::format(
          "{}({}, {}, {}, {}, {}, {}, {})", rows.empty() ? "" : ", ", ++id_,
          maybe(fmt::format("{}", around + static_cast<int>(pick(5)))),
          maybe(pick(9) ? fmt::format("{}.{}::DOUBLE", around, pick(10)) : "'nan'::DOUBLE"),
          maybe("'" + text() + "'"), maybe(fmt::format("TIMESTAMPTZ '{}Z'", time())),
          maybe(fmt::format("DATE '2024-03-{:02}'", 1 + (index + pick(3)) % 28)),
          maybe(fmt::format("{}.{:02}::DECIMAL(10,2)", around, pick(100))));
    }
    const std::string path = fmt::format("{}.parquet", index);
    lake.write_parquet(
        "b/t/" + path,
        "SELECT id::BIGINT AS id, i::INTEGER AS i, d::DOUBLE AS d, s::VARCHAR AS s, "
        "t::TIMESTAMPTZ AS t, day::DATE AS day, n::DECIMAL(10,2) AS n FROM (VALUES " +
            rows + ") v(id, i, d, s, t, day, n)");
    const std::string partition =
        fmt::format(R"({{"p":{},"q":{}}})", pick(5) ? fmt::format("\"{}\"", number()) : "null",
                    pick(5) ? fmt::format("\"{}\"", text()) : "null");
    return delta_add(path, partition, pick(6) ? stats("b/t/" + path) : "");
  }

  std::string maybe(std::string value) { return pick(6) ? value : "NULL"; }

  /// Computed by the engine from the file: no part of what is tested has a hand in it.
  std::string stats(const std::string& path) {
    // Text is cut to two characters, the maximum then made larger by U+10FFFF.
    const auto cells = lake.rows(fmt::format(
        "SELECT json_object('numRecords', count(*), 'minValues', json_object("
        "'i', min(i), 'd', min(d) FILTER (NOT isnan(d)), 's', left(min(s), 2), "
        "'t', strftime(date_trunc('millisecond', min(t)), '%Y-%m-%dT%H:%M:%S.%gZ'), "
        "'day', min(day), 'n', min(n)), 'maxValues', json_object("
        "'i', max(i), 'd', max(d) FILTER (NOT isnan(d)), "
        "'s', CASE WHEN length(max(s)) > 2 THEN left(max(s), 2) || chr(1114111) ELSE max(s) END, "
        "'t', strftime(date_trunc('millisecond', max(t)), '%Y-%m-%dT%H:%M:%S.%gZ'), "
        "'day', max(day), 'n', max(n)), 'nullCount', json_object("
        "'i', count(*) - count(i), 'd', count(*) - count(d), 's', count(*) - count(s), "
        "'t', count(*) - count(t), 'day', count(*) - count(day), 'n', count(*) - count(n))) "
        "FROM read_parquet({})",
        sql_string((lake.root() / path).string())));
    return cells.at(0).at(0);
  }

  SeededRandom random_;
  int id_ = 0;
};

class RandomPruning : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomPruning, NeverChangesAResult) {
  RandomTable table(GetParam());
  TestLake& lake = table.lake;
  std::size_t read = 0;
  std::size_t total = 0;
  std::size_t compared = 0;
  for (int i = 0; i < 60; ++i) {
    if (i == 30) lake.rows("SET TimeZone = 'America/New_York'");
    const std::string where = table.predicate();
    std::vector<std::string> expected;
    try {
      expected = lake.lines("SELECT id FROM everything WHERE " + where + " ORDER BY id");
    } catch (const Error&) {
      continue;  // Types that do not compare.
    }
    EXPECT_EQ(lake.lines("SELECT id FROM 'lake://b/t' WHERE " + where + " ORDER BY id"), expected)
        << where;
    ++compared;
    read += lake.report().files_read;
    total += lake.report().files_total;
  }
  EXPECT_GT(compared, 40u);
  EXPECT_LT(read, total * 3 / 4) << "hardly anything was skipped";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPruning, testing::Range<std::uint64_t>(1, 4));

}  // namespace
}  // namespace headrace
