// What a log says of a file, damaged or not, against tests of every kind on columns of every kind:
// an answer, and "may match" where nothing is said of the column.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "query/pruning.h"
#include "testing/changed_bytes.h"

namespace headrace {
namespace {

constexpr TypeKind kKinds[] = {TypeKind::kBoolean,     TypeKind::kByte,    TypeKind::kShort,
                               TypeKind::kInteger,     TypeKind::kLong,    TypeKind::kFloat,
                               TypeKind::kDouble,      TypeKind::kDecimal, TypeKind::kString,
                               TypeKind::kBinary,      TypeKind::kDate,    TypeKind::kTimestamp,
                               TypeKind::kTimestampNtz};

constexpr std::string_view kStats =
    R"({"numRecords":10,"minValues":{"x":1,"s":{"x":"a"}},"maxValues":{)"
    R"("x":"2026-01-31T09:08:07.123Z","s":{"x":-1e300}},"nullCount":{"x":10,"s":{"x":0}}})";

const std::vector<Constant>& constants() {
  static const std::vector<Constant> all = {
      {.type = "INTEGER", .text = "1", .literal = true},
      {.type = "HUGEINT", .text = "170141183460469231731687303715884105727"},
      {.type = "DECIMAL(38,2)", .text = "-0.01"},
      {.type = "DOUBLE", .text = "nan"},
      {.type = "VARCHAR",
       .text = "2026-01-31",
       .literal = true,
       .naive_time = 1'769'817'600'000'000,
       .zoned_time = INT64_MAX,
       .day_time = INT64_MIN},
      {.type = "BOOLEAN", .text = "true"},
      {.type = "VARCHAR", .text = std::nullopt},
      {.type = "TIMESTAMP WITH TIME ZONE",
       .text = "2026-01-31 09:08:07+00",
       .moving = true,
       .naive_time = INT64_MIN,
       .zoned_time = INT64_MIN}};
  return all;
}

std::vector<Predicate> predicates(const std::vector<std::string>& column) {
  std::vector<Predicate> all;
  for (int test = 0; test <= static_cast<int>(Test::kIsNotNull); ++test) {
    for (std::size_t i = 0; i < constants().size(); ++i) {
      all.push_back({.kind = Predicate::Kind::kTest,
                     .parts = {},
                     .column = column,
                     .test = static_cast<Test>(test),
                     .constants = {i, (i * 3 + 1) % constants().size()}});
    }
  }
  return all;
}

void check(std::uint8_t choice, std::string_view text) {
  const TypeKind kind = kKinds[choice % std::size(kKinds)];
  Snapshot snapshot;
  const Field x = {.name = "x", .type = {.kind = kind, .precision = 10, .scale = 2}};
  snapshot.schema.fields = {
      x, {.name = "s", .type = {.kind = TypeKind::kStruct, .fields = {x}}}, {.name = "none"}};
  TableFile said{.rows = 10, .stats = std::string(text)};
  TableFile damaged{.rows = 10, .stats = changed_bytes(Bytes(kStats), text)};
  TableFile parted{.partition = {{"x", std::string(text)}}};
  Pruner pruner(snapshot, constants(), (choice & 128) == 0);
  for (const auto& column : {std::vector<std::string>{"x"}, {"s", "x"}, {"NONE"}, {"x", "x"}}) {
    for (const Predicate& predicate : predicates(column)) {
      for (const TableFile* file : {&said, &damaged, &parted}) {
        const bool may = pruner.may_match(predicate, *file);
        const bool silent = file->stats.find(column.back()) == std::string::npos &&
                            (file != &parted || column.size() > 1);
        if (silent && !may && file->stats.find('\\') == std::string::npos) std::abort();
      }
    }
  }
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  headrace::check(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
