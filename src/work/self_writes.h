#pragma once

#include <map>
#include <set>
#include <string>

#include "core/log.h"
#include "ledger/ledger.h"
#include "step/step.h"

namespace headrace {

/// SelfWrites on ledger notes. An intent is durable before the write it announces; when the write's
/// etag is known, the intent turns into a seen identity, so that the ledger drops the event by
/// itself. While an intent is open (the write is under way, or the process died in it), is_own()
/// asks the object itself by its kWriteId metadata. Etag and time are what the event will tell, as
/// event/identity.h explains. A ledger that can't write (full disk) holds both up until it can; if
/// it refuses for good, what was not begun leaves nothing behind and what was not ended stays open.
///
/// Threads  One executor.
class LedgerSelfWrites final : public SelfWrites {
 public:
  LedgerSelfWrites(Ledger& ledger, Stores& stores, Clock& clock, Random& random, const Log& log);

  Task<std::string> begin(std::string store, ObjectKey key) override;
  Task<> end(std::string id, std::optional<Etag> etag) override;

  /// Is this the event of a write of ours that the ledger does not know yet?
  Task<bool> is_own(const Event& event);
  /// Closes the intents that an earlier process left open: asks each object whether the write
  /// happened. Call once, before the first event is taken in.
  Task<> recover();

 private:
  struct Intent {
    std::string store;
    ObjectKey key;
  };
  Task<> close(std::string id, Intent intent, std::optional<Etag> etag, Time written);
  Task<> write(LedgerWrite write);

  Ledger& ledger_;
  Stores& stores_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  std::map<std::string, Intent> open_;  // By id.
  std::map<std::pair<std::string, ObjectKey>, std::set<std::string>> by_object_;
};

}  // namespace headrace
