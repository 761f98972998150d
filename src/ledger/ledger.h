#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/task.h"

namespace headrace {

/// A route's number in the ledger: given on first use of its name, never reused.
enum class RouteId : std::uint32_t {};

/// What is kept of an error's message.
inline constexpr std::size_t kErrorBytes = 4096;

/// Names one task: the page (`seq`), the event in it (`member`), and the route. Stable across
/// restarts; a retry moves the task to a new page and so gives it a new id.
struct TaskId {
  std::uint64_t seq = 0;
  std::uint16_t member = 0;
  RouteId route{};

  auto operator<=>(const TaskId&) const = default;
  /// "1f-3-2" (hex seq, member, route): for people and the API.
  std::string text() const;
  static std::optional<TaskId> parse(std::string_view text);
};

/// An event on its way in, with the routes that want it and when each wants it.
struct NewEvent {
  struct Want {
    RouteId route{};
    Time due;  ///< Not before this; the past means at once.
  };
  Bytes body;  ///< Opaque; above LedgerLimits::body_bytes is kInvalid.
  /// Of the change it tells of; without one it is appended in any case. If this or one of `same_as`
  /// was seen within the dedupe window, it is not appended; else this and `also` are seen from now
  /// on. Events of one append() see each other.
  std::optional<std::uint64_t> identity;
  std::vector<std::uint64_t> same_as;
  std::vector<std::uint64_t> also;
  std::uint8_t shard = 0;   ///< Virtual shard, a hash of bucket and key. Data only.
  std::vector<Want> wants;  ///< Each route at most once.
};

enum class Appended : unsigned char { kStored, kDuplicate };

/// A task handed to a worker. Its lease is this process's memory: a crash gives it back.
struct TakenTask {
  TaskId id;
  Time due;
  int attempt = 1;                    ///< 1 on the first try.
  bool failed_before = false;         ///< Is it back from a retry, also one that cost no attempt?
  std::shared_ptr<const Bytes> page;  ///< Keeps `body` alive.
  BytesView body;
};

/// How a task ended, or when it comes back.
struct Settled {
  enum class How : unsigned char { kDone, kRetry, kDead };
  TaskId id;
  How how = How::kDone;
  Time due;                   ///< kRetry: not before this.
  ErrorKind kind{};           ///< kRetry and kDead: of the last failure.
  std::string error;          ///< kRetry and kDead: its message, cut at kErrorBytes.
  bool costs_attempt = true;  ///< kRetry: the next try has a higher number.
};

/// A dead letter that is no task's end: one bad line of an object, a message no decoder knew.
struct NewDeadLetter {
  RouteId route{};
  Bytes body;
  ErrorKind kind = ErrorKind::kCorrupt;
  std::string error;
  int attempts = 1;  ///< Tries of the task that found it, this one included.
};

/// A small named record that belongs to who wrote it: plans of sinks, intents, cursors of sources.
struct NoteChange {
  std::string key;
  std::optional<Bytes> value;  ///< nullopt removes it.
};

/// All of it becomes durable together or not at all.
struct LedgerWrite {
  std::vector<Settled> settle;
  std::vector<NewDeadLetter> dead;
  std::vector<NoteChange> notes;
  std::vector<std::uint64_t> seen;  ///< Identities that must be duplicates from now on.
};

/// A task that waits, as `task ls` shows it.
struct PendingTask {
  TaskId id;
  Time due;
  int attempt = 1;
  bool running = false;    ///< Taken and not settled.
  std::string last_error;  ///< Empty on a first try.
  Bytes body;
};

/// What was found out about a dead letter that was looked into again. It leaves, and what came of
/// it comes in its place; or it stays, with one more attempt and another error.
struct Revisit {
  std::uint64_t id = 0;
  std::vector<NewEvent> events;
  std::vector<NewDeadLetter> dead;
  std::optional<std::string> stays;  ///< The error; events and dead are empty then.
};

struct Revisited {
  std::size_t left = 0;
  std::size_t stayed = 0;
  std::vector<Appended> events;  ///< One answer per event of those that left, in order.
  std::size_t tasks = 0;         ///< That these events made.
};

/// How many tasks an append made, by its answers.
inline std::size_t tasks_made(const std::vector<NewEvent>& events,
                              const std::vector<Appended>& answers) {
  std::size_t tasks = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] == Appended::kStored) tasks += events[i].wants.size();
  }
  return tasks;
}

struct DeadLetter {
  std::uint64_t id = 0;
  RouteId route{};
  Time at;
  int attempts = 0;
  ErrorKind kind{};
  std::string error;
  Bytes body;
};

/// Which dead letters or tasks. Absent fields do not restrict.
struct Find {
  std::optional<RouteId> route;
  std::optional<ErrorKind> kind;
  std::optional<Time> since;
  std::optional<Time> until;
  std::uint64_t after = 0;           ///< Paging, dead letters: ids greater than this.
  std::optional<TaskId> after_task;  ///< Paging, tasks.
  std::size_t limit = 100;
  /// Dead letters: a page ends with the one whose body reaches this many bytes together with those
  /// before it, so a page that is not empty says nothing of whether there are more.
  std::size_t bytes = std::numeric_limits<std::size_t>::max();
};

