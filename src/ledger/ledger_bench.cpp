// What the embedded ledger does with every commit group on disk (fsync returned).
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "core/random.h"
#include "ledger/rocksdb/rocks_ledger.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

/// A ledger in a folder of its own, gone at the end.
class Bench {
 public:
  Bench()
      : folder_(std::filesystem::temp_directory_path() / ("ledger-bench-" + real_random().uuid())),
        ledger(open_rocks_ledger(folder_, {}, real_clock(), silent_log())) {}
  ~Bench() {
    ledger.reset();
    std::filesystem::remove_all(folder_);
  }

 private:
  std::filesystem::path folder_;

 public:
  std::unique_ptr<Ledger> ledger;
};

/// Events of some 350 bytes, as sources make them: much of them alike, ids and names their own.
/// More of them than fit a page, so that no page compresses better than real ones.
const std::vector<Bytes>& bodies() {
  static const std::vector<Bytes> kBodies = [] {
    SeededRandom random(7);
    std::vector<Bytes> made(4096);
    for (Bytes& body : made) {
      body = R"({"version":"0","id":")" + random.uuid() +
             R"(","detail-type":"Object Created","source":"aws.s3",)"
             R"("time":"2026-01-31T09:08:07.123456Z","detail":{"bucket":{"name":"landing"},)"
             R"("object":{"key":"events/clicks/dt=2026-01-31/)" +
             random.uuid() + R"(.jsonl","size":)" + std::to_string(random.below(100'000)) +
             R"(,"etag":")" + random.uuid() + R"("},"store":"lake","origin":"landing"}})";
    }
    return made;
  }();
  return kBodies;
}

NewEvent event(const std::vector<RouteId>& routes, std::uint64_t number) {
  NewEvent made{.body = bodies()[number % bodies().size()],
                .identity = SeededRandom(number).next()};
  const Time now = real_clock().now();
  for (const RouteId route : routes) made.wants.push_back({route, now});
  return made;
}

Task<> cycle(Ledger& ledger, RouteId route, std::size_t batch, int rounds) {
  static std::uint64_t identity = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<NewEvent> events;
    for (std::size_t i = 0; i < batch; ++i) events.push_back(event({route}, ++identity));
    co_await ledger.append(std::move(events));
    for (std::size_t left = batch; left > 0;) {
      LedgerWrite write;
      for (const TakenTask& task : co_await ledger.take(route, left)) {
        write.settle.push_back({.id = task.id});
      }
      left -= write.settle.size();
      co_await ledger.write(std::move(write));
    }
  }
}

/// Append, take and settle in batches of 100, so many of them in flight.
void BM_Cycle(benchmark::State& state) {
  Bench bench;
  const RouteId route = run_task(bench.ledger->route_id("load"));
  constexpr std::size_t kBatch = 100;
  constexpr int kRounds = 50;
  const auto before = ledger_log_bytes(*bench.ledger);
  std::int64_t tasks = 0;
  for (auto _ : state) {
    boost::asio::io_context loop;
    for (int i = 0; i < state.range(0); ++i) {
      co_spawn(loop, cycle(*bench.ledger, route, kBatch, kRounds), boost::asio::detached);
    }
    loop.run();
    tasks += state.range(0) * kRounds * static_cast<std::int64_t>(kBatch);
  }
  state.SetItemsProcessed(tasks);
  state.counters["log_bytes_per_task"] =
      static_cast<double>(ledger_log_bytes(*bench.ledger) - before) / static_cast<double>(tasks);
}
BENCHMARK(BM_Cycle)->Arg(1)->Arg(4)->Arg(8)->UseRealTime()->MeasureProcessCPUTime()->Unit(
    benchmark::kMillisecond);

Task<> append_singly(Ledger& ledger, RouteId route, int count) {
  static std::uint64_t identity = 0;
  for (int i = 0; i < count; ++i) {
    std::vector<NewEvent> one;
    one.push_back(event({route}, ++identity));
    co_await ledger.append(std::move(one));
  }
}

