#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/parts.h"
#include "core/log.h"
#include "serve/api.h"
#include "work/intake.h"
#include "work/route_worker.h"

namespace headrace {

/// What `run` shows while it runs.
struct EngineProgress {
  std::uint64_t events = 0;
  std::uint64_t pending = 0;
  std::uint64_t done = 0;
  std::uint64_t retried = 0;
  std::uint64_t dead = 0;
  std::uint64_t commits = 0;
  std::size_t running = 0;
};

/// One running stack: its sources are taken in, its routes worked, its control socket served.
///
/// Threads  One event loop owns everything but the pools and the ledger's writer. The engine lives
///          on the loop given in the parts; all members are called there.
class StackEngine {
 public:
  /// `parts` outlives the engine.
  StackEngine(Parts& parts, const Log& log);
  ~StackEngine();

  struct RunOptions {
    bool once = false;           ///< End when all that was there is taken, done and committed.
    bool control_socket = true;  ///< Serve state/control.sock.
    Duration grace = std::chrono::seconds(20);  ///< For running tasks when asked to stop.
  };

  /// Runs until stop() or, with `once`, until nothing is left to do. A task or batch that runs when
  /// asked to stop is finished or given back. Throws what made a source or a route fail for good.
  Task<> run(RunOptions options);
  /// Asks run() to end. Harmless to repeat.
  void stop();

  /// Reads the stack file again. New routes, and other `match`, `after`, `retry` and `dead_letters`
  /// of those there are, are taken in one step between two events, after all of them were compiled
  /// beside the running ones; what has become a task keeps its due time. Throws kInvalid for a file
  /// with errors or with changes that take a restart, which it names; nothing has changed then.
  Task<Reloaded> reload();
  /// The same some time soon; the log says what came of it.
  void reload_soon();

  EngineProgress progress() const;
  const std::vector<std::unique_ptr<Intake>>& intakes() const { return intakes_; }

 private:
  class Background;
  struct NextStack;
  NextStack read_again() const;
  Task<Reloaded> take(NextStack next);
  Task<> reload_when_asked();
  /// One that ended with a failure stops the engine.
  void ended(std::exception_ptr failure);
  ApiHooks hooks();
  Task<> run_once();
  Task<std::optional<Reread>> reread(std::string source, std::vector<DeadLetter> letters);
  Task<> expire_dead_letters();
  void write_status(JsonWriter& json) const;
  void write_waiting(JsonWriter& json) const;

  Parts& parts_;
  const Log& log_;
  Slots batches_{2};  // Batches in memory at a time, over all tables.
  std::vector<std::unique_ptr<Intake>> intakes_;
  std::vector<std::unique_ptr<RouteWorker>> workers_;
  std::unique_ptr<Background> routes_;  // Workers, and what runs beside them.
  Signal stop_asked_;
  bool stopping_ = false;
  std::exception_ptr failure_;
  WrittenStack written_;  // What is in force.
  bool once_ = false;
  bool reloading_ = false;
  bool reload_asked_ = false;
  Signal reload_changed_;
};

}  // namespace headrace
