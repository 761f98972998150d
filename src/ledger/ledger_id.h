#pragma once

#include <filesystem>
#include <string>

#include "core/random.h"
#include "core/task.h"
#include "ledger/ledger.h"

namespace headrace {

/// A random name that no other ledger has: made when it is first asked for, and kept in the note
/// "ledger". `place` tells where the ledger lies; elsewhere it is a copy, which gets a name of its
/// own, since the first may still be at work. Throws what the ledger does, and kCorrupt.
Task<std::string> ledger_id(Ledger& ledger, Random& random, std::string place);

/// Tells a folder from its copies, and stays as it is when the folder is renamed within its disk: a
/// number of the file system and when the folder was made, if the file system knows. Not told apart
/// are clones of a whole disk. Throws kTransient if there is no such folder.
std::string place_of(const std::filesystem::path& folder);

}  // namespace headrace