/// One durable append per call, so many calls in flight. Nobody takes.
void BM_SingleAppends(benchmark::State& state) {
  Bench bench;
  const RouteId route = run_task(bench.ledger->route_id("load"));
  constexpr int kEach = 100;
  for (auto _ : state) {
    boost::asio::io_context loop;
    for (int i = 0; i < state.range(0); ++i) {
      co_spawn(loop, append_singly(*bench.ledger, route, kEach), boost::asio::detached);
    }
    loop.run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kEach);
}
BENCHMARK(BM_SingleAppends)
    ->Arg(1)
    ->Arg(32)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

Task<> take_one(Ledger& ledger, RouteId route) {
  for (const TakenTask& task : co_await ledger.take(route, 1)) {
    LedgerWrite write;
    write.settle.push_back({.id = task.id});
    co_await ledger.write(std::move(write));
  }
}

/// One event to 1,000 routes, each of which takes and settles by itself.
void BM_FanOut(benchmark::State& state) {
  Bench bench;
  std::vector<RouteId> routes;
  for (int i = 0; i < 1000; ++i) {
    routes.push_back(run_task(bench.ledger->route_id("subscriber-" + std::to_string(i))));
  }
  std::uint64_t identity = 0;
  const auto before = ledger_log_bytes(*bench.ledger);
  for (auto _ : state) {
    boost::asio::io_context loop;
    for (const RouteId route : routes) {
      co_spawn(loop, take_one(*bench.ledger, route), boost::asio::detached);
    }
    std::vector<NewEvent> one;
    one.push_back(event(routes, ++identity));
    co_spawn(loop, bench.ledger->append(std::move(one)), boost::asio::detached);
    loop.run();
  }
  state.SetItemsProcessed(state.iterations() * 1000);
  state.counters["log_bytes_per_event"] =
      static_cast<double>(ledger_log_bytes(*bench.ledger) - before) /
      static_cast<double>(state.iterations());
}
BENCHMARK(BM_FanOut)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

Task<> append_due(Ledger& ledger, RouteId route, Time first, int count, Duration spacing) {
  std::vector<NewEvent> events;
  for (int i = 0; i < count; ++i) {
    NewEvent made{.body = bodies()[static_cast<std::size_t>(i) % bodies().size()]};
    made.wants.push_back({route, first + spacing * i});
    events.push_back(std::move(made));
    if (events.size() == 1000) co_await ledger.append(std::exchange(events, {}));
  }
  co_await ledger.append(std::move(events));
}

Task<> settle(Ledger& ledger, LedgerWrite write) { co_await ledger.write(std::move(write)); }

/// Settles beside the next take, as workers do, so that the error is not that of the disk.
Task<> take_due(Ledger& ledger, RouteId route, std::size_t count, std::vector<Duration>& errors) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  while (errors.size() < count) {
    LedgerWrite write;
    for (const TakenTask& task : co_await ledger.take(route, 1000)) {
      errors.push_back(real_clock().now() - task.due);
      write.settle.push_back({.id = task.id});
    }
    co_spawn(executor, settle(ledger, std::move(write)), boost::asio::detached);
  }
}

/// How late tasks are taken: 10,000 come due each second for two seconds, with so many more
/// pending behind them. Negative would be early.
void BM_DueError(benchmark::State& state) {
  Bench bench;
  const RouteId route = run_task(bench.ledger->route_id("load"));
  const Duration spacing = std::chrono::microseconds(100);
  constexpr int kCount = 20'000;
  for (auto _ : state) {
    const Time far = real_clock().now() + std::chrono::hours(24);
    const auto behind = static_cast<int>(state.range(0));
    run_task(append_due(*bench.ledger, route, far, behind, spacing));
    const Time soon = real_clock().now() + std::chrono::seconds(2);
    run_task(append_due(*bench.ledger, route, soon, kCount, spacing));
    std::vector<Duration> errors;
    run_task(take_due(*bench.ledger, route, kCount, errors));
    std::ranges::sort(errors);
    const auto at = [&](double share) {
      const auto index = static_cast<std::size_t>(share * static_cast<double>(errors.size() - 1));
      return static_cast<double>(errors[index].count()) / 1000;
    };
    state.counters["min_ms"] = at(0);
    state.counters["p50_ms"] = at(0.5);
    state.counters["p99_ms"] = at(0.99);
    state.counters["max_ms"] = at(1);
  }
}
BENCHMARK(BM_DueError)->Arg(0)->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
