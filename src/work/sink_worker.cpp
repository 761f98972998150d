#include "work/sink_worker.h"

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/crash_point.h"
#include "work/durably.h"
#include "work/settle.h"
#include "work/sink_plan.h"

namespace headrace {
namespace {

/// While draining, a batch is full once nothing has been added for this long.
constexpr Duration kQuiet = std::chrono::milliseconds(20);

}  // namespace

SinkWorker::SinkWorker(const RoutePlan& plan, Ledger& ledger, StepServices services, Slots& batches,
                       Outage& outage, const Log& log)
    : plan_(plan),
      ledger_(ledger),
      services_(services),
      batches_(batches),
      outage_(outage),
      log_(log) {}

std::string SinkWorker::plan_key(const std::string& group) const {
  return "plan/" + plan_.name + "/" + group;
}

std::string SinkWorker::app_id(const std::string& group) const {
  return plan_.writer + "/" + group;
}

Task<> SinkWorker::write(LedgerWrite write) {
  auto put = [&] { return ledger_.write(write); };
  co_await durably(services_.clock, services_.random, log_, "settle tasks", put);
}

Task<> SinkWorker::recover() {
  for (NoteChange& note : co_await ledger_.notes(plan_key(""))) {
    const SinkPlan plan = decode_plan(note.value.value_or(""));
    const bool committed = co_await resolve(plan.group, plan.sink);
    LedgerWrite write;
    write.notes.push_back({note.key, std::nullopt});
    if (committed) {
      for (const TaskId& task : plan.tasks) write.settle.push_back({.id = task});
      write.dead = plan.dead;
    }
    co_await this->write(std::move(write));
    plan_.sink->forget(plan.sink);
    log_.info("batch of an earlier run resolved",
              {{"route", plan_.name},
               {"group", plan.group},
               {"tasks", plan.tasks.size()},
               {"was", committed ? "committed" : "not committed, done again"}});
  }
}

Task<> SinkWorker::add(TakenTask task, Event event, std::vector<DeadLine> dead_lines) {
  while (counters_.gathered >= plan_.sink->limits().tasks && !stopping_) co_await changed_.wait();
  const std::string name = plan_.sink->group_of(event);
  Group& group = groups_[name];
  const Time now = services_.clock.now();
  if (group.members.empty()) group.oldest = now;
  group.newest = now;
  group.bytes += event.size.value_or(0);
  group.members.push_back({std::move(task), std::move(event), std::move(dead_lines)});
  ++counters_.gathered;
  // The timer loop looks by itself at the first member's deadline; only news must wake it.
  if (group.members.size() == 1 || ripe(group, now)) changed_.notify_all();
}

bool SinkWorker::ripe(const Group& group, Time now) const {
  if (group.busy || group.members.empty()) return false;
  const Sink::Limits limits = plan_.sink->limits();
  return group.bytes >= limits.bytes || counters_.gathered >= limits.tasks ||
         now >= deadline(group);
}

Time SinkWorker::deadline(const Group& group) const {
  const Time old = group.oldest + plan_.sink->limits().every;
  return draining_ ? std::min(old, group.newest + kQuiet) : old;
}

void SinkWorker::drain() {
  draining_ = true;
  changed_.notify_all();
}

Task<> SinkWorker::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (true) {
    // Keys may name any number of groups, over time.
    std::erase_if(groups_, [](const auto& entry) {
      return !entry.second.busy && entry.second.members.empty();
    });
    start_ripe();
    std::optional<Time> next;
    for (const auto& [name, group] : groups_) {
      if (group.busy || group.members.empty()) continue;
      next = std::min(next.value_or(deadline(group)), deadline(group));
    }
    if (next) {
      co_await (changed_.wait() || services_.clock.sleep_until(*next));
    } else {
      co_await changed_.wait();
    }
  }
}

void SinkWorker::start_ripe() {
  const Time now = services_.clock.now();
  for (auto& [name, group] : groups_) {
    if (ripe(group, now)) start(name, group);
  }
}

