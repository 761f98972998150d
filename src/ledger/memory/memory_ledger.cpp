#include "ledger/memory/memory_ledger.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <iterator>
#include <mutex>
#include <set>
#include <unordered_map>

#include "ledger/answer.h"
#include "ledger/rules.h"

namespace headrace {
namespace {

struct Entry {
  std::shared_ptr<const Bytes> body;
  Time due;
  int attempt = 1;
  bool running = false;
  std::string last_error;
};

/// What one route has: its waiting tasks in due order, and who waits for them.
struct RouteState {
  std::string name;
  RouteCounters counters;
  std::set<std::pair<Time, TaskId>> waiting;
  std::uint64_t changes = 0;
  std::vector<AnswerPtr<bool>> watchers;
};

class MemoryLedger final : public Ledger {
 public:
  MemoryLedger(LedgerLimits limits, Clock& clock) : limits_(limits), clock_(clock) {}
  ~MemoryLedger() override { close_now(); }

  Task<RouteId> route_id(std::string name) override;
  std::map<RouteId, std::string> route_names() const override;
  Task<std::vector<Appended>> append(std::vector<NewEvent> events) override;
  Task<std::vector<TakenTask>> take(RouteId route, std::size_t limit) override;
  void give_back(std::vector<TaskId> tasks) override;
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
  std::map<RouteId, RouteCounters> counters() const override;
  void close() override { close_now(); }

 private:
  using Lock = std::lock_guard<std::mutex>;

  // The rest is called with the mutex held.
  void add(RouteId route, Entry entry);
  std::map<TaskId, Entry>::iterator remove(TaskId id);
  std::vector<Appended> append_now(std::vector<NewEvent>& events);
  void settle(const Settled& settled);
  void bury(RouteId route, int attempts, ErrorKind kind, const std::string& error, Bytes body);
  bool is_duplicate(const NewEvent& event);
  std::vector<TakenTask> take_due(RouteId route, std::size_t limit);
  void changed(RouteState& route);

  Task<> wait_for_change(RouteId route, std::uint64_t seen);
  Task<> wait_for_work(RouteId route, std::uint64_t seen, std::optional<Time> next);
  void close_now();

