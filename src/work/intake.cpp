#include "work/intake.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include "core/hash.h"
#include "core/json.h"
#include "event/identity.h"

namespace headrace {

Intake::Intake(std::string name, Source& source, RouteId own_id, const RouteTable& table,
               Ledger& ledger, LedgerSelfWrites& self_writes, Clock& clock, Random& random,
               const Log& log)
    : name_(std::move(name)),
      source_(source),
      own_id_(own_id),
      table_(table),
      ledger_(ledger),
      self_writes_(self_writes),
      clock_(clock),
      random_(random),
      log_(log) {}

Task<> Intake::run(int tries) {
  const std::string what = "next event of " + name_;
  while (true) {
    auto next = [this] { return source_.next(); };
    std::optional<EventBatch> batch = co_await durably(clock_, random_, log_, what, next, tries);
    if (!batch) co_return;
    co_await take_in(std::move(*batch));
  }
}

Task<> Intake::take_in(EventBatch batch) {
  counters_.events += batch.events.size();
  counters_.undecodable += batch.garbage.size();
  LedgerWrite dead;
  for (const Undecodable& garbage : batch.garbage) {
    dead.dead.push_back({own_id_, garbage.raw, ErrorKind::kCorrupt, garbage.reason});
  }
  if (!dead.dead.empty()) {
    auto write = [&] { return ledger_.write(dead); };
    co_await durably(clock_, random_, log_, "keep undecodable messages", write);
  }
  const std::vector<NewEvent> events = co_await wanted(std::move(batch.events));
  if (!events.empty()) {
    auto append = [&] { return ledger_.append(events); };
    const auto appended = co_await durably(clock_, random_, log_, "append events", append);
    counters_.tasks += tasks_made(events, appended);
    counters_.duplicates +=
        static_cast<std::uint64_t>(std::ranges::count(appended, Appended::kDuplicate));
  }
  const Receipt receipt = batch.receipt;
  auto ack = [&] { return source_.ack(receipt); };
  co_await durably(clock_, random_, log_, "acknowledge events", ack);
}

Task<Reread> Intake::reread(std::vector<DeadLetter> letters) {
  Reread sum;
  std::vector<Revisit> revisits;
  std::size_t events = 0;
  std::exception_ptr failure;
  for (DeadLetter& letter : letters) {
    try {
      revisits.push_back(co_await revisit(std::move(letter)));
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) break;
    events += revisits.back().events.size();
    if (events < kMostEvents) continue;
    co_await settle(std::exchange(revisits, {}), sum);
    events = 0;
  }
  co_await settle(std::move(revisits), sum);
  if (failure) std::rethrow_exception(failure);
  co_return sum;
}

Task<Revisit> Intake::revisit(DeadLetter letter) {
  Revisit revisit{.id = letter.id, .events = {}, .dead = {}, .stays = std::nullopt};
  EventBatch batch = co_await source_.reread(std::move(letter.body));
  if (batch.events.empty() && !batch.garbage.empty()) {
    revisit.stays = std::move(batch.garbage.front().reason);
    co_return revisit;
  }
  for (Undecodable& garbage : batch.garbage) {
    revisit.dead.push_back({own_id_, std::move(garbage.raw), ErrorKind::kCorrupt,
                            std::move(garbage.reason), letter.attempts + 1});
  }
  counters_.events += batch.events.size();
  revisit.events = co_await wanted(std::move(batch.events));
  co_return revisit;
}

Task<> Intake::settle(std::vector<Revisit> revisits, Reread& sum) {
  if (revisits.empty()) co_return;
  for (const Revisit& one : revisits) {
    if (one.stays) sum.last_error = *one.stays;
  }
  const Revisited done = co_await ledger_.revisit(std::move(revisits));
  sum.read += done.left;
  sum.unreadable += done.stayed;
  const auto known =
      static_cast<std::size_t>(std::ranges::count(done.events, Appended::kDuplicate));
  sum.duplicates += known;
  sum.events += done.events.size() - known;
  counters_.duplicates += known;
  counters_.tasks += done.tasks;
}

Task<std::vector<NewEvent>> Intake::wanted(std::vector<Event> events) {
  std::vector<NewEvent> out;
  out.reserve(events.size());
  for (const Event& event : events) {
    auto ask = [&] { return self_writes_.is_own(event); };  // May ask the store.
    const bool own = co_await durably(clock_, random_, log_, "recognise own writes", ask);
    if (own) {
      ++counters_.own_writes;
      continue;
    }
    const std::vector<std::uint32_t> routes = table_.rules->wanting(event);
    if (routes.empty()) {
      ++counters_.unwanted;
      continue;
    }
    add(event, routes, out);
  }
  co_return out;
}

Task<std::size_t> Intake::send(Event event) {
  const std::vector<std::uint32_t> routes = table_.rules->wanting(event);
  if (routes.empty()) co_return 0;
  NewEvent out = make(event);  // Without identity: who sends by hand means it, also twice.
  for (const std::uint32_t route : routes) out.wants.push_back(want(event, route));
  std::vector<NewEvent> events;
  events.push_back(std::move(out));
  co_await ledger_.append(std::move(events));
  co_return routes.size();
}

void Intake::add(const Event& event, const std::vector<std::uint32_t>& routes,
                 std::vector<NewEvent>& out) const {
  std::map<std::uint64_t, std::vector<NewEvent::Want>> by_audience;
  for (const std::uint32_t route : routes) {
    by_audience[table_.rules->audience(route)].push_back(want(event, route));
  }
  for (auto& [audience, wants] : by_audience) {
    Identity identity = identity_of(event, audience);
    NewEvent& one = out.emplace_back(make(event));
    one.identity = identity.change;
    one.same_as = std::move(identity.same_as);
    one.also = std::move(identity.also);
    one.wants = std::move(wants);
  }
}

NewEvent Intake::make(const Event& event) const {
  NewEvent out;
  out.body = to_json(event);
  out.shard = static_cast<std::uint8_t>(hash64(event.object.text()));
  return out;
}

NewEvent::Want Intake::want(const Event& event, std::uint32_t route) const {
  const RoutePlan& plan = *table_.plans[route];
  const Time now = clock_.now();
  const Time happened = std::min(event.time, now);  // A producer's clock may run ahead.
  return {plan.id, plan.after > Duration(0) ? happened + plan.after : now};
}

}  // namespace headrace
