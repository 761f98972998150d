// What signing costs: a GET as a store sends it, its presigned form, and a POST policy.
#include <benchmark/benchmark.h>

#include "net/sigv4.h"

namespace headrace {
namespace {

const Credentials kCredentials{.access_key = "AKIAIOSFODNN7EXAMPLE",
                               .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const Time kMoment = Time(std::chrono::seconds(1'800'000'000));

HttpRequest get_object() {
  HttpRequest request;
  request.url.host = "bucket.s3.eu-central-1.amazonaws.com";
  request.url.path = "/events/page_view/dt%3D2026-01-31/part-00017.jsonl.gz";
  request.headers.set("Range", "bytes=0-1048575");
  return request;
}

/// Signs a fresh copy of the request each time.
void sign_anew(benchmark::State& state, const HttpRequest& unsigned_request) {
  const Signer signer({"eu-central-1", "s3"});
  for (auto _ : state) {
    HttpRequest request;
    request.url = unsigned_request.url;
    request.headers = unsigned_request.headers;
    signer.sign(request, kCredentials, kMoment, kUnsignedPayload);
    benchmark::DoNotOptimize(request);
  }
}

void BM_SignGet(benchmark::State& state) { sign_anew(state, get_object()); }
BENCHMARK(BM_SignGet);

void BM_SignList(benchmark::State& state) {
  HttpRequest unsigned_request = get_object();
  unsigned_request.url.path = "/";
  unsigned_request.url.query =
      "list-type=2&encoding-type=url&max-keys=1000&prefix=events%2Fpage_view%2F&"
      "continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D";
  sign_anew(state, unsigned_request);
}
BENCHMARK(BM_SignList);

void BM_Presign(benchmark::State& state) {
  const Signer signer({"eu-central-1", "s3"});
  const HttpRequest request = get_object();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        signer.presign("GET", request.url, {}, kCredentials, kMoment, std::chrono::minutes(5)));
  }
}
BENCHMARK(BM_Presign);

void BM_SignPolicy(benchmark::State& state) {
  const Signer signer({"eu-central-1", "s3"});
  const std::string policy(800, 'e');
  for (auto _ : state) {
    benchmark::DoNotOptimize(signer.sign_policy(policy, kCredentials, kMoment));
  }
}
BENCHMARK(BM_SignPolicy);

void BM_HashBody(benchmark::State& state) {
  const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256_hex(body));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_HashBody)->Arg(0)->Arg(4096)->Arg(1 << 20);

}  // namespace
}  // namespace headrace

BENCHMARK_MAIN();
