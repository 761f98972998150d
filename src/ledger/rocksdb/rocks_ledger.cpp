#include "ledger/rocksdb/rocks_ledger.h"

#include <algorithm>

#include "core/crash_point.h"
#include "ledger/answer.h"
#include "ledger/rocksdb/board.h"
#include "ledger/rocksdb/database.h"
#include "ledger/rocksdb/search.h"
#include "ledger/rocksdb/supplier.h"
#include "ledger/rocksdb/writer.h"
#include "ledger/rules.h"

namespace headrace {
namespace rocks {
namespace {

std::array<Position, 2> read_lows(const Database& database) {
  const auto ready = database.get(Family::kMeta, kLowReadyKey);
  const auto later = database.get(Family::kMeta, kLowLaterKey);
  return {ready ? page_position(Lane::kReady, *ready) : Position{},
          later ? page_position(Lane::kLater, *later) : Position{}};
}

/// The parts of the ledger, each of which knows the rest of the story:
///   Board     what is in memory       Writer    commits, on its thread
///   Database  what is on disk         Supplier  disk -> board, on its thread
class RocksLedger final : public Ledger {
 public:
  RocksLedger(const std::filesystem::path& folder, LedgerLimits limits, Clock& clock,
              const Log& log, rocksdb::Env* env);
  ~RocksLedger() override { close(); }

  Task<RouteId> route_id(std::string name) override;
  std::map<RouteId, std::string> route_names() const override { return board_.names(); }
  Task<std::vector<Appended>> append(std::vector<NewEvent> events) override;
  Task<std::vector<TakenTask>> take(RouteId route, std::size_t limit) override;
  void give_back(std::vector<TaskId> tasks) override { board_.give_back(tasks); }
  Task<> write(LedgerWrite write) override;
  Task<bool> idle(std::vector<RouteId> routes, std::optional<Time> due_before) override;
  Task<std::optional<Bytes>> note(std::string key) override;
  Task<std::vector<NoteChange>> notes(std::string prefix) override;
  Task<std::vector<PendingTask>> tasks(Find find) override;
  Task<std::size_t> cancel(std::vector<TaskId> tasks) override;
  Task<std::size_t> reschedule(std::vector<TaskId> tasks, Time due) override;
  Task<std::vector<DeadLetter>> dead_letters(Find find) override;
  Task<std::size_t> redrive(std::vector<std::uint64_t> ids, Time first, Duration spacing) override;
  Task<Revisited> revisit(std::vector<Revisit> letters) override;
  Task<std::size_t> drop_dead(std::vector<std::uint64_t> ids) override;
  Task<std::size_t> expire_dead(RouteId route, Time before) override;
  std::map<RouteId, RouteCounters> counters() const override { return board_.counters(); }
  void close() override;

  std::uint64_t log_bytes() const { return database_.log_bytes(); }

 private:
  void load_routes();
  void check(const NewEvent& event) const;
  void check(const NewDeadLetter& letter) const;
  void check(RouteId route) const;
  /// Has the writer do `work(group)` as part of a commit; returns what it returned, once durable.
  template <class T, class Work>
  Task<T> commit(Cancellable cancellable, std::size_t bytes, Work work);

