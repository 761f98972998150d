#include "ledger/rocksdb/board.h"

#include <algorithm>

namespace headrace::rocks {
namespace {

std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

void add_to(std::uint64_t& counter, std::int64_t delta) {
  counter += static_cast<std::uint64_t>(delta);
}

}  // namespace

Board::Board(LedgerLimits limits, std::array<Position, 2> lows, Time now,
             std::function<void()> wake)
    : limits_(limits),
      lows_(lows),
      wake_(std::move(wake)),
      fired_(std::max(lows[1], Position{micros(now), 0})),
      horizon_(fired_) {}

Board::Route* Board::route(RouteId id) {
  const auto number = static_cast<std::uint32_t>(id);
  return number == 0 || number > routes_.size() ? nullptr : &routes_[number - 1];
}

const Board::Route* Board::route(RouteId id) const { return const_cast<Board*>(this)->route(id); }

std::map<RouteId, std::string> Board::names() const {
  const Lock held(mutex_);
  std::map<RouteId, std::string> names;
  for (std::size_t i = 0; i < routes_.size(); ++i) names[RouteId(i + 1)] = routes_[i].name;
  return names;
}

std::map<RouteId, RouteCounters> Board::counters() const {
  const Lock held(mutex_);
  std::map<RouteId, RouteCounters> counters;
  for (std::size_t i = 0; i < routes_.size(); ++i) counters[RouteId(i + 1)] = routes_[i].counters;
  return counters;
}

bool Board::knows(RouteId id) const {
  const Lock held(mutex_);
  return route(id) != nullptr;
}

void Board::add_route(RouteId id, std::string name, bool is_new) {
  const auto number = static_cast<std::uint32_t>(id);
  while (routes_.size() < number) routes_.emplace_back();
  Route& added = routes_[number - 1];
  added.name = std::move(name);
  added.at_head = {is_new, is_new};
  added.next = lows_;  // What was before this start is all still to be brought from disk.
}

std::optional<RouteId> Board::route_named(const std::string& name) const {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].name == name) return RouteId(i + 1);
  }
  return std::nullopt;
}

void Board::count(const CountDeltas& deltas) {
  for (const auto& [id, delta] : deltas) {
    Route* counted = route(id);
    if (counted == nullptr) continue;
    RouteCounters& counters = counted->counters;
    add_to(counters.appended, delta[static_cast<std::size_t>(Count::kAppended)]);
    add_to(counters.done, delta[static_cast<std::size_t>(Count::kDone)]);
    add_to(counters.retried, delta[static_cast<std::size_t>(Count::kRetried)]);
    add_to(counters.died, delta[static_cast<std::size_t>(Count::kDied)]);
    add_to(counters.cancelled, delta[static_cast<std::size_t>(Count::kCancelled)]);
    add_to(counters.dead, delta[static_cast<std::size_t>(Count::kDead)]);
  }
}

CountDeltas Board::count_sums() const {
  CountDeltas sums;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const RouteCounters& of = routes_[i].counters;
    const auto sum = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
    sums[RouteId(i + 1)] = {sum(of.appended), sum(of.done),      sum(of.retried),
                            sum(of.died),     sum(of.cancelled), sum(of.dead)};
  }
  return sums;
}

// Pages.

Page* Board::find(std::uint64_t seq) const {
  const auto found = by_seq_.find(seq);
  return found == by_seq_.end() ? nullptr : found->second;
}

Page* Board::adopt(std::unique_ptr<Page> page) {
  if (Page* known = find(page->at.seq)) return known;
  Page* adopted = page.get();
  bytes_ += adopted->payload->size();
  by_seq_.emplace(adopted->at.seq, adopted);
  pages_[index(adopted->at.lane())].emplace(adopted->at, std::move(page));
  return adopted;
}

void Board::release(Page* page) {
  if (--page->holds == 0) drop(page);
}

void Board::drop(Page* page) {
  if (reading_) left_memory_.insert(page->at.seq);
  bytes_ -= page->payload->size();
  by_seq_.erase(page->at.seq);
  pages_[index(page->at.lane())].erase(page->at);
  if (starved_ && bytes_ < limits_.ready_bytes / 4 * 3) {
    starved_ = false;
    wake_();
  }
}

