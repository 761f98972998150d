#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <filesystem>
#include <functional>
#include <list>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "ledger/ledger.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {

/// A ledger to hold against the conformance suite.
struct LedgerBackend {
  using Open = std::function<std::unique_ptr<Ledger>(const std::filesystem::path& folder,
                                                     LedgerLimits limits, Clock& clock)>;
  std::string name;
  bool durable = false;  ///< A ledger opened again in the same folder has what the first had.
  Open open;
};

inline void PrintTo(const LedgerBackend& backend, std::ostream* out) { *out << backend.name; }

class LedgerConformance : public testing::TestWithParam<LedgerBackend> {
 protected:
  static constexpr std::size_t kPlenty = 100'000;

  LedgerConformance()
      : folder_(std::filesystem::path(testing::TempDir()) / ("ledger-" + real_random().uuid())) {
    std::filesystem::create_directories(folder_);
    open();
  }
  ~LedgerConformance() override {
    ledger_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open(LedgerLimits limits = {}) {
    ledger_.reset();
    ledger_ = GetParam().open(folder_, limits, clock_);
  }

  RouteId route(const std::string& name) { return run_task(ledger_->route_id(name)); }

  NewEvent event(Bytes body, std::vector<RouteId> routes, Duration delay = {}) const {
    NewEvent event{.body = std::move(body)};
    for (const RouteId id : routes) event.wants.push_back({id, clock_.now() + delay});
    return event;
  }
  std::vector<Appended> append(std::vector<NewEvent> events) {
    return run_task(ledger_->append(std::move(events)));
  }
  Appended append(NewEvent event) {
    std::vector<NewEvent> events;
    events.push_back(std::move(event));
    return append(std::move(events)).at(0);
  }
  std::vector<TakenTask> take(RouteId route, std::size_t limit = 1) {
    return run_task(ledger_->take(route, limit));
  }
  /// Takes until `count` tasks are there, however the ledger portions them.
  std::vector<TakenTask> take_all(RouteId route, std::size_t count) {
    std::vector<TakenTask> all;
    while (all.size() < count) {
      for (TakenTask& task : take(route, count - all.size())) all.push_back(std::move(task));
    }
    return all;
  }
  void settle(std::vector<Settled> settled) {
    run_task(ledger_->write({.settle = std::move(settled)}));
  }
  void done(const std::vector<TakenTask>& tasks) {
    LedgerWrite write;
    for (const TakenTask& task : tasks) write.settle.push_back({.id = task.id});
    run_task(ledger_->write(std::move(write)));
  }
  Settled retry(const TakenTask& task, Duration delay, std::string error) const {
    return {task.id, Settled::How::kRetry, clock_.now() + delay, ErrorKind::kTransient,
            std::move(error)};
  }
  Settled dead(const TakenTask& task, ErrorKind kind, std::string error) const {
    return {task.id, Settled::How::kDead, {}, kind, std::move(error)};
  }
  /// Appends, takes and buries one event; returns the dead letter's id.
  std::uint64_t bury(RouteId route, Bytes body, ErrorKind kind = ErrorKind::kCorrupt) {
    append(event(std::move(body), {route}));
    settle({dead(take(route).at(0), kind, "broken")});
    const auto letters = dead_letters({.limit = kPlenty});
    return letters.back().id;
  }
  std::vector<DeadLetter> dead_letters(Find find) {
    return run_task(ledger_->dead_letters(std::move(find)));
  }
  std::vector<PendingTask> tasks(Find find = {}) {
    return run_task(ledger_->tasks(std::move(find)));
  }
  bool idle(RouteId route, std::optional<Time> due_before = {}) {
    return run_task(ledger_->idle({route}, due_before));
  }
  RouteCounters counters(RouteId route) { return ledger_->counters()[route]; }

  static std::vector<Bytes> bodies(const std::vector<TakenTask>& tasks) {
    std::vector<Bytes> all;
    for (const TakenTask& task : tasks) all.emplace_back(task.body);
    return all;
  }

  std::filesystem::path folder_;
  ManualClock clock_;
  std::unique_ptr<Ledger> ledger_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LedgerConformance);

/// A take() that waits on a loop of its own, to be looked at, answered or cancelled.
class WaitingTake {
 public:
  WaitingTake(Ledger& ledger, RouteId route, std::size_t limit) {
    boost::asio::co_spawn(
        loop_, ledger.take(route, limit),
        boost::asio::bind_cancellation_slot(
            signal_.slot(), [this](std::exception_ptr failure, std::vector<TakenTask> tasks) {
              ended_ = true;
              failure_ = failure;
              tasks_ = std::move(tasks);
            }));
    loop_.poll();
  }
  ~WaitingTake() {
    if (!ended_) cancel();
    run();
  }

  void cancel() {
    boost::asio::post(loop_, [this] { signal_.emit(boost::asio::cancellation_type::terminal); });
  }
  /// Runs what is ready on the loop; true once the take has returned or thrown.
  bool poll() {
    loop_.restart();
    loop_.poll();
    return ended_;
  }
  /// Runs the loop until the take has ended.
  void run() {
    const auto busy = boost::asio::make_work_guard(loop_);
    loop_.restart();
    while (!ended_) loop_.run_one();
  }
  std::vector<TakenTask> result() {
    run();
    if (failure_) std::rethrow_exception(failure_);
    return std::exchange(tasks_, {});
  }
  std::optional<ErrorKind> failure() {
    run();
    if (!failure_) return std::nullopt;
    return to_error(failure_).kind();
  }

 private:
  /// Kept to the end of the program: a thread of the ledger may still be on its way out of it.
  static boost::asio::io_context& new_loop() {
    static std::list<boost::asio::io_context> loops;
    return loops.emplace_back();
  }

  boost::asio::io_context& loop_ = new_loop();
  boost::asio::cancellation_signal signal_;
  bool ended_ = false;
  std::exception_ptr failure_;
  std::vector<TakenTask> tasks_;
};

}  // namespace headrace
