// What the file store costs per call: small objects read, written (with their flushes) and listed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "store/file/file_store.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

class BenchStore {
 public:
  ~BenchStore() { std::filesystem::remove_all(path_); }
  Store& operator*() { return *store_; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("headrace-bench-" + real_random().uuid());
  CpuPool io_{2};
  std::unique_ptr<Store> store_ = make_file_store({path_}, io_, real_clock());
};

void SmallGet(benchmark::State& state) {
  BenchStore store;
  const ObjectKey key{"bucket", "a/b/c.json"};
  run_task((*store).put(key, Bytes(4096, 'x')));
  for (auto _ : state) {
    run_task([](Store& from, ObjectKey k) -> Task<> {
      for (int i = 0; i < 100; ++i) {
        auto object = co_await from.get(k);
        benchmark::DoNotOptimize(co_await object->body->read());
      }
    }(*store, key));
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(SmallGet)->UseRealTime();

void SmallPut(benchmark::State& state) {
  BenchStore store;
  PutOptions options;
  if (state.range(0) != 0) options.metadata = {{"headrace-by", "bench"}};
  for (auto _ : state) run_task((*store).put({"bucket", "key"}, Bytes(4096, 'x'), options));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SmallPut)->ArgName("metadata")->Arg(0)->Arg(1)->UseRealTime();

void List(benchmark::State& state) {
  BenchStore store;
  constexpr int kObjects = 2000;
  for (int i = 0; i < kObjects; ++i) {
    // By hand: flushing each would take longer than what is measured.
    const std::filesystem::path file = store.path() + fmt::format("/bucket/{}/{}", i % 10, i);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "x";
  }
  for (auto _ : state) {
    ListOptions options;
    options.limit = static_cast<std::size_t>(state.range(0));
    while (true) {
      const ListPage page = run_task((*store).list("bucket", options));
      if (!page.next) break;
      options.start_after = *page.next;
    }
  }
  state.SetItemsProcessed(state.iterations() * kObjects);
}
BENCHMARK(List)->ArgName("page")->Arg(100)->Arg(1000)->Arg(10'000)->UseRealTime();

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
