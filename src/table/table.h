#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/object.h"
#include "core/random.h"
#include "core/task.h"
#include "format/schema.h"
#include "store/store.h"

namespace headrace {

/// Partition column -> its value as Delta spells it; nullopt is null.
using PartitionValues = std::map<std::string, std::optional<std::string>>;

/// One data file that is part of a table.
struct TableFile {
  std::string path;  ///< What Table::key_of() takes: below the location, or absolute.
  PartitionValues partition;
  std::uint64_t size = 0;
  Time modified;
  std::optional<std::uint64_t> rows;  ///< nullopt if its writer did not count them.
  std::string stats;                  ///< Delta's JSON; empty is unknown, which rules out nothing.
};

/// A table at one version: complete, and never changed by later commits.
struct Snapshot {
  std::int64_t version = 0;
  Time at;         ///< When it was committed, as time travel counts.
  std::string id;  ///< A UUID, the same for the table's whole life.
  std::optional<Time> created;
  int min_reader_version = 1;
  int min_writer_version = 2;
  Schema schema;  ///< Partition columns included; they are not in the files.
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> properties;
  std::map<std::string, std::int64_t>
      transactions;              ///< Application id -> its last sequence number.
  std::vector<TableFile> files;  ///< In the order of their paths.
};

/// A data file that was uploaded and waits to become part of the table.
struct NewFile {
  std::string path;  ///< From Table::new_data_path().
  PartitionValues partition;
  std::uint64_t size = 0;
  std::uint64_t rows = 0;
  std::string stats;  ///< Delta's JSON; empty leaves only the count of rows.
};

/// Files that become visible together, once.
struct Append {
  std::string app_id;     ///< Who writes: the stack's name, route and shard.
  std::uint64_t seq = 0;  ///< From 1, rising by the same writer. Whatever is not above is done.
  Schema schema;          ///< Columns of the files and the partition columns.
  std::vector<NewFile> files;
};

struct AppendResult {
  std::int64_t version = 0;
  bool already_done = false;  ///< (app_id, seq) or a later seq was there; nothing was changed.
};

/// One commit, for people.
struct HistoryEntry {
  std::int64_t version = 0;
  Time at;
  std::string operation;  ///< "WRITE", "OPTIMIZE", ...; empty if the writer did not say.
  std::string engine;
  std::uint64_t files_added = 0;
  std::uint64_t files_removed = 0;
  std::uint64_t rows_added = 0;  ///< Of the files that count their rows.
};

struct TableOptions {
  /// Columns of a table that the first append makes. For a table that is there already: empty, or
  /// the same columns, else appends are kInvalid.
  std::vector<std::string> partition_by;
  std::string engine = "Headrace";  ///< Signs the commits.
  CpuPool* cpu = nullptr;           ///< Where long logs are parsed; else where the call is awaited.
  const Log* log = &silent_log();
  // What one table may cost in memory. Beyond, kInvalid names the limit.
  std::size_t files = 2'000'000;  ///< Live files and tombstones together.
  std::uint64_t commit_bytes = 256u << 20;
  std::uint64_t checkpoint_bytes = 2ull << 30;  ///< Of one checkpoint file.
};

/// One table: which files of a location are its rows, at each of its versions. Many processes may
/// write it at once; a version is won with put_if_absent.
///
/// Promises   An append is visible as a whole or not at all, and exactly once per (app_id, seq),
///            whatever answers were lost. A data file is never deleted here.
/// Memory     The newest version is kept (about 1 KiB and its statistics per file) and moved on by
///            reading only newer commits; an older one is built anew for each call. Snapshots are
///            the caller's.
/// Errors     kInvalid  the location holds something else; the table needs a feature, named, that
///                      is not supported here; the append does not fit its columns; there is no
///                      such version; a limit of TableOptions was passed.
///            kCorrupt  the log cannot be read: a version is missing, or a file is broken.
///            kConflict other writers were faster too many times.
///            kTransient as the store says. The outcome of an append is then unknown: append again
///                      under the same (app_id, seq), and keep the files until it is known.
/// Threads    One executor; any number of calls at a time, which take turns.
class Table {
 public:
  virtual ~Table() = default;

  /// The newest version; nullopt if there is no table yet.
  virtual Task<std::optional<Snapshot>> snapshot() = 0;
  /// An older version. Throws kInvalid, naming those there are, if it is not there (any more).
  virtual Task<std::optional<Snapshot>> snapshot_at_version(std::int64_t version) = 0;
  /// The version that was the newest at that time. Throws kInvalid for a time before the oldest.
  virtual Task<std::optional<Snapshot>> snapshot_at_time(Time at) = 0;

  /// Adds the files. The first append makes the table; later ones may bring new columns, which
  /// old rows hold as null, and wider integers (byte, short, integer).
  virtual Task<AppendResult> append(Append append) = 0;
  /// The last seq of app_id that is visible; 0 if none.
  virtual Task<std::uint64_t> last_txn(std::string app_id) = 0;

  /// The newest commits, newest first, as far back as the log reaches.
  virtual Task<std::vector<HistoryEntry>> history(std::size_t limit) = 0;
  /// Writes a checkpoint of the newest version, which appends do by themselves every so often.
  /// nullopt if there is no table.
  virtual Task<std::optional<std::int64_t>> checkpoint() = 0;

  /// A path for a new data file with these partition values. Never the same twice.
  virtual std::string new_data_path(const PartitionValues& partition) = 0;
  /// Where a file of the table is in the store. Throws kInvalid for one outside of the location.
  virtual ObjectKey key_of(const std::string& path) const = 0;
};

/// The table at `location`, there already or not; its format is Delta. Asks the store for nothing
/// yet. `store`, `clock`, `random` and what `options` point to outlive the table.
std::unique_ptr<Table> open_table(Store& store, ObjectKey location, Clock& clock, Random& random,
                                  TableOptions options = {});

}  // namespace headrace
