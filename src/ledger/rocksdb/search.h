#pragma once

#include <vector>

#include "ledger/ledger.h"
#include "ledger/rocksdb/board.h"
#include "ledger/rocksdb/database.h"

namespace headrace::rocks {

/// Look-ups for people and for idle(): they read the disk, so they run on a thread where that may
/// take a while.

std::vector<PendingTask> find_tasks(const Database& database, Board& board, const Find& find);
std::vector<DeadLetter> find_dead(const Database& database, const Find& find);
std::vector<NoteChange> find_notes(const Database& database, const std::string& prefix);
/// Is any task of `routes` pending in [from, to) of the lane?
bool any_pending(const Database& database, const std::vector<RouteId>& routes, Lane lane,
                 Position from, Position to);

}  // namespace headrace::rocks
