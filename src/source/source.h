#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/task.h"
#include "event/event.h"
#include "source/memory.h"

namespace headrace {

/// Names a batch until it is acknowledged. Only the source that gave it can read it.
using Receipt = std::uint64_t;

/// What is kept of a message that no decoder knew. SQS and most brokers carry no larger ones.
inline constexpr std::size_t kRawBytes = 1u << 20;

/// A message that no decoder knew: it becomes a dead letter of the source.
struct Undecodable {
  std::string reason;
  std::string raw;  ///< At most kRawBytes; the reason says so if there were more.
};

inline constexpr std::size_t kMostEvents = 256;

struct EventBatch {
  std::vector<Event> events;  ///< At most kMostEvents, key_fields filled in.
  std::vector<Undecodable> garbage;
  Receipt receipt = 0;
};

/// Where events come from. A source yields batches, and forgets a batch only when told that it is
/// durable; what was not acknowledged is given again after a restart.
///
/// Threads    One executor calls; next() is awaited by one task at a time, ack() and run() may
///            overlap it.
/// Errors     next() throws Error; kTransient means "call again after a pause".
/// Stopping   Cancelling next() throws kCancelled and loses nothing.
class Source {
 public:
  virtual ~Source() = default;

  /// Waits for the next batch; nullopt when the source has given all it ever will (a listing that
  /// runs once) or, while `drain` is asked for, when everything there was has been given.
  virtual Task<std::optional<EventBatch>> next() = 0;
  /// Called after the ledger's commit returned; durable sources then forget the batch. Called again
  /// for the same batch when it threw kTransient.
  virtual Task<> ack(Receipt receipt) = 0;
  /// From now on give what is already there and then end: `run --once`. Never blocks.
  virtual void drain() = 0;

  /// What a source does beside next(): receiving, renewing leases, deleting what was acknowledged,
  /// serving a door. Runs once, from before the first next() until cancelled or, after drain(),
  /// until nothing is left to do. Throws what makes the source useless until a person acts.
  virtual Task<> run() { co_return; }
  /// Reads a message that was Undecodable once more, as if it came now; what was beside its body is
  /// not kept. Gives events, garbage or neither, without a receipt; nothing is to be acknowledged.
  virtual Task<EventBatch> reread(std::string) {
    throw Error(ErrorKind::kInvalid, "a source of this kind reads no messages");
  }
  /// Adds members to the source's entry in `status`: where it listens, what it did not take.
  virtual void describe(JsonWriter&) const {}
};

}  // namespace headrace
