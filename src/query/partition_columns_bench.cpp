#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>

#include "query/engine.h"
#include "query/partition_columns.h"

// What a partition column costs per row: our function of `file_index` against the two ways that SQL
// alone offers, for few and for many partitions. One file of 10 million rows, one engine thread.

namespace headrace {
namespace {

constexpr int kRows = 10'000'000;

std::string data_file() {
  static const std::string path = [] {
    const auto file = std::filesystem::temp_directory_path() / "headrace-partition-bench.parquet";
    Engine engine(QueryOptions{});
    engine.execute(fmt::format("COPY (SELECT range AS id FROM range({})) TO {} (FORMAT parquet)",
                               kRows, sql_string(file.string())));
    return file.string();
  }();
  return path;
}

std::vector<std::optional<std::string>> values(std::int64_t count) {
  std::vector<std::optional<std::string>> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(fmt::format("partition {}", i));
  return out;
}

void run(benchmark::State& state, Engine& engine, const std::string& from) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        engine.rows("SELECT p, count(*), sum(id) FROM " + from + " GROUP BY p"));
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

void BM_NoPartitionColumn(benchmark::State& state) {
  Engine engine({.threads = 1});
  run(state, engine, fmt::format("(SELECT id, 1 AS p FROM read_parquet('{}'))", data_file()));
}

void BM_Function(benchmark::State& state) {
  Engine engine({.threads = 1});
  PartitionColumns columns(engine);
  const std::string p = columns.add("VARCHAR", values(state.range(0)));
  run(state, engine, fmt::format("(SELECT id, {} AS p FROM read_parquet('{}'))", p, data_file()));
}

void BM_List(benchmark::State& state) {
  Engine engine({.threads = 1});
  engine.set_list("p", values(state.range(0)));
  run(state, engine,
      fmt::format("(SELECT id, getvariable('p')[file_index::BIGINT + 1] AS p FROM "
                  "read_parquet('{}'))",
                  data_file()));
}

void BM_Join(benchmark::State& state) {
  Engine engine({.threads = 1});
  engine.set_list("p", values(state.range(0)));
  engine.execute(
      "CREATE TEMP TABLE parts AS SELECT unnest(getvariable('p')) AS p, "
      "generate_subscripts(getvariable('p'), 1) - 1 AS i");
  run(state, engine,
      fmt::format("(SELECT id, p FROM read_parquet('{}') f JOIN parts ON f.file_index = parts.i)",
                  data_file()));
}

BENCHMARK(BM_NoPartitionColumn)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Function)->Arg(1)->Arg(5'000)->Arg(300'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_List)->Arg(1)->Arg(5'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Join)->Arg(1)->Arg(5'000)->Arg(300'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
