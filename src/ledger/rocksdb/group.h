#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/rocksdb/board.h"
#include "ledger/rocksdb/database.h"
#include "ledger/rocksdb/dedupe.h"

namespace headrace::rocks {

/// Numbers for pages and dead letters: never reused, not even after a crash. They are reserved in
/// blocks; a start skips what was left of the last block.
class Numbers {
 public:
  explicit Numbers(const Database& database);
  std::uint64_t take() { return next_++; }
  std::uint64_t next() const { return next_; }
  /// Adds a new reservation to `batch` if more was taken than is reserved.
  void reserve(Batch& batch);
  void committed() { reserved_ = std::max(reserved_, asked_); }

 private:
  std::uint64_t next_ = 1;
  std::uint64_t reserved_ = 1;  ///< Durable: all taken and committed numbers are below.
  std::uint64_t asked_ = 1;
};

/// What the writer's commits share and only its thread touches.
struct WriterState {
  Board& board;
  Database& database;
  const LedgerLimits limits;
  Clock& clock;
  Dedupe dedupe;
  Numbers numbers;
  std::uint64_t commits = 0;
};

/// One commit: gathers what its requests ask for, writes it, and tells the board. Requests see what
/// earlier ones of the same commit did. All of it comes about or nothing.
///
/// Use: any number of requests, then commit(), then publish(); undo() instead of publish() if
/// anything threw.
class Group {
 public:
  explicit Group(WriterState& state);

  // Requests. They throw only what reading the disk throws.
  std::vector<Appended> append(std::vector<NewEvent>& events);
  void write(LedgerWrite& write);
  std::size_t cancel(const std::vector<TaskId>& tasks);
  std::size_t reschedule(const std::vector<TaskId>& tasks, Time due);
  std::size_t redrive(const std::vector<std::uint64_t>& ids, Time first, Duration spacing);
  Revisited revisit(std::vector<Revisit>& letters);
  std::size_t drop_dead(const std::vector<std::uint64_t>& ids);
  /// At most `most` at a time.
  std::size_t expire_dead(RouteId route, Time before, std::size_t most);
  RouteId route_id(const std::string& name);

  void commit();
  void publish();
  void undo();

 private:
  struct Change {
    Page::Place place;
    MemberState was;
  };
  struct Task {
    Page* page;
    Page::Place place;
  };

  bool is_duplicate(const NewEvent& event);
  /// Brings the tasks' pages into memory and holds them until the end of the commit.
  void bring_in(const std::vector<TaskId>& tasks);
  std::unordered_map<std::uint64_t, Position> locate(std::vector<std::uint64_t> seqs);
  void touch(Page* page);
  /// The task, if there is one that is not settled. With the board's lock.
  std::optional<Task> find(TaskId id);
  void finish(Task task);
  /// cancel() and reschedule(): ends a task that is not running.
  template <class Then>
  std::size_t end_waiting(const std::vector<TaskId>& tasks, Then then);
  void settle(const Settled& settled);
  void bury(const DeadRow& row);
  void bury(const NewDeadLetter& letter);
  std::optional<Bytes> dead_row(std::uint64_t id) const;
  std::optional<Bytes> dig_up(std::uint64_t id);
  void count(RouteId route, Count which, std::int64_t delta = 1);

  /// The routes of a new member are up to the caller.
  std::uint16_t add_member(PageDraft& draft, Bytes body, std::uint8_t shard);
  PageDraft& draft_for(Time due, std::size_t bytes);
  void add_alone(const Task& task, Time due, int attempt, std::string_view error);
  void close_draft(PageDraft draft);
  static PageDelta delta_of(const Page& page, const std::vector<Change>& changes);
  void write_pages();
  void write_progress();
  void write_housekeeping();

  WriterState& state_;
  const Time now_;
  Batch batch_;
  std::map<Time, PageDraft> open_;  ///< By due time; what is due now has the commit's time.
  std::vector<PageDraft> drafts_;
  std::vector<std::unique_ptr<Page>> pages_;
  std::unordered_map<Page*, std::vector<Change>> touched_;
  std::vector<Page*> progressed_;
  CountDeltas counts_;
  std::unordered_set<std::uint64_t> dug_up_;
  std::map<std::string, RouteId> names_;
};

}  // namespace headrace::rocks