void SinkWorker::start(const std::string& name, Group& group) {
  group.busy = true;
  ++under_way_;
  std::vector<Member> members = std::exchange(group.members, {});
  group.bytes = 0;
  boost::asio::co_spawn(services_.executor, commit_batch(name, std::move(members)),
                        boost::asio::detached);
}

Task<> SinkWorker::commit_batch(std::string name, std::vector<Member> members) {
  bool left = false;
  const Time begun = services_.clock.now();
  try {
    const std::optional<Error> failure = co_await bring_through(name, members, begun);
    if (failure) co_await fail(name, members, *failure, begun);
  } catch (...) {
    // A ledger that refuses to write for good, or a plan of which the sink cannot say what became:
    // the tasks stay taken, the plan where it is, and the next start brings them back.
    left = true;
    const Error error = to_error(std::current_exception());
    waiting_[name] = {error.what(), services_.clock.now()};
    log_.error("batch left to the next start",
               {{"route", plan_.name}, {"group", name}, {"error", error.what()}});
  }
  counters_.gathered -= members.size();
  --under_way_;
  groups_[name].busy = left;
  changed_.notify_all();
}

/// Why nothing of the batch is to be seen, nor will be, if so: then its tasks fail.
Task<std::optional<Error>> SinkWorker::bring_through(const std::string& name,
                                                     std::vector<Member>& members, Time begun) {
  std::unique_ptr<Sink::Prepared> prepared;
  std::optional<Error> failure;
  bool planned = false;
  co_await batches_.acquire(1);
  try {
    prepared = co_await prepare(name, members);
    crash_point("sink.prepared");
    if (!prepared->empty) {
      co_await write_plan(name, members, *prepared);
      planned = true;
      crash_point("sink.planned");
      failure = co_await commit(name, *prepared);
    }
  } catch (...) {
    failure = to_error(std::current_exception());
  }
  // Its rows are in the store; what it may still have to wait for costs no memory of theirs.
  batches_.release(1);
  if (failure && !planned) co_return failure;
  // The answer may have been lost on the way back, or only a part be done: the sink itself knows.
  if (failure && !co_await resolve(name, prepared->plan)) {
    plan_.sink->forget(prepared->plan);
    co_return failure;
  }
  if (planned) {
    ++counters_.commits;
    outage_.got_through();
    crash_point("sink.committed");
  }
  co_await settle(name, members, *prepared, begun);
  counters_.left_out += prepared->left_out;
  if (prepared->left_out > 0) {
    log_.info("rows left out", {{"route", plan_.name}, {"to", name}, {"rows", prepared->left_out}});
  }
  if (planned) plan_.sink->forget(prepared->plan);
  co_return std::nullopt;
}

Task<std::unique_ptr<Sink::Prepared>> SinkWorker::prepare(const std::string& name,
                                                          std::vector<Member>& members) {
  std::vector<Event> events;
  events.reserve(members.size());
  for (const Member& member : members) events.push_back(member.event);
  auto prepared = co_await plan_.sink->prepare(name, app_id(name), std::move(events));
  put_back_later(name, members, *prepared);
  co_return prepared;
}

/// What the batch had no room for is gathered again, before all others and due at once.
void SinkWorker::put_back_later(const std::string& name, std::vector<Member>& members,
                                Sink::Prepared& prepared) {
  std::vector<Member> now;
  std::vector<Member> later;
  std::vector<Sink::Item> items;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (prepared.items[i].later) {
      later.push_back(std::move(members[i]));
    } else {
      now.push_back(std::move(members[i]));
      items.push_back(std::move(prepared.items[i]));
    }
  }
  members = std::move(now);
  prepared.items = std::move(items);
  if (later.empty()) return;
  Group& group = groups_[name];
  if (group.members.empty()) group.newest = services_.clock.now();
  group.oldest = Time();
  for (const Member& member : later) group.bytes += member.event.size.value_or(0);
  group.members.insert(group.members.begin(), std::move_iterator(later.begin()),
                       std::move_iterator(later.end()));
}

