#include <benchmark/benchmark.h>

#include <string>

#include "core/random.h"
#include "format/json_edit.h"

namespace headrace {
namespace {

/// Log lines of about 200 bytes.
std::string log_lines(std::size_t size) {
  SeededRandom random(7);
  std::string text;
  while (text.size() < size) {
    text +=
        R"({"time":"2026-01-31T09:08:07.123Z","level":"info","message":"request served","id":)" +
        std::to_string(random.next()) + R"(,"user":{"name":"someone","roles":["a","b"]},"ms":)" +
        std::to_string(random.below(1'000)) + R"(,"path":"/api/v1/things/)" +
        std::to_string(random.below(100'000)) + "\"}\n";
  }
  return text;
}

/// One thread, pieces of 256 KiB, as an edit step gives them.
void run(benchmark::State& state, const JsonEditConfig& config) {
  constexpr std::size_t kPiece = 256u << 10;
  const std::string text = log_lines(32u << 20);
  const JsonEdits edits(config);
  for (auto _ : state) {
    JsonEditor editor(edits);
    std::size_t total = 0;
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      editor.push(text.substr(at, kPiece));
      for (Bytes out = editor.next(); !out.empty(); out = editor.next()) total += out.size();
    }
    benchmark::DoNotOptimize(total);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void set_a_field(benchmark::State& state) { run(state, {.set = {{"message", "\"\""}}}); }
void add_a_field(benchmark::State& state) { run(state, {.set = {{"seen", "true"}}}); }
void remove_a_nested_field(benchmark::State& state) { run(state, {.remove = {"user.name"}}); }
void change_nothing(benchmark::State& state) { run(state, {.remove = {"absent"}}); }

BENCHMARK(set_a_field)->Unit(benchmark::kMillisecond);
BENCHMARK(add_a_field)->Unit(benchmark::kMillisecond);
BENCHMARK(remove_a_nested_field)->Unit(benchmark::kMillisecond);
BENCHMARK(change_nothing)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