MemberState Board::finish(Page* page, Page::Place place) {
  MemberState& state = page->state(place);
  const MemberState was = state;
  state = MemberState::kDone;
  --page->left;
  if (was == MemberState::kQueued) --route(page->parts[place.part].route)->queued;
  return was;
}

void Board::restore(Page* page, Page::Place place, MemberState was) {
  page->state(place) = was;
  ++page->left;
  if (was != MemberState::kQueued) return;
  // Its queue entry may have been passed over meanwhile.
  Route& owner = *route(page->parts[place.part].route);
  owner.queue.push_front({page, place.part, place.index, place.index + 1});
  ++owner.queued;
  hold(page);
  serve(owner);
}

void Board::finished(Page* page, MemberState was, Page::Place place) {
  if (was != MemberState::kTaken) return;
  --route(page->parts[place.part].route)->taken;
  release(page);
}

void Board::load(Page* page, std::uint32_t part, Route& owner) {
  const Page::Part& members = page->parts[part];
  std::size_t queued = 0;
  for (std::uint32_t i = 0; i < members.count; ++i) {
    MemberState& state = page->state({part, i});
    if (state != MemberState::kPending) continue;
    state = MemberState::kQueued;
    ++queued;
  }
  if (queued == 0) return;
  owner.queued += queued;
  owner.queue.push_back({page, part, 0, members.count});
  hold(page);
  if (!owner.to_serve && !owner.waiters.empty()) {
    owner.to_serve = true;
    to_serve_.push_back(&owner);
  }
}

bool Board::room(const Route& owner) const {
  return owner.queued < limits_.ready_per_route &&
         (bytes_ < limits_.ready_bytes || owner.queued == 0);
}

void Board::fall_behind(Route& owner, Lane lane, Position at) {
  const std::size_t which = index(lane);
  owner.next[which] = owner.at_head[which] ? at : std::min(owner.next[which], at);
  owner.at_head[which] = false;
}

void Board::distribute(Page* page) {
  const Lane lane = page->at.lane();
  for (std::uint32_t part = 0; part < page->parts.size(); ++part) {
    Route* owner = route(page->parts[part].route);
    if (owner == nullptr) continue;
    if (owner->wanted && owner->at_head[index(lane)] && room(*owner)) {
      load(page, part, *owner);
    } else {
      fall_behind(*owner, lane, page->at);
      if (hungry(*owner)) wake_();
    }
  }
}

void Board::publish(std::vector<std::unique_ptr<Page>> pages, std::uint64_t committed) {
  committed_ = committed;
  for (std::unique_ptr<Page>& fresh : pages) {
    Page* page = adopt(std::move(fresh));
    hold(page);
    const bool later = page->at.lane() == Lane::kLater;
    if (!later || page->at < fired_) {
      distribute(page);
      if (later && reading_) missed_ = std::min(missed_, page->at);
    } else if (page->at < horizon_) {
      keep_ahead(page);
      if (ahead_.begin()->second == page) wake_();
    } else if (reading_) {
      missed_ = std::min(missed_, page->at);
    }
    release(page);
  }
  trim_ahead();
  serve_all();
}

// Taking.

std::vector<TakenTask> Board::pop(Route& owner, std::size_t limit) {
  std::vector<TakenTask> tasks;
  tasks.reserve(std::min(limit, owner.queued));
  while (tasks.size() < limit && !owner.queue.empty()) {
    Entry& entry = owner.queue.front();
    Page* page = entry.page;
    while (entry.from < entry.to && tasks.size() < limit) {
      const Page::Place place{entry.part, entry.from++};
      MemberState& state = page->state(place);
      if (state != MemberState::kQueued) continue;  // Cancelled, or settled by its id.
      state = MemberState::kTaken;
      hold(page);
      ++owner.taken;
      --owner.queued;
      const TaskId id = page->id(place);
      tasks.push_back({id, page->content.due, page->content.attempt, !page->content.error.empty(),
                       page->payload, page->content.bodies[id.member]});
    }
    if (entry.from == entry.to) {
      owner.queue.pop_front();
      release(page);
    }
  }
  if (behind(owner) && hungry(owner)) wake_();
  return tasks;
}

