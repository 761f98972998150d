// Events per second on one core, from a message's bytes to an Event, by dialect.
#include <benchmark/benchmark.h>

#include "event/test_messages.h"

namespace headrace {
namespace {

using namespace test_messages;

void run(benchmark::State& state, const std::string& body, const Attributes& attributes = {}) {
  std::size_t events = 0;
  for (auto _ : state) {
    Decoded decoded = decode_message({body, attributes, Time()});
    events += std::get<Events>(decoded).events.size();
    benchmark::DoNotOptimize(decoded);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

std::string hundred_records() {
  std::string records = aws_record();
  for (int i = 1; i < 100; ++i) records += "," + aws_record();
  return in_records(records);
}

BENCHMARK_CAPTURE(run, aws, aws_put());
BENCHMARK_CAPTURE(run, aws_100_records, hundred_records());
BENCHMARK_CAPTURE(run, aws_by_sns, in_sns(aws_put()));
BENCHMARK_CAPTURE(run, eventbridge, bridge_put());
BENCHMARK_CAPTURE(run, minio, minio_put());
BENCHMARK_CAPTURE(run, ceph, ceph_put());
BENCHMARK_CAPTURE(run, versitygw, versitygw_put());
BENCHMARK_CAPTURE(run, moto, moto_put());
BENCHMARK_CAPTURE(run, r2, r2_put());
BENCHMARK_CAPTURE(run, gcs, gcs_resource(), gcs_attributes());
BENCHMARK_CAPTURE(run, gcs_by_push, in_pub_sub(gcs_resource(), gcs_attributes()));
BENCHMARK_CAPTURE(run, cloudevent_structured, in_cloud_event(aws_record()));

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
