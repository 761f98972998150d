#pragma once

#include <filesystem>
#include <memory>

#include "core/clock.h"
#include "core/log.h"
#include "ledger/ledger.h"

namespace rocksdb {
class Env;
}

namespace headrace {

/// The embedded ledger: a RocksDB in `folder`, which is made if need be. `clock` and `log` outlive
/// it. What is on disk, and what a crash leaves: docs/formats/ledger.md.
///
/// Throws kConflict if another process has the folder, kInvalid if its format is unknown.
std::unique_ptr<Ledger> open_rocks_ledger(std::filesystem::path folder, LedgerLimits limits,
                                          Clock& clock, const Log& log);

/// The same with RocksDB's view of the machine replaced, for tests of failing disks.
std::unique_ptr<Ledger> open_rocks_ledger(std::filesystem::path folder, LedgerLimits limits,
                                          Clock& clock, const Log& log, rocksdb::Env* env);

/// Bytes a ledger of this kind has written to its log since it was opened: for benchmarks.
std::uint64_t ledger_log_bytes(const Ledger& rocks_ledger);

}  // namespace headrace
