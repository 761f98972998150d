#pragma once

// For benches only: S3 events and rules of many shapes over the same values, so that an event is
// wanted by a few of them. The same for the same seed, on every machine.

#include <string>
#include <vector>

#include "core/random.h"
#include "event/event.h"

namespace headrace::bench {

constexpr std::uint64_t kTypes = 5000;
constexpr std::uint64_t kBuckets = 20;

inline Event an_event(Random& random) {
  Event event;
  event.id = random.uuid();
  event.time = Time(std::chrono::seconds(1'800'000'000 + random.below(1'000'000)));
  event.store = "lake";
  event.origin = "landing";
  const auto type = random.below(kTypes);
  const auto day = random.below(28) + 1;
  event.object = {fmt::format("bucket-{}", random.below(kBuckets)),
                  fmt::format("events/type-{}/dt=2026-01-{:02}/part-{:05}.{}", type, day,
                              random.below(100'000), random.below(2) == 0 ? "jsonl" : "json.gz")};
  event.size = random.below(100'000'000);
  event.etag = Etag{"5d41402abc4b2a76b9719d911017c592"};
  event.version_id = "096fKKXTRTtl3on89fVO.nfljtsv6qko";
  event.sequencer = "00617F08299329D189";
  event.producer = "minio";
  event.key_fields = {{"event_type", fmt::format("type-{}", type)},
                      {"date", fmt::format("2026-01-{:02}", day)}};
  return event;
}

inline std::string in_bucket(std::uint64_t bucket, const std::string& object) {
  return fmt::format(R"({{"detail":{{"bucket":{{"name":["bucket-{}"]}},"object":{{{}}}}}}})",
                     bucket, object);
}

/// The first five rules of every set: one of each shape, and broad.
inline std::vector<std::string> broad_patterns() {
  return {
      R"({"detail":{"bucket":{"name":["bucket-3","bucket-7"]}}})",
      R"({"detail":{"object":{"key":[{"prefix":"events/type-12"}]}}})",
      R"({"detail-type":["Object Created"],"detail":{"object":{"key":[{"suffix":"7.jsonl"}]}}})",
      R"({"detail":{"object":{"key":[{"wildcard":"events/*/dt=2026-01-0*.gz"}]},)"
      R"("bucket":{"name":[{"anything-but":["bucket-1","bucket-2"]}]}}})",
      R"({"detail":{"object":{"size":[{"numeric":[">",50000000,"<=",90000000]}]}}})",
  };
}

/// One of ten shapes, narrow.
inline std::string narrow_pattern(std::uint64_t i, std::uint64_t types, Random& random) {
  const auto type = random.below(types);
  const auto bucket = random.below(kBuckets);
  const auto day = random.below(28) + 1;
  switch (i % 10) {
    case 0:
      return in_bucket(bucket, fmt::format(R"("key":[{{"prefix":"events/type-{}/"}}])", type));
    case 1:
      return fmt::format(R"({{"detail-type":["Object Created"],"detail":{{"key_fields":)"
                         R"({{"event_type":["type-{}","type-{}"]}}}}}})",
                         type, (type + 1) % types);
    case 2:
      return in_bucket(bucket, fmt::format(R"("key":[{{"suffix":"part-{:05}.jsonl"}}],)"
                                           R"("size":[{{"numeric":[">",0]}}])",
                                           random.below(100'000)));
    case 3:
      return fmt::format(
          R"({{"detail":{{"object":{{"key":[{{"wildcard":"events/type-{}/*.gz"}}]}},)"
          R"("key_fields":{{"date":[{{"anything-but":"2026-01-01"}}]}}}}}})",
          type);
    case 4:
      return in_bucket(bucket, fmt::format(R"("size":[{{"numeric":[">",{0}00000,"<=",{0}99999]}}])",
                                           random.below(999) + 1));
    case 5:
      return fmt::format(R"({{"detail":{{"object":{{"key":[{{"prefix":"events/type-{}/dt=2026-01-)"
                         R"({:02}"}}],"size":[{{"numeric":["<",{}]}}]}}}}}})",
                         type, day, random.below(90'000'000) + 1);
    case 6:
      return fmt::format(R"({{"detail":{{"key_fields":{{"event_type":)"
                         R"([{{"equals-ignore-case":"TYPE-{}"}}],"date":["2026-01-{:02}"]}}}}}})",
                         type, day);
    case 7:
      return fmt::format(R"({{"detail":{{"$or":[{{"key_fields":{{"event_type":["type-{}"]}}}},)"
                         R"({{"object":{{"key":[{{"prefix":"events/type-{}/"}}]}}}}],)"
                         R"("bucket":{{"name":["bucket-{}"]}}}}}})",
                         type, random.below(types), bucket);
    case 8:
      return fmt::format(R"({{"detail":{{"object":{{"key":[{{"prefix":"events/type-{}/"}},)"
                         R"({{"prefix":"other/type-{}/"}}],"version-id":[{{"exists":true}}]}},)"
                         R"("producer":["minio","ceph"]}}}})",
                         type, type);
    default:
      return fmt::format(R"({{"detail":{{"key_fields":{{"event_type":["type-{}"]}},"bucket":)"
                         R"({{"name":[{{"anything-but":{{"prefix":"bucket-{}"}}}}]}},)"
                         R"("line":{{"number":[{{"exists":false}}]}}}}}})",
                         type, bucket);
  }
}

inline std::vector<std::string> patterns(std::uint64_t count) {
  SeededRandom random(2);
  std::vector<std::string> out = broad_patterns();
  // With more rules fewer of their types come up in events, so that an event is wanted by a few.
  const std::uint64_t types = std::max(kTypes, count / 8);
  for (std::uint64_t i = out.size(); i < count; ++i) {
    out.push_back(narrow_pattern(i, types, random));
  }
  return out;
}

inline std::vector<Event> events(std::size_t count) {
  SeededRandom random(1);
  std::vector<Event> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(an_event(random));
  return out;
}

}  // namespace headrace::bench
