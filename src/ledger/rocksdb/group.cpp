#include "ledger/rocksdb/group.h"

#include <algorithm>
#include <iterator>

#include "ledger/rocksdb/rows.h"

namespace headrace::rocks {
namespace {

constexpr std::uint64_t kReserve = 1 << 20;
/// A page is closed when it has this much, so that one page is never much memory.
constexpr std::size_t kPageBytes = 1 << 20;
/// Every so many commits the counters are written whole and the low marks move.
constexpr std::uint64_t kHousekeeping = 256;

}  // namespace

Numbers::Numbers(const Database& database) {
  const auto reserved = database.get(Family::kMeta, kNumbersKey);
  if (reserved) next_ = reserved_ = asked_ = key_number(*reserved);
}

void Numbers::reserve(Batch& batch) {
  if (next_ <= reserved_) return;
  asked_ = next_ + kReserve;
  batch.put(Family::kMeta, kNumbersKey, number_key(asked_));
}

Group::Group(WriterState& state)
    : state_(state), now_(state.clock.now()), batch_(state.database.batch()) {
  state_.dedupe.begin(batch_, now_);
}

void Group::count(RouteId route, Count which, std::int64_t delta) {
  counts_[route][static_cast<std::size_t>(which)] += delta;
}

// New pages.

void Group::close_draft(PageDraft draft) { drafts_.push_back(std::move(draft)); }

PageDraft& Group::draft_for(Time due, std::size_t bytes) {
  PageDraft& draft = open_[std::max(due, now_)];
  constexpr std::size_t kMost = 65'535;  // What a member's number has room for.
  if (draft.bodies.size() >= std::min(state_.limits.page_members, kMost) ||
      (!draft.bodies.empty() && draft.bytes + bytes > kPageBytes)) {
    close_draft(std::exchange(draft, {}));
  }
  draft.due = std::max(due, now_);
  return draft;
}

std::uint16_t Group::add_member(PageDraft& draft, Bytes body, std::uint8_t shard) {
  const auto member = static_cast<std::uint16_t>(draft.bodies.size());
  draft.bytes += body.size();
  draft.bodies.push_back(std::move(body));
  draft.shards.push_back(shard);
  return member;
}

bool Group::is_duplicate(const NewEvent& event) {
  const auto is_seen = [this](std::uint64_t identity) { return state_.dedupe.has(identity); };
  if (is_seen(*event.identity) || std::ranges::any_of(event.same_as, is_seen)) return true;
  state_.dedupe.add(*event.identity, batch_);
  for (const std::uint64_t identity : event.also) state_.dedupe.add(identity, batch_);
  return false;
}

std::vector<Appended> Group::append(std::vector<NewEvent>& events) {
  std::vector<Appended> answers;
  answers.reserve(events.size());
  for (NewEvent& event : events) {
    if (event.identity && is_duplicate(event)) {
      answers.push_back(Appended::kDuplicate);
      continue;
    }
    answers.push_back(Appended::kStored);
    // One member for all who want it at the same time.
    for (NewEvent::Want& want : event.wants) want.due = std::max(want.due, now_);
    std::ranges::sort(event.wants, {}, &NewEvent::Want::due);
    for (auto want = event.wants.begin(); want != event.wants.end();) {
      const Time due = want->due;
      PageDraft& draft = draft_for(due, event.body.size());
      const bool last = due == event.wants.back().due;
      const std::uint16_t member =
          add_member(draft, last ? std::move(event.body) : event.body, event.shard);
      for (; want != event.wants.end() && want->due == due; ++want) {
        draft.routes[want->route].push_back(member);
        count(want->route, Count::kAppended);
      }
    }
  }
  return answers;
}

void Group::add_alone(const Task& task, Time due, int attempt, std::string_view error) {
  const std::uint16_t member = task.page->member(task.place);
  const RouteId route = task.page->parts[task.place.part].route;
  PageDraft draft;
  draft.due = std::max(due, now_);
  draft.attempt = attempt;
  draft.error = error.substr(0, kErrorBytes);
  draft.routes[route] = {add_member(draft, Bytes(task.page->content.bodies[member]),
                                    static_cast<std::uint8_t>(task.page->content.shards[member]))};
  close_draft(std::move(draft));
}

// Tasks that are there.

void Group::touch(Page* page) {
  const auto [at, fresh] = touched_.try_emplace(page);
  if (fresh) state_.board.hold(page);
}

void Group::bring_in(const std::vector<TaskId>& tasks) {
  std::vector<std::uint64_t> missing;
  {
    const auto held = state_.board.lock();
    std::uint64_t last = 0;
    for (const TaskId id : tasks) {
      if (id.seq == last) continue;
      last = id.seq;
      Page* page = state_.board.find(id.seq);
      if (page != nullptr) {
        touch(page);
      } else {
        missing.push_back(id.seq);
      }
    }
  }
  if (missing.empty()) return;
  for (const auto& [seq, position] : locate(std::move(missing))) {
    auto page = read_page(state_.database, position);
    if (!page) continue;
    const auto held = state_.board.lock();
    touch(state_.board.adopt(std::move(page)));
  }
}

std::unordered_map<std::uint64_t, Position> Group::locate(std::vector<std::uint64_t> seqs) {
  std::unordered_map<std::uint64_t, Position> found;
  std::unordered_set<std::uint64_t> unknown;
  {
    const auto held = state_.board.lock();
    for (const std::uint64_t seq : seqs) {
      const auto hint = state_.board.due_hints.find(seq);
      if (Position{0, seq}.lane() == Lane::kReady) {
        found[seq] = {0, seq};
      } else if (hint != state_.board.due_hints.end()) {
        found[seq] = {hint->second, seq};
      } else {
        unknown.insert(seq);
      }
    }
  }
  // Later pages lie by due time. Overdue ones, which is what a crash leaves, come first.
  if (unknown.empty()) return found;
  for (Scan rows = state_.database.scan(Family::kLater, {}, {}); rows.valid(); rows.next()) {
    const Position position = page_position(Lane::kLater, rows.key());
    if (unknown.erase(position.seq) == 0) continue;
    found[position.seq] = position;
    if (unknown.empty()) break;
  }
  return found;
}

std::optional<Group::Task> Group::find(TaskId id) {
  Page* page = state_.board.find(id.seq);
  if (page == nullptr) return std::nullopt;
  const auto place = page->find(id.route, id.member);
  if (!place || page->state(*place) == MemberState::kDone) return std::nullopt;
  return Task{page, *place};
}

void Group::finish(Task task) {
  const MemberState was = state_.board.finish(task.page, task.place);
  touched_[task.page].push_back({task.place, was});
}

void Group::write(LedgerWrite& write) {
  std::vector<TaskId> tasks;
  tasks.reserve(write.settle.size());
  for (const Settled& settled : write.settle) tasks.push_back(settled.id);
  bring_in(tasks);
  {
    const auto held = state_.board.lock();
    for (const Settled& settled : write.settle) settle(settled);
  }
  for (const NewDeadLetter& letter : write.dead) bury(letter);
  for (const NoteChange& note : write.notes) {
    const Bytes key = Bytes(kNotePrefix) + note.key;
    if (note.value) {
      batch_.put(Family::kMeta, key, *note.value);
    } else {
      batch_.remove(Family::kMeta, key);
    }
  }
  for (const std::uint64_t identity : write.seen) state_.dedupe.add(identity, batch_);
}

void Group::settle(const Settled& settled) {
  const auto task = find(settled.id);
  if (!task) return;
  const PageContent& content = task->page->content;
  switch (settled.how) {
    case Settled::How::kDone:
      count(settled.id.route, Count::kDone);
      break;
    case Settled::How::kRetry:
      count(settled.id.route, Count::kRetried);
      add_alone(*task, settled.due, content.attempt + (settled.costs_attempt ? 1 : 0),
                settled.error);
      break;
    case Settled::How::kDead:
      count(settled.id.route, Count::kDied);
      bury({settled.id.route, now_, content.attempt, settled.kind,
            static_cast<std::uint8_t>(content.shards[settled.id.member]), settled.error,
            content.bodies[settled.id.member]});
      break;
  }
  finish(*task);
}

template <class Then>
std::size_t Group::end_waiting(const std::vector<TaskId>& tasks, Then then) {
  bring_in(tasks);
  const auto held = state_.board.lock();
  std::size_t ended = 0;
  for (const TaskId id : tasks) {
    const auto task = find(id);
    if (!task || task->page->state(task->place) == MemberState::kTaken) continue;
    then(*task);
    finish(*task);
    ++ended;
  }
  return ended;
}

std::size_t Group::cancel(const std::vector<TaskId>& tasks) {
  return end_waiting(tasks, [this](const Task& task) {
    count(task.page->parts[task.place.part].route, Count::kCancelled);
  });
}

std::size_t Group::reschedule(const std::vector<TaskId>& tasks, Time due) {
  return end_waiting(tasks, [this, due](const Task& task) {
    add_alone(task, due, task.page->content.attempt, task.page->content.error);
  });
}

// Dead letters.

void Group::bury(const DeadRow& row) {
  DeadRow cut = row;
  cut.error = row.error.substr(0, kErrorBytes);
  count(row.route, Count::kDead);
  batch_.put(Family::kDead, number_key(state_.numbers.take()), encode_dead(cut));
}

void Group::bury(const NewDeadLetter& letter) {
  bury(DeadRow{letter.route, now_, letter.attempts, letter.kind, 0, letter.error, letter.body});
}

std::optional<Bytes> Group::dead_row(std::uint64_t id) const {
  if (dug_up_.contains(id)) return std::nullopt;
  return state_.database.get(Family::kDead, number_key(id));
}

std::optional<Bytes> Group::dig_up(std::uint64_t id) {
  auto row = dead_row(id);
  if (!row) return std::nullopt;
  dug_up_.insert(id);
  batch_.remove(Family::kDead, number_key(id));  // It may have been written more than once.
  count(decode_dead(*row).route, Count::kDead, -1);
  return row;
}

std::size_t Group::redrive(const std::vector<std::uint64_t>& ids, Time first, Duration spacing) {
  std::size_t redriven = 0;
  for (const std::uint64_t id : ids) {
    const auto bytes = dig_up(id);
    if (!bytes) continue;
    const DeadRow row = decode_dead(*bytes);
    const Time due = first + spacing * static_cast<std::int64_t>(redriven++);
    count(row.route, Count::kAppended);
    PageDraft& draft = draft_for(due, row.body.size());
    draft.routes[row.route].push_back(add_member(draft, Bytes(row.body), row.shard));
  }
  return redriven;
}

Revisited Group::revisit(std::vector<Revisit>& letters) {
  Revisited done;
  for (Revisit& letter : letters) {
    const auto bytes = letter.stays ? dead_row(letter.id) : dig_up(letter.id);
    if (!bytes) continue;
    if (letter.stays) {
      ++done.stayed;
      DeadRow row = decode_dead(*bytes);
      ++row.attempts;
      row.error = std::string_view(*letter.stays).substr(0, kErrorBytes);
      batch_.put(Family::kDead, number_key(letter.id), encode_dead(row));
      continue;
    }
    ++done.left;
    const std::vector<Appended> answers = append(letter.events);
    done.tasks += tasks_made(letter.events, answers);
    std::ranges::copy(answers, std::back_inserter(done.events));
    for (const NewDeadLetter& dead : letter.dead) bury(dead);
  }
  return done;
}

std::size_t Group::drop_dead(const std::vector<std::uint64_t>& ids) {
  return static_cast<std::size_t>(
      std::ranges::count_if(ids, [this](std::uint64_t id) { return dig_up(id).has_value(); }));
}

std::size_t Group::expire_dead(RouteId route, Time before, std::size_t most) {
  std::vector<std::uint64_t> ids;
  for (Scan rows = state_.database.scan(Family::kDead, {}, {}); rows.valid(); rows.next()) {
    const DeadRow row = decode_dead(rows.value());
    // Ids grow with time; a clock set back only delays the end of the search to a later call.
    if (row.at >= before || ids.size() == most) break;
    if (row.route == route) ids.push_back(key_number(rows.key()));
  }
  return drop_dead(ids);
}

RouteId Group::route_id(const std::string& name) {
  const auto known = names_.find(name);
  if (known != names_.end()) return known->second;
  const auto held = state_.board.lock();
  if (const auto there = state_.board.route_named(name)) return *there;
  const auto id = RouteId(state_.board.routes() + names_.size() + 1);
  names_[name] = id;
  batch_.put(Family::kMeta, Bytes(kRoutePrefix) + number_key(static_cast<std::uint32_t>(id)), name);
  return id;
}

// The commit.

void Group::write_pages() {
  for (auto& [due, draft] : open_) {
    if (!draft.bodies.empty()) close_draft(std::move(draft));
  }
  for (const PageDraft& draft : drafts_) {
    if (draft.routes.empty()) continue;  // Wanted by nobody.
    const bool later = draft.due > now_;
    const Position at{later ? micros(draft.due) : 0,
                      state_.numbers.take() << 1 | (later ? 1u : 0u)};
    Bytes payload = encode_payload(draft);
    batch_.put(later ? Family::kLater : Family::kReady, page_key(at.lane(), at), pack(payload));
    pages_.push_back(make_page(at, std::move(payload), std::nullopt));
  }
}

void Group::write_progress() {
  const auto held = state_.board.lock();
  for (auto& [page, changes] : touched_) {
    if (changes.empty()) continue;
    const Bytes row = number_key(page->at.seq);
    if (page->left == 0) {
      const Lane lane = page->at.lane();
      batch_.remove_once(lane == Lane::kLater ? Family::kLater : Family::kReady,
                         page_key(lane, page->at));
      if (page->has_progress) batch_.remove(Family::kProgress, row);
      continue;
    }
    batch_.merge(Family::kProgress, row, encode_delta(delta_of(*page, changes)));
    progressed_.push_back(page);
  }
}

PageDelta Group::delta_of(const Page& page, const std::vector<Change>& changes) {
  std::map<std::uint32_t, std::vector<std::uint16_t>> by_part;
  for (const Change& change : changes) {
    by_part[change.place.part].push_back(page.member(change.place));
  }
  PageDelta delta;
  for (auto& [part, members] : by_part) {
    std::ranges::sort(members);
    if (members.size() == page.parts[part].count) members.clear();
    delta.push_back({page.parts[part].route, std::move(members)});
  }
  return delta;
}

void Group::write_housekeeping() {
  if (!counts_.empty()) batch_.merge(Family::kMeta, kCountsKey, encode_counts(counts_));
  state_.numbers.reserve(batch_);
  if (batch_.empty() || state_.commits++ % kHousekeeping != kHousekeeping - 1) return;
  // A whole row cuts the chain of deltas; the marks spare the next start the tombstones below.
  const auto held = state_.board.lock();
  CountDeltas sums = state_.board.count_sums();
  for (const auto& [route, deltas] : counts_) {
    for (std::size_t i = 0; i < kCounts; ++i) sums[route][i] += deltas[i];
  }
  batch_.put(Family::kMeta, kCountsKey, encode_counts(sums));
  std::array<Position, 2> lows{state_.board.low(Lane::kReady), state_.board.low(Lane::kLater)};
  for (const auto& page : pages_) {
    Position& low = lows[static_cast<std::size_t>(page->at.lane())];
    low = std::min(low, page->at);  // It may be due before the head by the time it is published.
  }
  batch_.put(Family::kMeta, kLowReadyKey, page_key(Lane::kReady, lows[0]));
  batch_.put(Family::kMeta, kLowLaterKey, page_key(Lane::kLater, lows[1]));
}

void Group::commit() {
  write_pages();
  write_progress();
  write_housekeeping();
  if (!batch_.empty()) state_.database.write(batch_);
}

void Group::publish() {
  state_.numbers.committed();
  state_.dedupe.committed();
  const auto held = state_.board.lock();
  for (const auto& [name, id] : names_) state_.board.add_route(id, name, true);
  state_.board.count(counts_);
  for (Page* page : progressed_) page->has_progress = true;
  for (auto& [page, changes] : touched_) {
    for (const Change& change : changes) {
      state_.board.finished(page, change.was, change.place);
    }
    state_.board.release(page);
  }
  state_.board.publish(std::move(pages_), state_.numbers.next());
}

void Group::undo() {
  state_.dedupe.failed();
  const auto held = state_.board.lock();
  for (auto& [page, changes] : touched_) {
    for (const Change& change : changes) {
      state_.board.restore(page, change.place, change.was);
    }
    state_.board.release(page);
  }
}

}  // namespace headrace::rocks