  const LedgerLimits limits_;
  Clock& clock_;
  Database database_;
  Supplier supplier_;
  Board board_;
  WriterState state_;
  Writer writer_;
  boost::asio::thread_pool searches_{1};  ///< Reads of the disk that a person or a start waits for.
};

RocksLedger::RocksLedger(const std::filesystem::path& folder, LedgerLimits limits, Clock& clock,
                         const Log& log, rocksdb::Env* env)
    : limits_(limits),
      clock_(clock),
      database_(folder, env),
      supplier_(clock, log),
      board_(limits, read_lows(database_), clock.now(), [this] { supplier_.wake(); }),
      state_{board_,
             database_,
             limits,
             clock,
             Dedupe(database_, limits.dedupe_window, limits.filter_bytes),
             Numbers(database_)},
      writer_(state_, log) {
  load_routes();
  supplier_.start(board_, database_);
}

void RocksLedger::load_routes() {
  const auto held = board_.lock();
  for (Scan rows = database_.scan(Family::kMeta, Bytes(kRoutePrefix), after_prefix(kRoutePrefix));
       rows.valid(); rows.next()) {
    const auto id = RouteId(key_number(rows.key().substr(kRoutePrefix.size())));
    board_.add_route(id, std::string(rows.value()), false);
  }
  if (const auto row = database_.get(Family::kMeta, kCountsKey)) {
    CountDeltas sums;
    add_counts(*row, sums);
    board_.count(sums);
  }
  board_.publish({}, state_.numbers.next());
}

void RocksLedger::close() {
  crash_point("ledger.before_close");
  writer_.close();
  board_.close();
  supplier_.stop();
  searches_.join();
}

template <class T, class Work>
Task<T> RocksLedger::commit(Cancellable cancellable, std::size_t bytes, Work work) {
  return await_answer<T>(cancellable, [this, bytes,
                                       work = std::move(work)](AnswerPtr<T> answer) mutable {
    auto result = std::make_shared<T>();
    writer_.submit(
        {bytes, [result, work = std::move(work)](Group& group) mutable { *result = work(group); },
         [result, answer](std::exception_ptr failure) {
           if (failure) {
             answer->fail(failure);
           } else {
             answer->give(std::move(*result));
           }
         }});
  });
}

void RocksLedger::check(RouteId route) const {
  if (board_.knows(route)) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("the ledger has no route {}", static_cast<std::uint32_t>(route)));
}

void RocksLedger::check(const NewEvent& event) const {
  check_body(event.body, limits_);
  for (const NewEvent::Want& want : event.wants) check(want.route);
  if (event.wants.size() < 2) return;
  std::vector<RouteId> routes;
  for (const NewEvent::Want& want : event.wants) routes.push_back(want.route);
  std::ranges::sort(routes);
  if (std::ranges::adjacent_find(routes) != routes.end()) {
    throw Error(ErrorKind::kBug, "an event names a route twice");
  }
}

void RocksLedger::check(const NewDeadLetter& letter) const {
  check_body(letter.body, limits_);
  check(letter.route);
}

Task<RouteId> RocksLedger::route_id(std::string name) {
  co_return co_await commit<RouteId>(Cancellable::kNo, name.size(),
                                     [name](Group& group) { return group.route_id(name); });
}

Task<std::vector<Appended>> RocksLedger::append(std::vector<NewEvent> events) {
  std::size_t bytes = 0;
  for (const NewEvent& event : events) {
    check(event);
    bytes += event.body.size() + event.wants.size() * sizeof(NewEvent::Want);
  }
  if (events.empty()) co_return std::vector<Appended>();
  co_return co_await commit<std::vector<Appended>>(
      Cancellable::kYes, bytes,
      [events = std::move(events)](Group& group) mutable { return group.append(events); });
}

Task<std::vector<TakenTask>> RocksLedger::take(RouteId route, std::size_t limit) {
  auto tasks = board_.take_now(route, limit);
  if (!tasks.empty() || limit == 0) co_return tasks;
  co_return co_await await_answer<std::vector<TakenTask>>(
      Cancellable::kYes, [this, route, limit](Board::TakeAnswer answer) {
        board_.take_later(route, limit, std::move(answer));
      });
}

Task<> RocksLedger::write(LedgerWrite write) {
  std::size_t bytes = write.settle.size() * sizeof(Settled);
  for (const NewDeadLetter& letter : write.dead) {
    check(letter);
    bytes += letter.body.size();
  }
  for (const NoteChange& note : write.notes) {
    bytes += note.key.size() + note.value.value_or(Bytes()).size();
  }
  co_await commit<bool>(Cancellable::kNo, bytes, [write = std::move(write)](Group& group) mutable {
    group.write(write);
    return true;
  });
}

Task<bool> RocksLedger::idle(std::vector<RouteId> routes, std::optional<Time> due_before) {
  std::array<Position, 2> from;
  Position ready_end;
  {
    const auto held = board_.lock();
    if (board_.pending(routes) == 0) co_return true;
    if (!due_before || !board_.quiet(routes, from)) co_return false;
    ready_end = {0, board_.committed() << 1};
  }
  const Position later_end{micros(std::max(*due_before, clock_.now())) + 1, 0};
  auto look = [this, routes, from, ready_end, later_end] {
    return !any_pending(database_, routes, Lane::kReady, from[0], ready_end) &&
           !any_pending(database_, routes, Lane::kLater, from[1], later_end);
  };
  co_return co_await run_on(searches_, look);
}

Task<std::optional<Bytes>> RocksLedger::note(std::string key) {
  auto look = [this, key] { return database_.get(Family::kMeta, Bytes(kNotePrefix) + key); };
  co_return co_await run_on(searches_, look);
}

Task<std::vector<NoteChange>> RocksLedger::notes(std::string prefix) {
  auto look = [this, prefix] { return find_notes(database_, prefix); };
  co_return co_await run_on(searches_, look);
}

Task<std::vector<PendingTask>> RocksLedger::tasks(Find find) {
  auto look = [this, find] { return find_tasks(database_, board_, find); };
  co_return co_await run_on(searches_, look);
}

Task<std::vector<DeadLetter>> RocksLedger::dead_letters(Find find) {
  auto look = [this, find] { return find_dead(database_, find); };
  co_return co_await run_on(searches_, look);
}

Task<std::size_t> RocksLedger::cancel(std::vector<TaskId> tasks) {
  co_return co_await commit<std::size_t>(
      Cancellable::kNo, tasks.size() * sizeof(TaskId),
      [tasks = std::move(tasks)](Group& group) { return group.cancel(tasks); });
}

Task<std::size_t> RocksLedger::reschedule(std::vector<TaskId> tasks, Time due) {
  co_return co_await commit<std::size_t>(
      Cancellable::kNo, tasks.size() * sizeof(TaskId),
      [tasks = std::move(tasks), due](Group& group) { return group.reschedule(tasks, due); });
}

Task<std::size_t> RocksLedger::redrive(std::vector<std::uint64_t> ids, Time first,
                                       Duration spacing) {
  co_return co_await commit<std::size_t>(Cancellable::kNo, ids.size() * sizeof(std::uint64_t),
                                         [ids = std::move(ids), first, spacing](Group& group) {
                                           return group.redrive(ids, first, spacing);
                                         });
}

Task<Revisited> RocksLedger::revisit(std::vector<Revisit> letters) {
  std::size_t bytes = 0;
  for (const Revisit& letter : letters) {
    for (const NewEvent& event : letter.events) {
      check(event);
      bytes += event.body.size();
    }
    for (const NewDeadLetter& dead : letter.dead) {
      check(dead);
      bytes += dead.body.size();
    }
  }
  co_return co_await commit<Revisited>(
      Cancellable::kNo, bytes,
      [letters = std::move(letters)](Group& group) mutable { return group.revisit(letters); });
}

Task<std::size_t> RocksLedger::drop_dead(std::vector<std::uint64_t> ids) {
  co_return co_await commit<std::size_t>(
      Cancellable::kNo, ids.size() * sizeof(std::uint64_t),
      [ids = std::move(ids)](Group& group) { return group.drop_dead(ids); });
}

Task<std::size_t> RocksLedger::expire_dead(RouteId route, Time before) {
  constexpr std::size_t kAtOnce = 10'000;
  std::size_t expired = 0;
  while (true) {
    const std::size_t some = co_await commit<std::size_t>(
        Cancellable::kNo, 0,
        [route, before](Group& group) { return group.expire_dead(route, before, kAtOnce); });
    expired += some;
    if (some < kAtOnce) co_return expired;
  }
}

}  // namespace
}  // namespace rocks

std::unique_ptr<Ledger> open_rocks_ledger(std::filesystem::path folder, LedgerLimits limits,
                                          Clock& clock, const Log& log) {
  return open_rocks_ledger(std::move(folder), limits, clock, log, nullptr);
}

std::unique_ptr<Ledger> open_rocks_ledger(std::filesystem::path folder, LedgerLimits limits,
                                          Clock& clock, const Log& log, rocksdb::Env* env) {
  return std::make_unique<rocks::RocksLedger>(folder, limits, clock, log, env);
}

std::uint64_t ledger_log_bytes(const Ledger& rocks_ledger) {
  return dynamic_cast<const rocks::RocksLedger&>(rocks_ledger).log_bytes();
}

}  // namespace headrace
