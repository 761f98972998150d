// Writes web server logs as JSON lines: about 299 bytes and 14 leaves a line, the same for the same
// seed. Usage: generate_logs BYTES [SEED] > file
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/clock.h"
#include "core/random.h"

namespace {

using headrace::SeededRandom;

constexpr std::array kMethods = {"GET", "GET", "GET", "GET", "POST", "PUT", "DELETE"};
constexpr std::array kPlaces = {"/api/v1/users",  "/api/v1/orders",  "/api/v1/carts",
                                "/static/app.js", "/static/app.css", "/search",
                                "/login"};
constexpr std::array kStatuses = {200, 200, 200, 200, 200, 201, 204, 301, 404, 500};
constexpr std::array kAgents = {"Mozilla/5.0 (X11; Linux)", "Mozilla/5.0 (Macintosh)", "curl/8.5.0",
                                "python-requests/2.31"};
constexpr std::array kRegions = {"eu-central-1", "eu-west-1", "us-east-1", "ap-south-1"};

template <class Array>
auto one_of(const Array& values, SeededRandom& random) {
  return values[random.below(values.size())];
}

void append_line(std::string& out, SeededRandom& random, headrace::Time at) {
  const auto user = random.below(50'000);
  fmt::format_to(std::back_inserter(out),
                 R"({{"ts":"{}","level":"{}","id":"{}","method":"{}","path":"{}/{}","status":{},)"
                 R"("bytes":{},"ms":{:.3f},"user":{{"id":{},"name":"u{}"}},)"
                 R"("client":{{"ip":"10.{}.{}.{}","agent":"{}"}},"region":"{}","hit":{}}})"
                 "\n",
                 headrace::format_time(at), random.below(20) == 0 ? "error" : "info", random.uuid(),
                 one_of(kMethods, random), one_of(kPlaces, random), random.below(10'000),
                 one_of(kStatuses, random), random.below(200'000),
                 static_cast<double>(random.below(2'000'000)) / 1000.0, user, user,
                 random.below(256), random.below(256), random.below(256), one_of(kAgents, random),
                 one_of(kRegions, random), random.below(3) == 0 ? "true" : "false");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: generate_logs BYTES [SEED] > file\n", stderr);
    return 2;
  }
  const auto wanted = std::strtoull(argv[1], nullptr, 10);
  SeededRandom random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  auto at = headrace::parse_time("2026-01-01T00:00:00.123Z").value();
  std::string block;
  for (std::uint64_t written = 0; written < wanted;) {
    block.clear();
    while (block.size() < 1u << 20 && written + block.size() < wanted) {
      at += std::chrono::milliseconds(1 + random.below(40));
      append_line(block, random, at);
    }
    if (std::fwrite(block.data(), 1, block.size(), stdout) != block.size()) return 1;
    written += block.size();
  }
  return 0;
}
