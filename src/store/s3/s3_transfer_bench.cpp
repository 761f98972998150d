// Objects of 16 MiB up and down: the whole s3 store, with checksums and with or without signatures,
// beside plain libcurl on the same server in the same run. The servers are our own and, where it is
// installed, nginx with files in memory. The clients run in this thread, the servers in other
// processes. UserCounters say what a client itself spends; with both cores busy that is steadier.
#include <benchmark/benchmark.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/random.h"
#include "store/s3/s3_store.h"
#include "testing/bench_kit.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

constexpr std::size_t kObject = 16u << 20;
constexpr std::int64_t kObjects = 8;         // Per iteration.
constexpr std::size_t kBuffer = 512u << 10;  // libcurl's own is made for less.

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

std::uint16_t start_own() {
  HttpServerConfig config;
  config.body_bytes = 2 * kObject;
  config.memory = 32 * kObject;
  return bench::serve_in_child(config, serve);
}

std::string endpoint(std::uint16_t port) { return fmt::format("http://127.0.0.1:{}", port); }

/// nginx with the object as a file, which it also takes, in a child that ends with this process.
class Nginx {
 public:
  explicit Nginx(std::filesystem::path program) : program_(std::move(program)) {
    std::string folder = std::filesystem::is_directory("/dev/shm") ? "/dev/shm/" : "/tmp/";
    folder += "headrace-bench-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    std::filesystem::create_directories(folder_ / "root/bucket");
    std::ofstream(folder_ / "root/bucket/key") << object_bytes();
    // Between finding a free port and nginx taking it, another program may have taken it.
    for (int left = 5; !start(); --left) {
      if (left == 0) std::abort();
    }
  }
  ~Nginx() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  std::uint16_t port() const { return port_; }

  /// Where a program of this machine is; Debian has it where only root looks.
  static std::optional<std::filesystem::path> find() {
    const char* path = std::getenv("PATH");
    std::stringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
      const std::filesystem::path program = std::filesystem::path(folder) / "nginx";
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
    return std::nullopt;
  }

 private:
  void write_config() const {
    std::ofstream config(folder_ / "nginx.conf");
    config << "daemon off; master_process off; error_log stderr error; pid " << folder_.native()
           << "/pid;\nevents {}\nhttp {\n  access_log off; sendfile on; tcp_nodelay on;\n"
           << "  keepalive_requests 1000000; client_max_body_size 0;\n"
           << "  client_body_temp_path " << folder_.native() << "/body;\n";
    for (const char* of : {"proxy", "fastcgi", "uwsgi", "scgi"}) {
      config << "  " << of << "_temp_path " << folder_.native() << "/" << of << ";\n";
    }
    config << "  server { listen 127.0.0.1:" << port_ << "; root " << folder_.native()
           << "/root; dav_methods PUT; }\n}\n";
  }

  /// Starts it on a free port; false if it ended before it took a connection.
  bool start() {
    using boost::asio::ip::tcp;
    boost::asio::io_context loop;
    const tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
    port_ = tcp::acceptor(loop, any).local_endpoint().port();
    write_config();
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string config = folder_ / "nginx.conf";
      ::execl(program_.c_str(), "nginx", "-p", folder_.c_str(), "-c", config.c_str(), nullptr);
      ::_exit(1);
    }
    while (::waitpid(child_, nullptr, WNOHANG) == 0) {
      boost::system::error_code refused;
      tcp::socket(loop).connect({any.address(), port_}, refused);
      if (!refused) return true;
      run_task(real_clock().sleep(std::chrono::milliseconds(10)));
    }
    return false;
  }

  std::filesystem::path program_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t child_ = 0;
};

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

/// Gives the object piece by piece, as libcurl is given it.
class ObjectSource final : public ByteSource {
 public:
  Task<Bytes> read() override {
    if (at_ == kObject) co_return Bytes{};
    Bytes piece = object_bytes().substr(at_, kBuffer);
    at_ += piece.size();
    co_return piece;
  }

