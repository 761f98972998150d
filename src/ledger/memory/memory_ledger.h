#pragma once

#include <memory>

#include "core/clock.h"
#include "ledger/ledger.h"

namespace headrace {

/// A Ledger that forgets everything when it is closed: for tests and `headrace test`. It keeps all
/// promises but durability, and holds all its tasks in memory.
std::unique_ptr<Ledger> make_memory_ledger(LedgerLimits limits, Clock& clock);

}  // namespace headrace
