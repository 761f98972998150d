#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/retry.h"
#include "ledger/ledger.h"
#include "source/source.h"
#include "work/durably.h"
#include "work/route_plan.h"
#include "work/self_writes.h"

namespace headrace {

/// What came in through one source since the start.
struct IntakeCounters {
  std::uint64_t events = 0;
  std::uint64_t tasks = 0;
  std::uint64_t duplicates = 0;  ///< Appends that the ledger knew already.
  std::uint64_t own_writes = 0;
  std::uint64_t unwanted = 0;     ///< No route wanted it.
  std::uint64_t undecodable = 0;  ///< Now dead letters of the source.
};

/// What came of a source's dead letters that it read once more.
struct Reread {
  std::size_t read = 0;        ///< Left: they are events now, or nothing for this source.
  std::size_t unreadable = 0;  ///< Stay.
  std::size_t events = 0;      ///< That became tasks: once for each set of sources, as below.
  std::size_t duplicates = 0;  ///< Known already, by another way.
  std::string last_error;      ///< Of those that stay.
};

/// Takes in one source: event -> routes that want it -> ledger -> acknowledge. A source's receipt
/// is acknowledged only after the ledger's commit returned; a batch that cannot be made durable is
/// tried again for ever, with backoff, and the source waits.
///
/// An object that several sources announce is one event for each set of sources that routes take
/// (Routes::audience): the routes that name the same sources have one task each of it, whichever
/// tells first, and those that name others are not touched by that. So an event that routes with
/// different sources want is appended once for each of these sets, with its body.
///
/// Threads  One executor.
class Intake {
 public:
  /// `own_id` is the route under which the source's undecodable messages are kept. All references
  /// outlive the intake. What stands in `table` may be changed between two turns of the executor.
  Intake(std::string name, Source& source, RouteId own_id, const RouteTable& table, Ledger& ledger,
         LedgerSelfWrites& self_writes, Clock& clock, Random& random, const Log& log);

  /// Ends when the source does; throws kCancelled when cancelled, and what the source threw if it
  /// could not say what is next `tries` times in a row.
  Task<> run(int tries = kForEver);
  /// Takes in one event from elsewhere (`event send`); says how many tasks it made.
  Task<std::size_t> send(Event event);

  /// Has the source read these dead letters of its own once more. What they come to goes the way of
  /// every event, and the letter leaves in the same ledger write; one that still can't be read
  /// stays, with that attempt noted. Throws what reading or the ledger throws; what went before is
  /// done then.
  Task<Reread> reread(std::vector<DeadLetter> letters);

  const std::string& name() const { return name_; }
  const IntakeCounters& counters() const { return counters_; }

 private:
  Task<> take_in(EventBatch batch);
  Task<std::vector<NewEvent>> wanted(std::vector<Event> events);
  Task<Revisit> revisit(DeadLetter letter);
  Task<> settle(std::vector<Revisit> revisits, Reread& sum);
  void add(const Event& event, const std::vector<std::uint32_t>& routes,
           std::vector<NewEvent>& out) const;
  NewEvent make(const Event& event) const;
  NewEvent::Want want(const Event& event, std::uint32_t route) const;

  std::string name_;
  Source& source_;
  RouteId own_id_;
  const RouteTable& table_;
  Ledger& ledger_;
  LedgerSelfWrites& self_writes_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  IntakeCounters counters_;
};

}  // namespace headrace