 private:
  std::size_t at_ = 0;
};

Task<> put_objects(Store& store, std::int64_t& left) {
  while (left-- > 0) {
    ObjectSource body;
    if (!co_await store.put_stream({"bucket", "key"}, body, {})) std::abort();
  }
}

using Mover = Task<> (*)(Store&, std::int64_t&);

void move_with_store(benchmark::State& state, std::uint16_t port, Mover mover, bool sign) {
  boost::asio::io_context loop(1);
  S3StoreStanza stanza;
  stanza.endpoint = endpoint(port);
  if (sign) {
    stanza.credentials.from = CredentialsStanza::From::kKeys;
    stanza.credentials.access_key = "AKIAIOSFODNN7EXAMPLE";
    stanza.credentials.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  } else {
    stanza.credentials.from = CredentialsStanza::From::kAnonymous;
  }
  auto store =
      make_s3_store(stanza, "s3", "us-east-1", loop.get_executor(), real_clock(), real_random());
  {
    const Moved moved(state);
    for (auto _ : state) {
      std::int64_t left = kObjects;
      bench::run_side_by_side(loop, state.range(0), [&] { return mover(*store, left); });
    }
  }
  store.reset();
  loop.run();
}

std::size_t give_body(char* to, std::size_t size, std::size_t count, void* given) {
  std::size_t& offset = *static_cast<std::size_t*>(given);
  const std::size_t piece = std::min(size * count, kObject - offset);
  std::memcpy(to, object_bytes().data() + offset, piece);
  offset += piece;
  return piece;
}

void move_with_libcurl(benchmark::State& state, std::uint16_t port, bool up) {
  CURLM* multi = curl_multi_init();
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  const std::string url = endpoint(port) + "/bucket/key";
  std::size_t total = 0;
  std::vector<std::size_t> given(static_cast<std::size_t>(state.range(0)));  // Of the bodies.
  std::vector<CURL*> handles;
  for (std::size_t& offset : given) {
    CURL* handle = handles.emplace_back(curl_easy_init());
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &offset);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, bench::count_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &total);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, static_cast<long>(kBuffer));
    if (!up) continue;
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(kBuffer));
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(kObject));
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(handle, CURLOPT_READDATA, &offset);
  }
  {
    const Moved moved(state);
    for (auto _ : state) {
      bench::transfer(multi, handles, kObjects, [](CURL* handle) {
        std::size_t* offset = nullptr;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, &offset);
        *offset = 0;
      });
    }
  }
  if (!up && total != static_cast<std::size_t>(state.iterations() * kObjects) * kObject) {
    std::abort();
  }
  for (CURL* handle : handles) curl_easy_cleanup(handle);
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
}

void add_rows(const std::string& server, std::uint16_t port) {
  const auto add = [&](const char* what, auto row) {
    const std::string name = fmt::format("{}/{}", server, what);
    benchmark::RegisterBenchmark(name.c_str(), std::move(row))->Arg(1)->Arg(4)->UseRealTime();
  };
  using State = benchmark::State;
  add("down/libcurl", [port](State& state) { move_with_libcurl(state, port, false); });
  add("down/signed", [port](State& state) { move_with_store(state, port, get_objects, true); });
  add("up/libcurl", [port](State& state) { move_with_libcurl(state, port, true); });
  add("up/unsigned", [port](State& state) { move_with_store(state, port, put_objects, false); });
  add("up/signed", [port](State& state) { move_with_store(state, port, put_objects, true); });
}

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  using headrace::Nginx;
  headrace::add_rows("own", headrace::start_own());  // Before anything has threads.
  std::optional<Nginx> nginx;
  if (const auto program = Nginx::find()) {
    headrace::add_rows("nginx", nginx.emplace(*program).port());
  } else {
    std::fputs("nginx: skipped: it is not installed (apt-get install nginx-light)\n", stderr);
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
