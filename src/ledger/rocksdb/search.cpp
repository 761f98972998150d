#include "ledger/rocksdb/search.h"

#include <algorithm>

#include "ledger/rocksdb/rows.h"
#include "ledger/rules.h"

namespace headrace::rocks {
namespace {

constexpr std::size_t kPortion = 1 << 20;

/// Calls `see(page)` for the pages in [from, to) until it says false.
template <class See>
void for_pages(const Database& database, Lane lane, Position from, Position to, See see) {
  while (from < to) {
    PageRun run = read_pages(database, lane, from, to, kPortion);
    for (const auto& page : run.pages) {
      if (!see(*page)) return;
    }
    from = run.end;
  }
}

/// Where a listing goes on. Ready pages come first, then later ones by due time.
Position resume_at(const Database& database, Board& board, TaskId after) {
  const Position ready{0, after.seq};
  if (ready.lane() == Lane::kReady) return ready;
  {
    const auto held = board.lock();
    const auto hint = board.due_hints.find(after.seq);
    if (hint != board.due_hints.end()) return {hint->second, after.seq};
  }
  for (Scan rows = database.scan(Family::kLater, {}, {}); rows.valid(); rows.next()) {
    const Position at = page_position(Lane::kLater, rows.key());
    if (at.seq == after.seq) return at;
  }
  return Position::last();
}

class TaskSearch {
 public:
  TaskSearch(const Database& database, Board& board, const Find& find)
      : database_(database), board_(board), find_(find) {}

  std::vector<PendingTask> run() {
    Position from{};
    Lane lane = Lane::kReady;
    if (find_.after_task) {
      from = resume_at(database_, board_, *find_.after_task);
      lane = Position{0, find_.after_task->seq}.lane();
    }
    const auto see = [this](const Page& page) { return add(page); };
    if (lane == Lane::kReady) {
      for_pages(database_, lane, from, {0, UINT64_MAX}, see);
      from = {};
    }
    if (found_.size() == find_.limit) return std::move(found_);
    if (find_.since) from = std::max(from, Position{micros(*find_.since), 0});
    const Position to = find_.until ? Position{micros(*find_.until) + 1, 0} : Position::last();
    for_pages(database_, Lane::kLater, from, to, see);
    return std::move(found_);
  }

 private:
  /// False when the listing is full.
  bool add(const Page& page) {
    if ((find_.since && page.content.due < *find_.since) ||
        (find_.until && page.content.due > *find_.until)) {
      return true;
    }
    std::vector<TaskId> ids;
    for (std::uint32_t part = 0; part < page.parts.size(); ++part) {
      if (find_.route && page.parts[part].route != *find_.route) continue;
      for (std::uint32_t i = 0; i < page.parts[part].count; ++i) {
        const std::uint32_t state = page.parts[part].first + i;
        const TaskId id = page.id({part, i});
        const bool listed =
            find_.after_task && id.seq == find_.after_task->seq && id <= *find_.after_task;
        if (page.states[state] != MemberState::kDone && !listed) ids.push_back(id);
      }
    }
    std::ranges::sort(ids);
    const auto held = board_.lock();
    for (const TaskId id : ids) {
      if (found_.size() == find_.limit) return false;
      add(page, id);
    }
    return found_.size() < find_.limit;
  }

  void add(const Page& page, TaskId id) {
    Page* near = board_.find(id.seq);
    const auto place = near == nullptr ? std::nullopt : near->find(id.route, id.member);
    const bool running = place && near->state(*place) == MemberState::kTaken;
    if (page.at.lane() == Lane::kLater) {
      if (board_.due_hints.size() >= Board::kMaxHints) board_.due_hints.clear();
      board_.due_hints[id.seq] = page.at.due_us;
    }
    found_.push_back({id, page.content.due, page.content.attempt, running,
                      std::string(page.content.error), Bytes(page.content.bodies[id.member])});
  }

  const Database& database_;
  Board& board_;
  const Find& find_;
  std::vector<PendingTask> found_;
};

}  // namespace

std::vector<PendingTask> find_tasks(const Database& database, Board& board, const Find& find) {
  if (find.limit == 0) return {};
  return TaskSearch(database, board, find).run();
}

std::vector<DeadLetter> find_dead(const Database& database, const Find& find) {
  std::vector<DeadLetter> found;
  std::size_t bytes = 0;
  if (find.after == UINT64_MAX) return found;
  for (Scan rows = database.scan(Family::kDead, number_key(find.after + 1), {});
       rows.valid() && found.size() < find.limit && bytes < find.bytes; rows.next()) {
    const DeadRow row = decode_dead(rows.value());
    DeadLetter letter{key_number(rows.key()), row.route,      row.at, row.attempts, row.kind,
                      std::string(row.error), Bytes(row.body)};
    if (!letter_matches(find, letter)) continue;
    bytes += letter.body.size();
    found.push_back(std::move(letter));
  }
  return found;
}

std::vector<NoteChange> find_notes(const Database& database, const std::string& prefix) {
  std::vector<NoteChange> found;
  const Bytes lower = Bytes(kNotePrefix) + prefix;
  for (Scan rows = database.scan(Family::kMeta, lower, after_prefix(lower)); rows.valid();
       rows.next()) {
    found.push_back({std::string(rows.key().substr(kNotePrefix.size())), Bytes(rows.value())});
  }
  return found;
}

bool any_pending(const Database& database, const std::vector<RouteId>& routes, Lane lane,
                 Position from, Position to) {
  bool any = false;
  for_pages(database, lane, from, to, [&](const Page& page) {
    for (const Page::Part& part : page.parts) {
      if (std::ranges::find(routes, part.route) == routes.end()) continue;
      for (std::uint32_t i = 0; i < part.count; ++i) {
        any = any || page.states[part.first + i] != MemberState::kDone;
      }
    }
    return !any;
  });
  return any;
}

}  // namespace headrace::rocks
