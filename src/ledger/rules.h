#pragma once

#include "ledger/ledger.h"

namespace headrace {

/// What all backends decide alike.

/// Throws kInvalid for a body beyond the limit.
void check_body(BytesView body, const LedgerLimits& limits);

bool letter_matches(const Find& find, const DeadLetter& letter);

}  // namespace headrace
