// Events per second through the matcher, on S3 events of about 500 bytes, by the number of rules.
#include <benchmark/benchmark.h>

#include "core/random.h"
#include "event/event.h"
#include "route/event_fields.h"
#include "route/matcher.h"

namespace headrace {
namespace {

constexpr std::size_t kEvents = 1000;

std::string an_event(Random& random) {
  Event event;
  event.id = random.uuid();
  event.time = Time(std::chrono::seconds(1'800'000'000 + random.below(1'000'000)));
  event.store = "lake";
  event.origin = "landing";
  event.object = {fmt::format("bucket-{}", random.below(20)),
                  fmt::format("events/type-{}/dt=2026-01-{:02}/part-{:05}.{}", random.below(5000),
                              random.below(28) + 1, random.below(100'000),
                              random.below(2) == 0 ? "jsonl" : "json.gz")};
  event.size = random.below(100'000'000);
  event.etag = Etag{"5d41402abc4b2a76b9719d911017c592"};
  event.version_id = "096fKKXTRTtl3on89fVO.nfljtsv6qko";
  event.sequencer = "00617F08299329D189";
  event.producer = "minio";
  event.key_fields = {{"event_type", fmt::format("type-{}", random.below(5000))},
                      {"date", "2026-01-31"}};
  return to_json(event);
}

std::string in_bucket(std::uint64_t bucket, std::string_view object) {
  return fmt::format(R"({{"detail":{{"bucket":{{"name":["bucket-{}"]}},"object":{{{}}}}}}})",
                     bucket, object);
}

/// Rules of many shapes over the same values, so that an event is wanted by a few of them.
std::string a_pattern(std::uint64_t i, std::uint64_t rules, Random& random) {
  const auto type = rules <= 5 ? i : random.below(std::max<std::uint64_t>(rules, 5000));
  const auto bucket = random.below(20);
  switch (i % 5) {
    case 0:
      return in_bucket(bucket, fmt::format(R"("key":[{{"prefix":"events/type-{}/"}}])", type));
    case 1:
      return fmt::format(R"({{"detail-type":["Object Created"],"detail":{{"key_fields":)"
                         R"({{"event_type":["type-{}","type-{}"]}}}}}})",
                         type, type + 1);
    case 2:
      return in_bucket(bucket, fmt::format(R"("key":[{{"suffix":"part-{:05}.jsonl"}}],)"
                                           R"("size":[{{"numeric":[">",0]}}])",
                                           random.below(100'000)));
    case 3:
      return fmt::format(
          R"({{"detail":{{"object":{{"key":[{{"wildcard":"events/type-{}/*.gz"}}]}},)"
          R"("key_fields":{{"date":[{{"anything-but":"2026-01-01"}}]}}}}}})",
          type);
    default:
      return in_bucket(bucket, fmt::format(R"("size":[{{"numeric":[">",{},"<=",{}]}}])", i * 1000,
                                           i * 1000 + 1000));
  }
}

std::vector<std::string> events() {
  SeededRandom random(1);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < kEvents; ++i) out.push_back(an_event(random));
  return out;
}

std::vector<Rule> rules(std::uint64_t count) {
  SeededRandom random(2);
  std::vector<Rule> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back({i, Pattern::parse(a_pattern(i, count, random))});
  }
  return out;
}

void match_events(benchmark::State& state) {
  const Matcher matcher(rules(static_cast<std::uint64_t>(state.range(0))));
  const auto given = events();
  std::vector<std::uint32_t> matched;
  std::size_t bytes = 0;
  std::size_t matches = 0;
  std::size_t count = 0;
  for (auto _ : state) {
    const std::string& event = given[count++ % kEvents];
    matcher.match(event, matched);
    matches += matched.size();
    bytes += event.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["matches"] = static_cast<double>(matches) / static_cast<double>(count);
}
BENCHMARK(match_events)->Arg(5)->Arg(1000)->Arg(10'000)->Arg(100'000);

/// The part that does not depend on the rules: taking the event apart.
void read_events(benchmark::State& state) {
  FieldTree tree;
  for (const char* path : {"detail.bucket.name", "detail.object.key", "detail.object.size",
                           "detail-type", "detail.key_fields.event_type"}) {
    tree.add(path);
  }
  const auto given = events();
  EventFields fields;
  std::size_t count = 0;
  for (auto _ : state) fields.read(given[count++ % kEvents], tree);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(read_events);

void compile_rules(benchmark::State& state) {
  const auto given = rules(static_cast<std::uint64_t>(state.range(0)));
  for (auto _ : state) {
    Matcher matcher(given);
    benchmark::DoNotOptimize(matcher);
  }
}
BENCHMARK(compile_rules)->Arg(1000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
