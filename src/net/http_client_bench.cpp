// GETs of 4 KiB from a server in another process: our client, unsigned and signed, beside libcurl's
// multi interface. Each client runs in one thread; the server, the same for all, in one of its own.
#include "net/http_client.h"

#include <benchmark/benchmark.h>
#include <curl/curl.h>
#include <fmt/format.h>

#include "net/sigv4.h"
#include "testing/bench_kit.h"

namespace headrace {
namespace {

constexpr std::size_t kObject = 4096;
constexpr std::int64_t kRequests = 2000;  // Per iteration.

std::uint16_t server_port = 0;

Task<ServedAnswer> give_object(ServedRequest) {
  ServedAnswer answer{200, {}, Bytes(kObject, 'x')};
  answer.headers.set("ETag", "\"9b2cf535f27731c974343645a3985328\"");
  answer.headers.set("Last-Modified", "Sat, 31 Jan 2026 00:00:00 GMT");
  answer.headers.set("Content-Type", "application/octet-stream");
  answer.headers.set("x-amz-request-id", "17B2C6D3F2E1A0B9");
  co_return answer;
}

std::string object_url() { return fmt::format("http://127.0.0.1:{}/bucket/key", server_port); }

/// Gets objects until `left` is used up.
Task<> get_objects(HttpClient& client, const Signer* signer, std::int64_t& left) {
  HttpRequest request;
  request.url = parse_url(object_url());
  Credentials credentials;
  credentials.access_key = "AKIAIOSFODNN7EXAMPLE";
  credentials.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  static const std::string no_body = sha256_hex("");
  while (left-- > 0) {
    HttpRequest next = request;
    if (signer) signer->sign(next, credentials, real_clock().now(), no_body);
    const HttpAnswer answer = co_await fetch(client, std::move(next));
    if (answer.status != 200 || answer.body.size() != kObject) std::abort();
  }
}

void get_with(benchmark::State& state, const Signer* signer) {
  boost::asio::io_context loop(1);
  HttpClientConfig config;
  config.connections = static_cast<std::size_t>(state.range(0));
  auto client = std::make_unique<HttpClient>(loop.get_executor(), real_clock(), config);
  for (auto _ : state) {
    std::int64_t left = kRequests;
    bench::run_side_by_side(loop, state.range(0),
                            [&] { return get_objects(*client, signer, left); });
  }
  client.reset();
  loop.run();
  state.SetItemsProcessed(state.iterations() * kRequests);
}

void BM_Headrace(benchmark::State& state) { get_with(state, nullptr); }

void BM_HeadraceSigned(benchmark::State& state) {
  const Signer signer({"us-east-1", "s3"});
  get_with(state, &signer);
}

void BM_LibcurlMulti(benchmark::State& state) {
  CURLM* multi = curl_multi_init();
  const std::string url = object_url();
  std::size_t total = 0;
  std::vector<CURL*> handles;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    CURL* handle = handles.emplace_back(curl_easy_init());
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, bench::count_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &total);
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  }
  for (auto _ : state) bench::transfer(multi, handles, kRequests, [](CURL*) {});
  if (total != static_cast<std::size_t>(state.iterations() * kRequests) * kObject) std::abort();
  for (CURL* handle : handles) curl_easy_cleanup(handle);
  curl_multi_cleanup(multi);
  state.SetItemsProcessed(state.iterations() * kRequests);
}

BENCHMARK(BM_LibcurlMulti)->Arg(16)->Arg(64)->UseRealTime();
BENCHMARK(BM_Headrace)->Arg(16)->Arg(64)->UseRealTime();
BENCHMARK(BM_HeadraceSigned)->Arg(16)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  headrace::server_port =
      headrace::bench::serve_in_child({}, headrace::give_object);  // Before anything has threads.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
