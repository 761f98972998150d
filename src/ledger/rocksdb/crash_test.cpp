// A process that works the ledger dies, at named points and anywhere; whoever opens the folder next
// must find every acknowledged append exactly once, and every acknowledged settle settled.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "core/random.h"
#include "ledger/rocksdb/rocks_ledger.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

constexpr int kReportFile = 3;  // Where the child tells what was acknowledged.
constexpr const char* kFolderVariable = "HEADRACE_TEST_LEDGER";
constexpr const char* kFirstVariable = "HEADRACE_TEST_FIRST";
constexpr const char* kRoundsVariable = "HEADRACE_TEST_ROUNDS";
constexpr std::array<const char*, 2> kRoutes{"load", "copy"};
constexpr std::uint64_t kBatch = 10;
constexpr std::uint64_t kWorkers = 3;

/// What becomes of event n, decided by its number so that both sides know.
Settled::How fate(std::uint64_t number, int attempt) {
  if (number % 7 == 0 && attempt == 1) return Settled::How::kRetry;
  return number % 11 == 3 ? Settled::How::kDead : Settled::How::kDone;
}

// The child.

/// One line per fact, in one write: a pipe keeps it whole, also when we die right after.
void report(std::string_view what, std::uint64_t number, std::size_t route) {
  const std::string line = fmt::format("{} {} {}\n", what, number, route);
  if (::write(kReportFile, line.data(), line.size()) < 0) std::abort();
}

Task<> append_batch(Ledger& ledger, const std::vector<RouteId>& routes, std::uint64_t first) {
  std::vector<NewEvent> events;
  for (std::uint64_t n = first; n < first + kBatch; ++n) {
    NewEvent event{.body = std::to_string(n), .identity = n};
    const Duration delay = std::chrono::milliseconds(n % 5 == 0 ? 3 : 0);
    for (const RouteId route : routes) event.wants.push_back({route, real_clock().now() + delay});
    events.push_back(std::move(event));
  }
  co_await ledger.append(std::move(events));
  for (std::uint64_t n = first; n < first + kBatch; ++n) report("appended", n, 0);
}

Task<> settle_some(Ledger& ledger, RouteId route, std::size_t which) {
  const auto tasks = co_await ledger.take(route, kBatch);
  LedgerWrite write;
  for (const TakenTask& task : tasks) {
    const std::uint64_t n = std::stoull(std::string(task.body));
    const Settled::How how = fate(n, task.attempt);
    report("settling", n, which);
    write.settle.push_back({task.id, how, real_clock().now(), ErrorKind::kTransient, "again"});
  }
  co_await ledger.write(write);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const bool over = write.settle[i].how != Settled::How::kRetry;
    report(over ? "settled" : "retried", std::stoull(std::string(tasks[i].body)), which);
  }
}

Task<> work(Ledger& ledger, std::vector<RouteId> routes, std::uint64_t worker, std::uint64_t first,
            std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    co_await append_batch(ledger, routes, first + (round * kWorkers + worker) * kBatch);
    for (std::size_t i = 0; i < routes.size(); ++i) co_await settle_some(ledger, routes[i], i);
  }
}

std::uint64_t number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

/// Not a test by itself: what the child process runs.
TEST(DISABLED_LedgerCrashLoad, Works) {
  const char* folder = std::getenv(kFolderVariable);
  ASSERT_NE(folder, nullptr) << "only for the tests below";
  boost::asio::io_context loop;
  const auto ledger = open_rocks_ledger(folder, {.page_members = 16}, real_clock(), silent_log());
  std::vector<RouteId> routes;
  for (const char* name : kRoutes) routes.push_back(run_task(ledger->route_id(name)));
  for (std::uint64_t worker = 0; worker < kWorkers; ++worker) {
    co_spawn(loop,
             work(*ledger, routes, worker, number_of(kFirstVariable), number_of(kRoundsVariable)),
             [](std::exception_ptr failure) {
               if (failure) std::abort();
             });
  }
  loop.run();
}

// The parent.

/// A child process and the reading end of its reports.
class Child {
 public:
  Child(const std::filesystem::path& folder, std::uint64_t first, std::uint64_t rounds,
        const std::string& crash_at) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw errno_error(errno, "make a pipe");
    std::vector<std::string> words{"/proc/self/exe", "--gtest_also_run_disabled_tests",
                                   "--gtest_filter=DISABLED_LedgerCrashLoad.Works"};
    std::vector<std::string> variables{fmt::format("{}={}", kFolderVariable, folder.string()),
                                       fmt::format("{}={}", kFirstVariable, first),
                                       fmt::format("{}={}", kRoundsVariable, rounds)};
    if (!crash_at.empty()) variables.push_back("HEADRACE_CRASH_AT=" + crash_at);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> all;
      for (std::string& text : texts) all.push_back(text.data());
      all.push_back(nullptr);
      return all;
    };
    const auto arguments = pointers(words);
    const auto environment = pointers(variables);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::dup2(ends[1], kReportFile);
      ::execve("/proc/self/exe", arguments.data(), environment.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    file_ = ends[0];
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    wait();
    ::close(file_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line, or nothing once the child is dead and all is read.
  std::optional<std::string> line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      std::array<char, 4096> piece;
      const ssize_t length = ::read(file_, piece.data(), piece.size());
      if (length <= 0) return std::nullopt;
      buffer_.append(piece.data(), static_cast<std::size_t>(length));
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }
  void kill() { ::kill(pid_, SIGKILL); }
  /// True if it died of SIGKILL.
  bool wait() {
    if (!status_) {
      int status = 0;
      ::waitpid(pid_, &status, 0);
      status_ = status;
    }
    return WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL;
  }

 private:
  pid_t pid_ = -1;
  int file_ = -1;
  std::string buffer_;
  std::optional<int> status_;
};

