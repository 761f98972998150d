// What it costs to learn which files are a table: commits parsed and applied, checkpoints written
// and read. Items are files.
#include <benchmark/benchmark.h>

#include "table/delta/action_json.h"
#include "table/delta/checkpoint.h"
#include "testing/run_task.h"

namespace headrace::delta {
namespace {

constexpr int kFiles = 100'000;
constexpr std::size_t kLimit = 1'000'000;

std::string commit_of_many_files() {
  std::string lines = protocol_line({});
  Metadata metadata;
  metadata.id = "id";
  metadata.schema_string = R"({"type":"struct","fields":[]})";
  metadata.partition_columns = {"day"};
  lines += metadata_line(metadata);
  for (int i = 0; i < kFiles; ++i) {
    AddFile add;
    add.path = fmt::format("day=2024-01-{:02}/part-{:08}-0000-4000-8000-000000000000.parquet",
                           i % 28 + 1, i);
    add.partition_values = {{"day", fmt::format("2024-01-{:02}", i % 28 + 1)}};
    add.size = 128u << 20;
    add.stats = fmt::format(R"({{"numRecords":1000,"minValues":{{"id":{0}}},"maxValues":)"
                            R"({{"id":{0}}},"nullCount":{{"id":0}}}})",
                            i);
    lines += add_line(add);
  }
  return lines;
}

TableState replayed(const std::string& lines) {
  TableState state(kLimit);
  state.apply(parse_commit(lines));
  return state;
}

void count(benchmark::State& run) { run.SetItemsProcessed(run.iterations() * kFiles); }

void BM_Replay(benchmark::State& run) {
  const std::string lines = commit_of_many_files();
  for (auto _ : run) benchmark::DoNotOptimize(replayed(lines).files().size());
  count(run);
}
BENCHMARK(BM_Replay)->Unit(benchmark::kMillisecond);

Bytes encoded(const TableState& state) {
  CheckpointSource source(state, nullptr);
  return run_task(read_all(source, 1u << 30));
}

void BM_WriteCheckpoint(benchmark::State& run) {
  const TableState state = replayed(commit_of_many_files());
  for (auto _ : run) benchmark::DoNotOptimize(encoded(state).size());
  count(run);
}
BENCHMARK(BM_WriteCheckpoint)->Unit(benchmark::kMillisecond);

void BM_ReadCheckpoint(benchmark::State& run) {
  const Bytes bytes = encoded(replayed(commit_of_many_files()));
  for (auto _ : run) {
    TableState state(kLimit);
    read_checkpoint(bytes, [&](Commit part) { state.restore(std::move(part)); });
    benchmark::DoNotOptimize(state.files().size());
  }
  count(run);
}
BENCHMARK(BM_ReadCheckpoint)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headrace::delta

BENCHMARK_MAIN();