Task<> SinkWorker::write_plan(const std::string& name, const std::vector<Member>& members,
                              const Sink::Prepared& prepared) {
  SinkPlan plan{.group = name, .tasks = {}, .dead = {}, .sink = prepared.plan};
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Sink::Item& item = prepared.items[i];
    if (item.failed) continue;
    plan.tasks.push_back(members[i].task.id);
    add_dead_letters(members[i], item, plan.dead);
  }
  LedgerWrite write;
  write.notes.push_back({plan_key(name), encode_plan(plan)});
  co_await this->write(std::move(write));
}

/// Of the lines that the steps before the sink found bad, and those that the sink did.
void SinkWorker::add_dead_letters(const Member& member, const Sink::Item& item,
                                  std::vector<NewDeadLetter>& out) const {
  for (const auto* lines : {&member.dead_lines, &item.dead_lines}) {
    std::ranges::move(dead_letters_of(plan_, member.task, member.event, *lines),
                      std::back_inserter(out));
  }
}

Task<std::optional<Error>> SinkWorker::commit(const std::string& name, Sink::Prepared& prepared) {
  try {
    const std::string said = co_await plan_.sink->commit(prepared);
    log_.info("committed", {{"route", plan_.name}, {"to", name}, {"as", said}});
    co_return std::nullopt;
  } catch (...) {
    co_return to_error(std::current_exception());
  }
}

/// Asks the sink until it has an answer.
Task<bool> SinkWorker::resolve(const std::string& group, const Bytes& plan) {
  auto ask = [&]() -> Task<bool> {
    try {
      co_return co_await plan_.sink->resolve(plan);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kBug) throw;
      waiting_.try_emplace(group, Hindrance{"", services_.clock.now()}).first->second.error =
          error.what();
      throw Error(ErrorKind::kTransient, error.what());
    }
  };
  const std::string what = "finish a batch of route " + plan_.name;
  const bool committed = co_await durably(services_.clock, services_.random, log_, what, ask);
  waiting_.erase(group);
  co_return committed;
}

Task<> SinkWorker::settle(const std::string& name, std::vector<Member>& members,
                          Sink::Prepared& prepared, Time begun) {
  LedgerWrite write;
  write.notes.push_back({plan_key(name), std::nullopt});
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    const Sink::Item& item = prepared.items[i];
    if (item.failed) {
      write.settle.push_back(outage_.failed(member.task, begun, *item.failed));
      continue;
    }
    write.settle.push_back({.id = member.task.id});
    add_dead_letters(member, item, write.dead);
  }
  note_retries(write);
  co_await this->write(std::move(write));
  for (const Sink::Item& item : prepared.items) {
    if (!item.failed) counters_.outcomes.count(item.result.outcome);
  }
}

void SinkWorker::note_retries(const LedgerWrite& write) {
  for (const Settled& settled : write.settle) {
    if (settled.how != Settled::How::kRetry) continue;
    counters_.latest_retry = std::max(counters_.latest_retry, settled.due);
  }
}

Task<> SinkWorker::fail(const std::string& name, std::vector<Member>& members, const Error& error,
                        Time begun) {
  if (error.kind() == ErrorKind::kCancelled) {
    std::vector<TaskId> tasks;
    for (const Member& member : members) tasks.push_back(member.task.id);
    ledger_.give_back(std::move(tasks));
    co_return;
  }
  LedgerWrite write;
  write.notes.push_back({plan_key(name), std::nullopt});
  bool costly = false;
  for (const Member& member : members) {
    write.settle.push_back(outage_.failed(member.task, begun, error));
    costly |= write.settle.back().costs_attempt;
  }
  (log_.*(costly ? &Log::error : &Log::debug))("batch failed", {{"route", plan_.name},
                                                                {"to", name},
                                                                {"kind", to_string(error.kind())},
                                                                {"error", error.what()}});
  note_retries(write);
  co_await this->write(std::move(write));
}

Task<> SinkWorker::finish() {
  stopping_ = true;
  changed_.notify_all();
  while (under_way_ > 0) co_await changed_.wait();
  std::vector<TaskId> tasks;
  for (auto& [name, group] : groups_) {
    for (const Member& member : group.members) tasks.push_back(member.task.id);
    counters_.gathered -= group.members.size();
    group.members.clear();
  }
  if (!tasks.empty()) ledger_.give_back(std::move(tasks));
}

}  // namespace headrace