class LedgerCrashTest : public testing::Test {
 protected:
  using Key = std::pair<std::uint64_t, std::size_t>;  // Event number and route.

  LedgerCrashTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("crash-" + real_random().uuid())) {}
  ~LedgerCrashTest() override { std::filesystem::remove_all(folder_); }

  /// Reads reports until the child is dead, or kills it after so many.
  void follow(Child& child, std::optional<std::size_t> kill_after) {
    std::size_t lines = 0;
    while (const auto line = child.line()) {
      note(*line);
      if (kill_after && ++lines == *kill_after) child.kill();
    }
  }

  void note(const std::string& line) {
    const std::size_t space = line.find(' ');
    const std::string what = line.substr(0, space);
    char* rest = nullptr;
    const std::uint64_t number = std::strtoull(line.c_str() + space, &rest, 10);
    const Key key{number, std::strtoull(rest, nullptr, 10)};
    if (what == "appended") appended_.insert(number);
    if (what == "settling") in_doubt_.insert(key);
    // A retried task may be in other hands before the answer to the retry is reported.
    const auto asked = in_doubt_.find(key);
    if ((what == "settled" || what == "retried") && asked != in_doubt_.end()) {
      in_doubt_.erase(asked);
    }
    if (what == "settled") settled_.insert(key);
  }

  /// Opens what is left and holds it against what was acknowledged.
  void check() {
    const auto ledger = open_rocks_ledger(folder_, {}, real_clock(), silent_log());
    for (std::size_t which = 0; which < kRoutes.size(); ++which) {
      const RouteId route = run_task(ledger->route_id(kRoutes[which]));
      check_route(*ledger, route, which);
    }
    // What was acknowledged is still known: announcing it again changes nothing.
    std::vector<NewEvent> again;
    for (const std::uint64_t n : appended_) again.push_back({.body = "again", .identity = n});
    for (const Appended answer : run_task(ledger->append(std::move(again)))) {
      ASSERT_EQ(answer, Appended::kDuplicate);
    }
  }

  void check_route(Ledger& ledger, RouteId route, std::size_t which) {
    std::map<std::uint64_t, int> pending;
    std::map<std::uint64_t, int> dead;
    for (const PendingTask& task : run_task(ledger.tasks({.route = route, .limit = 1'000'000}))) {
      ++pending[std::stoull(task.body)];
    }
    for (const auto& letter : run_task(ledger.dead_letters({.route = route, .limit = 1'000'000}))) {
      ++dead[std::stoull(letter.body)];
    }
    const RouteCounters counters = ledger.counters()[route];
    EXPECT_EQ(counters.pending(), pending.size());
    EXPECT_EQ(counters.dead, dead.size());
    for (const auto& [n, times] : pending) {
      EXPECT_EQ(times, 1) << "task " << n << " is there more than once";
      EXPECT_FALSE(dead.contains(n)) << "task " << n << " is pending and dead";
    }
    for (const auto& [n, times] : dead) EXPECT_EQ(times, 1) << "letter " << n;
    for (const std::uint64_t n : appended_) {
      const Key key{n, which};
      if (settled_.contains(key)) {
        EXPECT_FALSE(pending.contains(n)) << "task " << n << " was settled and is back";
        const bool died = fate(n, 2) == Settled::How::kDead;
        EXPECT_EQ(dead.contains(n), died) << "letter " << n;
      } else if (!in_doubt_.contains(key)) {
        EXPECT_TRUE(pending.contains(n)) << "task " << n << " is lost";
      }
    }
  }

  std::filesystem::path folder_;
  std::set<std::uint64_t> appended_;
  std::set<Key> settled_;
  std::multiset<Key> in_doubt_;  ///< Asked to be settled, not acknowledged: either is right.
};

class LedgerCrashPointTest : public LedgerCrashTest,
                             public testing::WithParamInterface<std::tuple<const char*, int>> {};

TEST_P(LedgerCrashPointTest, KeepsWhatWasAcknowledged) {
  const auto [point, count] = GetParam();
  Child child(folder_, 0, 30, fmt::format("{}:{}", point, count));
  follow(child, std::nullopt);
  ASSERT_TRUE(child.wait()) << "the child did not come to " << point;
  check();
}

std::string crash_name(const testing::TestParamInfo<std::tuple<const char*, int>>& row) {
  std::string name = fmt::format("{}_{}", std::get<0>(row.param), std::get<1>(row.param));
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Points, LedgerCrashPointTest,
    testing::Combine(testing::Values("ledger.before_write", "ledger.after_write",
                                     "ledger.after_publish", "ledger.after_answer"),
                     testing::Values(1, 2, 5, 20)),
    crash_name);
INSTANTIATE_TEST_SUITE_P(AtTheEnd, LedgerCrashPointTest,
                         testing::Values(std::make_tuple("ledger.before_close", 1)), crash_name);

TEST_F(LedgerCrashTest, KeepsWhatWasAcknowledgedWhereverItIsKilled) {
  constexpr std::uint64_t kRounds = 1'000'000;
  SeededRandom random(20'260'131);
  for (std::uint64_t life = 0; life < 6; ++life) {
    Child child(folder_, life * kRounds * kBatch * kWorkers, kRounds, "");
    follow(child, 50 + random.below(3000));
    ASSERT_TRUE(child.wait());
    check();
    if (HasFailure()) return;
  }
  EXPECT_GT(appended_.size(), 100u);
  EXPECT_GT(settled_.size(), 100u);
}

}  // namespace
}  // namespace headrace