void Board::serve(Route& owner) {
  while (owner.queued > 0 && !owner.waiters.empty()) {
    const Waiter waiter = std::move(owner.waiters.front());
    owner.waiters.pop_front();
    if (waiter.answer->claim()) waiter.answer->resume(nullptr, pop(owner, waiter.limit));
  }
}

void Board::serve_all() {
  for (Route* owner : to_serve_) {
    owner->to_serve = false;
    serve(*owner);
  }
  to_serve_.clear();
}

std::vector<TakenTask> Board::take_now(RouteId id, std::size_t limit) {
  const Lock held(mutex_);
  Route* owner = route(id);
  if (owner == nullptr) {
    throw Error(ErrorKind::kInvalid,
                "the ledger has no route " + std::to_string(static_cast<std::uint32_t>(id)));
  }
  if (!owner->wanted) {
    owner->wanted = true;
    if (behind(*owner)) wake_();
  }
  // Who asks now comes after those who wait already.
  return owner->waiters.empty() ? pop(*owner, limit) : std::vector<TakenTask>();
}

void Board::take_later(RouteId id, std::size_t limit, TakeAnswer answer) {
  const Lock held(mutex_);
  if (closed_) return answer->fail(Error(ErrorKind::kCancelled, "the ledger is closed"));
  Route& owner = *route(id);
  // Cancelled ones are not looked for one by one: they go when new ones come.
  while (!owner.waiters.empty() && owner.waiters.front().answer->claimed()) {
    owner.waiters.pop_front();
  }
  owner.waiters.push_back({limit, std::move(answer)});
  serve(owner);
}

void Board::give_back(const std::vector<TaskId>& tasks) {
  const Lock held(mutex_);
  for (auto id = tasks.rbegin(); id != tasks.rend(); ++id) {
    Page* page = find(id->seq);
    const auto place = page == nullptr ? std::nullopt : page->find(id->route, id->member);
    if (!place || page->state(*place) != MemberState::kTaken) continue;
    page->state(*place) = MemberState::kQueued;
    Route& owner = *route(id->route);
    --owner.taken;
    ++owner.queued;
    // The entry takes over the hold of the taken task.
    owner.queue.push_front({page, place->part, place->index, place->index + 1});
    if (!owner.to_serve) {
      owner.to_serve = true;
      to_serve_.push_back(&owner);
    }
  }
  serve_all();
}

void Board::close() {
  const Lock held(mutex_);
  closed_ = true;
  for (Route& owner : routes_) {
    for (const Waiter& waiter : std::exchange(owner.waiters, {})) {
      waiter.answer->fail(Error(ErrorKind::kCancelled, "the ledger is closed"));
    }
  }
}

// Looking from outside.

std::uint64_t Board::pending(const std::vector<RouteId>& routes) const {
  std::uint64_t sum = 0;
  for (const RouteId id : routes) {
    if (const Route* one = route(id)) sum += one->counters.pending();
  }
  return sum;
}

bool Board::quiet(const std::vector<RouteId>& routes, std::array<Position, 2>& from) const {
  from = {head(Lane::kReady), head(Lane::kLater)};
  for (const RouteId id : routes) {
    const Route* one = route(id);
    if (one == nullptr) continue;
    if (one->queued > 0 || one->taken > 0) return false;
    for (std::size_t lane = 0; lane < 2; ++lane) {
      if (!one->at_head[lane]) from[lane] = std::min(from[lane], one->next[lane]);
    }
  }
  return true;
}

Position Board::low(Lane lane) const {
  Position low = head(lane);
  const auto& pages = pages_[index(lane)];
  if (!pages.empty()) low = std::min(low, pages.begin()->first);
  for (const Route& one : routes_) {
    if (!one.at_head[index(lane)]) low = std::min(low, one.next[index(lane)]);
  }
  return low;
}

}  // namespace headrace::rocks