/// Per route. Exact after a clean stop and after a crash: kept as deltas in the same commits.
struct RouteCounters {
  std::uint64_t appended = 0;  ///< Tasks ever made.
  std::uint64_t done = 0;
  std::uint64_t retried = 0;
  std::uint64_t died = 0;  ///< Tasks that ever became dead letters.
  std::uint64_t cancelled = 0;
  std::uint64_t dead = 0;  ///< Dead letters now.
  std::uint64_t pending() const { return appended - done - died - cancelled; }
};

struct LedgerLimits {
  std::size_t body_bytes = 256 * 1024;
  std::size_t page_members = 256;        ///< Events of one page; at most 65,535.
  std::size_t ready_per_route = 10'000;  ///< Due tasks of one route in memory; the rest on disk.
  std::size_t ready_bytes = 256u << 20;  ///< Due pages in memory; beyond, a page at a time.
  std::size_t delayed = 20'000;          ///< Pages in memory ahead of their due time.
  std::size_t group_bytes = 8u << 20;    ///< One commit; what comes beyond waits for the next.
  std::size_t filter_bytes = 64u << 20;  ///< Of identities in memory; beyond, the disk is asked.
  Duration dedupe_window = std::chrono::hours(24);  ///< Or up to an eighth longer.
};

/// What must be done, and what was done, durably. The layout and why: docs/formats/ledger.md.
///
/// Promises   When append(), write() or cancel() returned, it is on disk (fsync returned). A task
///            appended is taken until settled as done, dead or cancelled, whatever crashes; within
///            one process it is never in two hands. Never taken before its due time; ready work of
///            one route in due order, as far as spilling allows.
/// Group      Whatever waits is committed together by one writer thread; there is no linger.
/// Bounds     LedgerLimits. A call beyond what one commit holds waits for the next.
/// Errors     kTransient when the disk is full or fails: nothing of that call became durable, and
///            the ledger goes on when there is room.
/// Threads    Any executor may call; tasks resume on the caller's executor.
/// Stopping   Cancelling take() or append() throws kCancelled; a cut append may have happened.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// The number of a route's name, made durable on first use.
  virtual Task<RouteId> route_id(std::string name) = 0;
  virtual std::map<RouteId, std::string> route_names() const = 0;

  /// One answer per event, in order. All of a call is in one commit.
  virtual Task<std::vector<Appended>> append(std::vector<NewEvent> events) = 0;

  /// Up to `limit` due tasks of a route; waits until there is at least one.
  virtual Task<std::vector<TakenTask>> take(RouteId route, std::size_t limit) = 0;
  /// Gives taken tasks back untouched, to be taken again at once. For a graceful stop.
  virtual void give_back(std::vector<TaskId> tasks) = 0;
  /// Settling a task that is settled already does nothing; one that is not taken may be settled
  /// too (a plan resolved after a crash).
  virtual Task<> write(LedgerWrite write) = 0;

  /// When nothing of any of `routes` is pending now: due, waiting, delayed or running. With
  /// `due_before`, tasks that are delayed beyond it do not count; what is due or running always
  /// does. `run --once` waits on this with a poll.
  virtual Task<bool> idle(std::vector<RouteId> routes, std::optional<Time> due_before) = 0;

  virtual Task<std::optional<Bytes>> note(std::string key) = 0;
  virtual Task<std::vector<NoteChange>> notes(std::string prefix) = 0;

  /// In an order of the ledger's own; Find::after_task goes on where a page ended. `since` and
  /// `until` compare due times.
  virtual Task<std::vector<PendingTask>> tasks(Find find) = 0;
  /// Ends tasks that are not running; returns how many.
  virtual Task<std::size_t> cancel(std::vector<TaskId> tasks) = 0;
  /// Moves tasks that are not running to another due time (run-now: the past); returns how many.
  /// They get new ids.
  virtual Task<std::size_t> reschedule(std::vector<TaskId> tasks, Time due) = 0;

  /// In the order of their ids, which is the order they died in.
  virtual Task<std::vector<DeadLetter>> dead_letters(Find find) = 0;
  /// Turns dead letters into tasks again, the first due at `first`, the rest `spacing` apart.
  virtual Task<std::size_t> redrive(std::vector<std::uint64_t> ids, Time first,
                                    Duration spacing) = 0;
  /// All of a call is in one commit. A letter that is not there any more is passed over, and what
  /// came of it too.
  virtual Task<Revisited> revisit(std::vector<Revisit> letters) = 0;
  virtual Task<std::size_t> drop_dead(std::vector<std::uint64_t> ids) = 0;
  /// Forgets dead letters of `route` older than `before`; returns how many.
  virtual Task<std::size_t> expire_dead(RouteId route, Time before) = 0;

  virtual std::map<RouteId, RouteCounters> counters() const = 0;

  /// Finishes what was accepted and closes; whoever still waits in take() gets kCancelled, on its
  /// executor, which must still exist. No call may follow; destruction does the same.
  virtual void close() = 0;
};

}  // namespace headrace
