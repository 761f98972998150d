#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/object.h"
#include "core/random.h"
#include "core/task.h"
#include "event/event.h"
#include "store/store.h"
#include "store/stores.h"

namespace headrace {

/// Announces writes that the engine makes itself, so that their events are dropped without a
/// request. Implemented by work/ on top of the ledger.
class SelfWrites {
 public:
  virtual ~SelfWrites() = default;
  /// Durable before it returns. Gives the id that the write must carry as kWriteId metadata.
  virtual Task<std::string> begin(std::string store, ObjectKey key) = 0;
  /// The write came to `etag`, or did not happen.
  virtual Task<> end(std::string id, std::optional<Etag> etag) = 0;
};

/// What every step may use. All of it outlives the steps.
struct StepServices {
  Executor executor;  ///< The event loop that the steps live on.
  Stores& stores;
  CpuPool& cpu;
  Clock& clock;
  Random& random;
  SelfWrites& self_writes;
};

/// A line that could not be worked on and is to become a dead letter of its own.
struct DeadLine {
  std::uint64_t number = 0;
  std::string reason;
  std::string text;
};

/// One task as its steps see it. Lives as long as the task runs.
struct TaskContext {
  Event event;
  std::string route;
  int attempt = 1;
  /// Where the object is now, and the etag the next step expects there if one is known: at first
  /// the event's, afterwards what the step before left (a `move` changes both).
  ObjectKey object;
  std::optional<Etag> etag;
  std::string store;  ///< Of `object`, once a `move` left the event's store; empty until then.
  std::vector<DeadLine> dead_lines;  ///< Steps add; work/ makes them durable when settling.
};

/// Why a task ended well. kGone: the object vanished; kSuperseded: it changed since, and the change
/// has an event of its own; kSkipped: there was nothing to do. After all but kDone no further step
/// of the task runs.
enum class Outcome : unsigned char { kDone, kSkipped, kGone, kSuperseded };

std::string_view to_string(Outcome outcome);

struct StepResult {
  Outcome outcome = Outcome::kDone;
  std::string why;  ///< For everything but kDone: one phrase for logs and `task show`.
};

/// What a task can do to its object. Execution is at least once, so effects are idempotent: a
/// second run after a crash in mid-step comes to the same end.
///
/// Errors   Error says what to do: kTransient and kConflict are retried with backoff, the other
///          kinds become a dead letter at once.
/// Threads  One instance serves many tasks at once on one executor; CPU work goes to the pool.
class Step {
 public:
  virtual ~Step() = default;
  virtual Task<StepResult> run(TaskContext& context) = 0;
};

/// A route's last step that gathers many tasks into few commits. The work room gathers events by
/// group until `limits` are reached, then prepares, plans in the ledger, commits, settles.
///
/// Prepared::plan holds what it takes to bring the batch to its end wherever it is cut short, and
/// resolve() does. docs/decisions/0005 and 0006 tell why.
class Sink {
 public:
  struct Limits {
    std::uint64_t bytes = 128u << 20;  ///< Sum of the objects' sizes.
    Duration every = std::chrono::seconds(10);
    std::size_t tasks = 100'000;
  };

  /// How one event of the batch came out, in the batch's order.
  struct Item {
    std::optional<Error> failed;  ///< Set: retry or dead-letter this one; none of its rows.
    StepResult result;
    std::vector<DeadLine> dead_lines;
    bool later = false;  ///< The batch was full: bring this one again with the next.
  };

  /// A batch made ready: everything uploaded, nothing visible yet.
  class Prepared {
   public:
    virtual ~Prepared() = default;
    std::vector<Item> items;
    bool empty = false;  ///< Nothing to commit: settle the items and forget it.
    /// For resolve(), kept in the ledger from before commit() until the items are settled. UTF-8.
    Bytes plan;
    std::uint64_t left_out = 0;  ///< Rows that a filter did not want.
  };

  virtual ~Sink() = default;
  virtual Limits limits() const = 0;
  /// Which batch an event belongs to (a table's name). Throws kInvalid if it can't be told.
  virtual std::string group_of(const Event& event) = 0;
  /// Reads the objects and uploads what the commit needs. `app_id` names who commits, in the sink's
  /// own records: no other process uses it for this group at the same time.
  virtual Task<std::unique_ptr<Prepared>> prepare(std::string group, std::string app_id,
                                                  std::vector<Event> events) = 0;
  /// Makes the batch visible. Says what it did, for the log. If it throws, resolve() is to be
  /// asked; it empties the plan if nothing of the batch is visible nor ever will be.
  virtual Task<std::string> commit(Prepared& prepared) = 0;
  /// Resolves a batch whose commit threw, or whose process died after the plan was written;
  /// harmless to repeat. True: all of it is visible now. False: none of it is or ever will be, and
  /// it may be done anew; so for an empty plan, and that of another kind of sink.
  /// Throws as long as it is neither, saying what it waits for; then it is asked again.
  virtual Task<bool> resolve(Bytes plan) = 0;
  /// The plan is no longer in the ledger: what was kept for it on this machine may go.
  virtual void forget(const Bytes&) {}
};

}  // namespace headrace
