#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "ledger/ledger.h"

namespace headrace {

/// What a sink is about to commit, as the ledger keeps it between plan and settle: enough to settle
/// the batch after a crash without doing it again. docs/formats/notes.md has the JSON.
struct SinkPlan {
  std::string group;
  std::vector<TaskId> tasks;        ///< Those whose rows are in the commit, or need none.
  std::vector<NewDeadLetter> dead;  ///< Lines that are to become dead letters with it.
  Bytes sink;                       ///< Sink::Prepared::plan; UTF-8.
};

Bytes encode_plan(const SinkPlan& plan);
/// Throws kCorrupt.
SinkPlan decode_plan(BytesView bytes);

}  // namespace headrace
