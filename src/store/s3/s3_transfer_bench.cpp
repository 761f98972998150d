// Objects of 16 MiB up and down: the whole s3 store, with signatures and checksums, beside plain
// libcurl on the same server in the same run. The clients run in this thread, the server in another
// process. UserCounters say what a client itself spends; with both cores busy that is steadier.
#include <benchmark/benchmark.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstring>
#include <ctime>

#include "core/random.h"
#include "net/http_server.h"
#include "store/s3/s3_store.h"

namespace headrace {
namespace {

constexpr std::size_t kObject = 16u << 20;
constexpr std::int64_t kObjects = 8;  // Per iteration.
constexpr long kBuffer = 512L << 10;  // libcurl's own is made for less.

std::uint16_t server_port = 0;

const Bytes& object_bytes() {
  static const Bytes bytes = [] {
    SeededRandom random(1);
    Bytes made(kObject, '\0');
    for (std::size_t i = 0; i < kObject; i += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(made.data() + i, &word, sizeof(word));
    }
    return made;
  }();
  return bytes;
}

Task<ServedAnswer> serve(ServedRequest request) {
  ServedAnswer answer;
  answer.headers.set("ETag", "\"9b2cf535f27731c974343645a3985328\"");
  answer.headers.set("x-amz-request-id", "17B2C6D3F2E1A0B9");
  if (request.method == "GET") {
    answer.headers.set("Last-Modified", "Sat, 31 Jan 2026 00:00:00 GMT");
    answer.headers.set("Content-Type", "application/octet-stream");
    answer.body = object_bytes();
  }
  co_return answer;
}

/// Starts the server in a child that ends with this process; its port comes through a pipe.
void start_server() {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  if (::fork() == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    boost::asio::io_context loop(1);
    HttpServerConfig config;
    config.body_bytes = 2 * kObject;
    config.memory = 32 * kObject;
    HttpServer server(loop.get_executor(), config, serve, silent_log());
    const std::uint16_t port = server.port();
    if (::write(ends[1], &port, sizeof(port)) != sizeof(port)) std::abort();
    boost::asio::co_spawn(loop, server.run(), boost::asio::detached);
    loop.run();
    ::_exit(0);
  }
  if (::read(ends[0], &server_port, sizeof(server_port)) != sizeof(server_port)) std::abort();
}

std::string endpoint() { return fmt::format("http://127.0.0.1:{}", server_port); }

/// Counts what was moved, and what this process's own time would allow.
class Moved {
 public:
  explicit Moved(benchmark::State& state) : state_(state) {}
  ~Moved() {
    const auto bytes = static_cast<double>(state_.iterations() * kObjects * kObject);
    const double seconds = static_cast<double>(std::clock() - started_) / CLOCKS_PER_SEC;
    state_.SetBytesProcessed(static_cast<std::int64_t>(bytes));
    state_.counters["per_cpu_s"] =
        benchmark::Counter(bytes / seconds, {}, benchmark::Counter::kIs1024);
  }

 private:
  benchmark::State& state_;
  std::clock_t started_ = std::clock();
};

Task<> get_objects(Store& store, std::int64_t& left) {
  while (left-- > 0) {
    auto object = co_await store.get({"bucket", "key"});
    std::size_t got = 0;
    while (true) {
      const Bytes piece = co_await object->body->read();
      if (piece.empty()) break;
      got += piece.size();
    }
    if (got != kObject) std::abort();
  }
}

Task<> put_objects(Store& store, std::int64_t& left) {
  while (left-- > 0) {
    if (!co_await store.put({"bucket", "key"}, object_bytes())) std::abort();
  }
}

using Mover = Task<> (*)(Store&, std::int64_t&);

void move_with_store(benchmark::State& state, Mover mover) {
  boost::asio::io_context loop(1);
  S3StoreStanza stanza;
  stanza.endpoint = endpoint();
  stanza.credentials.from = CredentialsStanza::From::kKeys;
  stanza.credentials.access_key = "AKIAIOSFODNN7EXAMPLE";
  stanza.credentials.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  auto store =
      make_s3_store(stanza, "s3", "us-east-1", loop.get_executor(), real_clock(), real_random());
  {
    const Moved moved(state);
    for (auto _ : state) {
      std::int64_t left = kObjects;
      std::int64_t running = state.range(0);
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        boost::asio::co_spawn(loop, mover(*store, left), [&](const std::exception_ptr& failed) {
          if (failed) std::abort();
          --running;
        });
      }
      while (running != 0) loop.run_one();
    }
  }
  store.reset();
  loop.run();
}

void BM_DownHeadrace(benchmark::State& state) { move_with_store(state, get_objects); }
void BM_UpHeadrace(benchmark::State& state) { move_with_store(state, put_objects); }

std::size_t take_body(char*, std::size_t size, std::size_t count, void* total) {
  *static_cast<std::size_t*>(total) += size * count;
  return size * count;
}

std::size_t give_body(char* to, std::size_t size, std::size_t count, void* given) {
  std::size_t& offset = *static_cast<std::size_t*>(given);
  const std::size_t piece = std::min(size * count, kObject - offset);
  std::memcpy(to, object_bytes().data() + offset, piece);
  offset += piece;
  return piece;
}

/// One transfer of libcurl: its handle and how far the body has been sent.
struct Transfer {
  CURL* handle = curl_easy_init();
  std::size_t given = 0;
};

void move_with_libcurl(benchmark::State& state, bool up) {
  CURLM* multi = curl_multi_init();
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  const std::string url = endpoint() + "/bucket/key";
  std::size_t total = 0;
  std::vector<Transfer> transfers(static_cast<std::size_t>(state.range(0)));
  for (Transfer& transfer : transfers) {
    CURL* handle = transfer.handle;
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &total);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, kBuffer);
    if (!up) continue;
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(kObject));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(handle, CURLOPT_READDATA, &transfer.given);
  }
  {
    const Moved moved(state);
    for (auto _ : state) {
      std::int64_t to_start = kObjects;
      std::int64_t to_end = kObjects;
      const auto start = [&](Transfer& transfer) {
        if (to_start == 0) return;
        --to_start;
        transfer.given = 0;
        curl_multi_add_handle(multi, transfer.handle);
      };
      for (Transfer& transfer : transfers) start(transfer);
      while (to_end > 0) {
        int running = 0;
        curl_multi_perform(multi, &running);
        int waiting = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi, &waiting)) {
          if (message->data.result != CURLE_OK) std::abort();
          Transfer* transfer = nullptr;
          curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
          curl_multi_remove_handle(multi, transfer->handle);
          --to_end;
          start(*transfer);
        }
        if (to_end > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
      }
    }
  }
  if (!up && total != static_cast<std::size_t>(state.iterations() * kObjects) * kObject) {
    std::abort();
  }
  for (const Transfer& transfer : transfers) curl_easy_cleanup(transfer.handle);
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
}

void BM_DownLibcurl(benchmark::State& state) { move_with_libcurl(state, false); }
void BM_UpLibcurl(benchmark::State& state) { move_with_libcurl(state, true); }

BENCHMARK(BM_DownLibcurl)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK(BM_DownHeadrace)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK(BM_UpLibcurl)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK(BM_UpHeadrace)->Arg(1)->Arg(4)->UseRealTime();

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  headrace::start_server();  // Before anything has threads.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