  const LedgerLimits limits_;
  Clock& clock_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::uint64_t last_id_ = 0;
  std::map<RouteId, RouteState> routes_;
  std::map<TaskId, Entry> tasks_;
  std::map<std::uint64_t, DeadLetter> dead_;
  std::map<std::string, Bytes> notes_;
  std::unordered_map<std::uint64_t, Time> seen_;
};

Task<RouteId> MemoryLedger::route_id(std::string name) {
  const Lock lock(mutex_);
  for (const auto& [id, route] : routes_) {
    if (route.name == name) co_return id;
  }
  const auto id = RouteId(static_cast<std::uint32_t>(routes_.size()) + 1);
  routes_[id].name = std::move(name);
  co_return id;
}

std::map<RouteId, std::string> MemoryLedger::route_names() const {
  const Lock lock(mutex_);
  std::map<RouteId, std::string> names;
  for (const auto& [id, route] : routes_) names[id] = route.name;
  return names;
}

std::map<RouteId, RouteCounters> MemoryLedger::counters() const {
  const Lock lock(mutex_);
  std::map<RouteId, RouteCounters> counters;
  for (const auto& [id, route] : routes_) counters[id] = route.counters;
  return counters;
}

void MemoryLedger::changed(RouteState& route) {
  ++route.changes;
  for (const auto& watcher : std::exchange(route.watchers, {})) watcher->give(true);
}

void MemoryLedger::add(RouteId route, Entry entry) {
  const TaskId id{.seq = ++last_id_, .route = route};
  RouteState& state = routes_[route];
  state.waiting.emplace(entry.due, id);
  tasks_.emplace(id, std::move(entry));
  changed(state);
}

bool MemoryLedger::is_duplicate(const NewEvent& event) {
  const Time now = clock_.now();
  const auto is_seen = [&](std::uint64_t identity) {
    const auto at = seen_.find(identity);
    return at != seen_.end() && now - at->second < limits_.dedupe_window;
  };
  if (is_seen(*event.identity) || std::ranges::any_of(event.same_as, is_seen)) return true;
  seen_[*event.identity] = now;
  for (const std::uint64_t identity : event.also) seen_[identity] = now;
  return false;
}

Task<std::vector<Appended>> MemoryLedger::append(std::vector<NewEvent> events) {
  for (const NewEvent& event : events) check_body(event.body, limits_);
  const Lock lock(mutex_);
  co_return append_now(events);
}

std::vector<Appended> MemoryLedger::append_now(std::vector<NewEvent>& events) {
  std::vector<Appended> answers;
  for (NewEvent& event : events) {
    if (event.identity && is_duplicate(event)) {
      answers.push_back(Appended::kDuplicate);
      continue;
    }
    answers.push_back(Appended::kStored);
    const auto body = std::make_shared<const Bytes>(std::move(event.body));
    for (const NewEvent::Want& want : event.wants) {
      ++routes_[want.route].counters.appended;
      add(want.route, {.body = body, .due = want.due});
    }
  }
  return answers;
}

std::vector<TakenTask> MemoryLedger::take_due(RouteId route, std::size_t limit) {
  std::vector<TakenTask> taken;
  auto& waiting = routes_[route].waiting;
  const Time now = clock_.now();
  while (taken.size() < limit && !waiting.empty() && waiting.begin()->first <= now) {
    const TaskId id = waiting.begin()->second;
    Entry& entry = tasks_.at(id);
    entry.running = true;
    taken.push_back(
        {id, entry.due, entry.attempt, !entry.last_error.empty(), entry.body, *entry.body});
    waiting.erase(waiting.begin());
  }
  return taken;
}

Task<std::vector<TakenTask>> MemoryLedger::take(RouteId route, std::size_t limit) {
  while (true) {
    std::optional<Time> next;
    std::uint64_t seen = 0;
    {
      const Lock lock(mutex_);
      if (closed_) throw Error(ErrorKind::kCancelled, "the ledger is closed");
      auto taken = take_due(route, limit);
      if (!taken.empty()) co_return taken;
      const RouteState& state = routes_[route];
      if (!state.waiting.empty()) next = state.waiting.begin()->first;
      seen = state.changes;
    }
    co_await wait_for_work(route, seen, next);
  }
}

Task<> MemoryLedger::wait_for_work(RouteId route, std::uint64_t seen, std::optional<Time> next) {
  using namespace boost::asio::experimental::awaitable_operators;
  if (!next) co_return co_await wait_for_change(route, seen);
  try {
    co_await (wait_for_change(route, seen) || clock_.sleep_until(*next));
  } catch (const boost::asio::multiple_exceptions&) {
    throw Error(ErrorKind::kCancelled, "cancelled while waiting for tasks");
  }
}

Task<> MemoryLedger::wait_for_change(RouteId route, std::uint64_t seen) {
  co_await await_answer<bool>(Cancellable::kYes, [this, route, seen](AnswerPtr<bool> answer) {
    const Lock lock(mutex_);
    RouteState& state = routes_[route];
    std::erase_if(state.watchers, [](const auto& watcher) { return watcher->claimed(); });
    if (closed_ || state.changes != seen) {
      answer->give(true);
    } else {
      state.watchers.push_back(std::move(answer));
    }
  });
}

void MemoryLedger::give_back(std::vector<TaskId> tasks) {
  const Lock lock(mutex_);
  for (const TaskId id : tasks) {
    const auto found = tasks_.find(id);
    if (found == tasks_.end() || !found->second.running) continue;
    found->second.running = false;
    RouteState& route = routes_[id.route];
    route.waiting.emplace(found->second.due, id);
    changed(route);
  }
}

void MemoryLedger::bury(RouteId route, int attempts, ErrorKind kind, const std::string& error,
                        Bytes body) {
  ++routes_[route].counters.dead;
  const std::uint64_t id = ++last_id_;
  dead_[id] = {
      id, route, clock_.now(), attempts, kind, error.substr(0, kErrorBytes), std::move(body)};
}

void MemoryLedger::settle(const Settled& settled) {
  const auto found = tasks_.find(settled.id);
  if (found == tasks_.end()) return;
  RouteState& route = routes_[settled.id.route];
  Entry entry = std::move(found->second);
  if (!entry.running) route.waiting.erase({entry.due, settled.id});
  tasks_.erase(found);
  switch (settled.how) {
    case Settled::How::kDone:
      ++route.counters.done;
      break;
    case Settled::How::kDead:
      ++route.counters.died;
      bury(settled.id.route, entry.attempt, settled.kind, settled.error, *entry.body);
      break;
    case Settled::How::kRetry:
      ++route.counters.retried;
      add(settled.id.route, {.body = entry.body,
                             .due = settled.due,
                             .attempt = entry.attempt + (settled.costs_attempt ? 1 : 0),
                             .last_error = settled.error.substr(0, kErrorBytes)});
      break;
  }
}

Task<> MemoryLedger::write(LedgerWrite write) {
  for (const NewDeadLetter& letter : write.dead) check_body(letter.body, limits_);
  const Lock lock(mutex_);
  for (const Settled& settled : write.settle) settle(settled);
  for (NewDeadLetter& letter : write.dead) {
    bury(letter.route, letter.attempts, letter.kind, letter.error, std::move(letter.body));
  }
  for (NoteChange& note : write.notes) {
    if (note.value) {
      notes_[note.key] = std::move(*note.value);
    } else {
      notes_.erase(note.key);
    }
  }
  for (const std::uint64_t identity : write.seen) seen_[identity] = clock_.now();
  co_return;
}

Task<bool> MemoryLedger::idle(std::vector<RouteId> routes, std::optional<Time> due_before) {
  const Lock lock(mutex_);
  const Time now = clock_.now();
  for (const auto& [id, entry] : tasks_) {
    if (std::ranges::find(routes, id.route) == routes.end()) continue;
    if (!due_before || entry.running || entry.due <= std::max(now, *due_before)) co_return false;
  }
  co_return true;
}

Task<std::optional<Bytes>> MemoryLedger::note(std::string key) {
  const Lock lock(mutex_);
  const auto found = notes_.find(key);
  if (found == notes_.end()) co_return std::nullopt;
  co_return found->second;
}

Task<std::vector<NoteChange>> MemoryLedger::notes(std::string prefix) {
  const Lock lock(mutex_);
  std::vector<NoteChange> found;
  for (auto at = notes_.lower_bound(prefix); at != notes_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    found.push_back({at->first, at->second});
  }
  co_return found;
}

Task<std::vector<PendingTask>> MemoryLedger::tasks(Find find) {
  const Lock lock(mutex_);
  std::vector<PendingTask> found;
  auto at = find.after_task ? tasks_.upper_bound(*find.after_task) : tasks_.begin();
  for (; at != tasks_.end() && found.size() < find.limit; ++at) {
    const auto& [id, entry] = *at;
    if ((find.route && id.route != *find.route) || (find.since && entry.due < *find.since) ||
        (find.until && entry.due > *find.until)) {
      continue;
    }
    found.push_back({id, entry.due, entry.attempt, entry.running, entry.last_error, *entry.body});
  }
  co_return found;
}

std::map<TaskId, Entry>::iterator MemoryLedger::remove(TaskId id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.running) return tasks_.end();
  routes_[id.route].waiting.erase({found->second.due, id});
  return found;
}

Task<std::size_t> MemoryLedger::cancel(std::vector<TaskId> tasks) {
  const Lock lock(mutex_);
  std::size_t count = 0;
  for (const TaskId id : tasks) {
    const auto found = remove(id);
    if (found == tasks_.end()) continue;
    tasks_.erase(found);
    ++routes_[id.route].counters.cancelled;
    ++count;
  }
  co_return count;
}

Task<std::size_t> MemoryLedger::reschedule(std::vector<TaskId> tasks, Time due) {
  const Lock lock(mutex_);
  std::size_t count = 0;
  for (const TaskId id : tasks) {
    const auto found = remove(id);
    if (found == tasks_.end()) continue;
    Entry entry = std::move(found->second);
    tasks_.erase(found);
    entry.due = due;
    add(id.route, std::move(entry));
    ++count;
  }
  co_return count;
}

Task<std::vector<DeadLetter>> MemoryLedger::dead_letters(Find find) {
  const Lock lock(mutex_);
  std::vector<DeadLetter> found;
  std::size_t bytes = 0;
  for (auto at = dead_.upper_bound(find.after); at != dead_.end(); ++at) {
    if (found.size() == find.limit || bytes >= find.bytes) break;
    if (!letter_matches(find, at->second)) continue;
    bytes += at->second.body.size();
    found.push_back(at->second);
  }
  co_return found;
}

Task<std::size_t> MemoryLedger::redrive(std::vector<std::uint64_t> ids, Time first,
                                        Duration spacing) {
  const Lock lock(mutex_);
  std::size_t count = 0;
  for (const std::uint64_t id : ids) {
    const auto found = dead_.find(id);
    if (found == dead_.end()) continue;
    DeadLetter letter = std::move(found->second);
    dead_.erase(found);
    RouteCounters& counters = routes_[letter.route].counters;
    --counters.dead;
    ++counters.appended;
    const Time due = first + spacing * static_cast<std::int64_t>(count++);
    add(letter.route, {.body = std::make_shared<const Bytes>(std::move(letter.body)), .due = due});
  }
  co_return count;
}

Task<Revisited> MemoryLedger::revisit(std::vector<Revisit> letters) {
  for (const Revisit& letter : letters) {
    for (const NewEvent& event : letter.events) check_body(event.body, limits_);
    for (const NewDeadLetter& dead : letter.dead) check_body(dead.body, limits_);
  }
  const Lock lock(mutex_);
  Revisited done;
  for (Revisit& letter : letters) {
    const auto found = dead_.find(letter.id);
    if (found == dead_.end()) continue;
    if (letter.stays) {
      ++done.stayed;
      ++found->second.attempts;
      found->second.error = letter.stays->substr(0, kErrorBytes);
      continue;
    }
    ++done.left;
    --routes_[found->second.route].counters.dead;
    dead_.erase(found);
    const std::vector<Appended> answers = append_now(letter.events);
    done.tasks += tasks_made(letter.events, answers);
    std::ranges::copy(answers, std::back_inserter(done.events));
    for (NewDeadLetter& dead : letter.dead) {
      bury(dead.route, dead.attempts, dead.kind, dead.error, std::move(dead.body));
    }
  }
  co_return done;
}

Task<std::size_t> MemoryLedger::drop_dead(std::vector<std::uint64_t> ids) {
  const Lock lock(mutex_);
  std::size_t count = 0;
  for (const std::uint64_t id : ids) {
    const auto found = dead_.find(id);
    if (found == dead_.end()) continue;
    --routes_[found->second.route].counters.dead;
    dead_.erase(found);
    ++count;
  }
  co_return count;
}

Task<std::size_t> MemoryLedger::expire_dead(RouteId route, Time before) {
  const Lock lock(mutex_);
  const std::size_t count = std::erase_if(dead_, [&](const auto& entry) {
    return entry.second.route == route && entry.second.at < before;
  });
  routes_[route].counters.dead -= count;
  co_return count;
}

void MemoryLedger::close_now() {
  const Lock lock(mutex_);
  closed_ = true;
  for (auto& [id, route] : routes_) changed(route);
}

}  // namespace

std::unique_ptr<Ledger> make_memory_ledger(LedgerLimits limits, Clock& clock) {
  return std::make_unique<MemoryLedger>(limits, clock);
}

}  // namespace headrace
