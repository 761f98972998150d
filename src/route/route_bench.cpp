// Events per second through the matcher, on S3 events of about 500 bytes, by the number of rules:
// from JSON text and from decoded events.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "route/bench_inputs.h"
#include "route/event_fields.h"
#include "route/matcher.h"
#include "route/routes.h"

namespace headrace {
namespace {

constexpr std::size_t kEvents = 10'000;

std::size_t in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::vector<Rule> rules(std::uint64_t count) {
  std::vector<Rule> out;
  for (const std::string& pattern : bench::patterns(count)) {
    out.push_back({static_cast<std::uint32_t>(out.size()), Pattern::parse(pattern)});
  }
  return out;
}

std::vector<std::string> texts() {
  std::vector<std::string> out;
  for (const Event& event : bench::events(kEvents)) out.push_back(to_json(event));
  return out;
}

template <class Input>
void match_all(benchmark::State& state, const std::vector<Input>& events) {
  const Matcher matcher(rules(static_cast<std::uint64_t>(state.range(0))));
  std::vector<std::uint32_t> matched;
  std::size_t matches = 0;
  std::size_t count = 0;
  for (auto _ : state) {
    matcher.match(events[count++ % kEvents], matched);
    matches += matched.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
  state.counters["matches"] = static_cast<double>(matches) / static_cast<double>(count);
}
void match_json(benchmark::State& state) { match_all(state, texts()); }
BENCHMARK(match_json)->Arg(5)->Arg(1000)->Arg(10'000)->Arg(100'000);
void match_decoded(benchmark::State& state) { match_all(state, bench::events(kEvents)); }
BENCHMARK(match_decoded)->Arg(5)->Arg(1000)->Arg(10'000)->Arg(100'000);

/// The part that does not depend on the rules: taking the event apart.
void read_events(benchmark::State& state) {
  FieldTree tree;
  for (const char* path : {"detail.bucket.name", "detail.object.key", "detail.object.size",
                           "detail-type", "detail.key_fields.event_type"}) {
    tree.add(path);
  }
  const auto given = texts();
  EventFields fields;
  std::size_t count = 0;
  for (auto _ : state) fields.read(given[count++ % kEvents], tree);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(read_events);

/// From texts to the matcher; the memory is that of the matcher alone.
void compile_rules(benchmark::State& state) {
  const auto given = bench::patterns(static_cast<std::uint64_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::size_t before = in_use();
    std::vector<Rule> parsed;
    for (const std::string& pattern : given) {
      parsed.push_back({static_cast<std::uint32_t>(parsed.size()), Pattern::parse(pattern)});
    }
    const Matcher matcher(std::move(parsed));
    bytes = in_use() - before;
  }
  state.counters["MiB"] = static_cast<double>(bytes) / 1048576;
}
BENCHMARK(compile_rules)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

double cpu_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

/// Events are matched on one thread while another, as the engine's pool does, makes the next set,
/// has it taken, and frees the one before.
class Loop {
 public:
  explicit Loop(std::shared_ptr<const Routes> routes)
      : routes_(std::move(routes)), thread_([this] { run(); }) {}
  ~Loop() {
    stop_ = true;
    thread_.join();
  }

  /// Returns when they are in force, with those that were before.
  std::shared_ptr<const Routes> take(std::shared_ptr<const Routes> routes) {
    next_ = std::move(routes);
    offered_ = true;
    offered_.wait(true);
    return std::move(next_);
  }
  /// The most that one match has kept its thread busy; what others had of the core is not in it.
  double slowest_us() const { return slowest_us_; }

 private:
  void run() {
    const auto given = bench::events(kEvents);
    for (std::size_t i = 0; !stop_; ++i) {
      if (offered_) {
        std::swap(routes_, next_);
        offered_ = false;
        offered_.notify_one();
      }
      const double begin = cpu_microseconds();
      benchmark::DoNotOptimize(routes_->wanting(given[i % kEvents]));
      const double took = cpu_microseconds() - begin;
      if (i > kEvents && took > slowest_us_) slowest_us_ = took;  // Once warm.
    }
  }

  std::shared_ptr<const Routes> routes_;
  std::shared_ptr<const Routes> next_;
  std::atomic<bool> offered_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<double> slowest_us_ = 0;
  std::thread thread_;
};

/// One rule more among many: until the set with it is in force, and the most that a match took
/// meanwhile.
void change_a_rule(benchmark::State& state) {
  std::vector<RouteRule> all;
  for (const std::string& pattern : bench::patterns(static_cast<std::uint64_t>(state.range(0)))) {
    all.push_back({"", {}, Pattern::parse(pattern)});
  }
  auto in_force = std::make_shared<const Routes>(all);
  Loop loop(in_force);
  for (auto _ : state) {
    all.push_back({"", {}, Pattern::parse(R"({"detail-type":["Object Restored"]})")});
    const auto next = std::make_shared<const Routes>(all, in_force.get());
    loop.take(next);
    in_force = next;
  }
  state.counters["slowest_match_us"] = loop.slowest_us();
}
BENCHMARK(change_a_rule)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
