#pragma once

#include <cstdint>
#include <functional>
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

/// Which rows of a data file are gone, as the log says it. table/delta/deletion_vector.h tells
/// where the list of them is and reads it.
struct DeletionVector {
  std::string storage_type;       ///< "u" and "p": in a file; "i": inline.
  std::string path_or_inline_dv;  ///< As the log spells it.
  std::optional<std::int32_t> offset;
  std::int32_t size_in_bytes = 0;
  std::int64_t cardinality = 0;  ///< How many rows are gone.
  std::optional<std::int64_t> max_row_index;

  /// What tells it from others of the same file.
  std::string unique_id() const;
};

/// One data file that is part of a table.
struct TableFile {
  std::string path;           ///< What Table::key_of() takes: below the location, or absolute.
  PartitionValues partition;  ///< By the columns' names in the schema.
  std::uint64_t size = 0;
  Time modified;
  /// Rows that the file holds, deleted ones included; nullopt if its writer did not count them.
  std::optional<std::uint64_t> rows;
  /// Delta's JSON, by physical names; empty is unknown, which rules out nothing. Bounds hold for
  /// deleted rows too.
  std::string stats;
  std::optional<DeletionVector> deletion_vector;  ///< Rows to leave out when reading.

  /// Rows that are part of the table.
  std::optional<std::uint64_t> live_rows() const;
};

/// How the columns of data files are found. With kName and kId a field's metadata tells its
/// physical name (physical_name()), and its field_id is set.
enum class ColumnMapping : unsigned char {
  kNone,  ///< By their name in the schema.
  kName,  ///< By their physical name.
  kId,    ///< By their Parquet field id.
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
  ColumnMapping column_mapping = ColumnMapping::kNone;
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

/// The name of a field (of any depth) in data files and statistics: its physical name where the
/// table maps columns, else its name.
std::string physical_name(const Field& field, ColumnMapping mapping);

/// What is wrong with properties that a table is to have: names one that is not known here, or has
/// no such value; empty if nothing. Names outside of `delta.` are anybody's.
std::string wrong_properties(const std::map<std::string, std::string>& properties);

/// How large the table wants its files, by delta.targetFileSize, but at least 1 MiB; nullopt if it
/// does not say.
std::optional<std::uint64_t> target_file_size(const Snapshot& snapshot);

/// Files that become visible together, once.
struct Append {
  std::string app_id;     ///< Who writes: ledger id/stack/route/table.
  std::uint64_t seq = 0;  ///< From 1, rising by the same writer. Whatever is not above is done.
  Schema schema;          ///< Columns of the files and the partition columns.
  std::vector<NewFile> files;
};

struct AppendResult {
  std::int64_t version = 0;
  bool already_done = false;  ///< (app_id, seq) or a later seq was there; nothing was changed.
};

/// What a change was decided on, besides the files it removes.
struct ReadScope {
  enum class Kind : unsigned char {
    kNothing,
    kPartitions,  ///< Rows of `partitions`.
    kTable,       ///< Any row.
  };
  Kind kind = Kind::kNothing;
  /// Values of some or all partition columns each: {day: 2024-01-31} is all hours of that day.
  std::vector<PartitionValues> partitions;
};

/// What a change takes away in whole, found by itself.
struct Overwrite {
  enum class Kind : unsigned char {
    kNothing,
    kTable,
    kPartitions,       ///< `partitions`, as in ReadScope; added files must lie in one of them.
    kAddedPartitions,  ///< Those that the added files lie in (dynamic overwrite).
  };
  Kind kind = Kind::kNothing;
  std::vector<PartitionValues> partitions;
};

/// One commit: files come and files go, as a whole and at once.
///
///   append            add
///   delete, update    remove the files that hold such rows, add what is left of them; read what
///                     was searched, read_version
///   optimize          remove small files, add large ones; data_change false, read_version
///   overwrite         overwrite, add; read_version only if the new rows come from the old
///   set properties    properties, and nothing else
struct Change {
  /// Who writes, and the number of this write, as in Append; seq 0: not remembered. Then an unknown
  /// outcome stays unknown, and asking again may do it twice.
  std::string app_id;
  std::uint64_t seq = 0;

  std::string operation = "WRITE";                ///< As history tells it: Spark's words.
  std::map<std::string, std::string> parameters;  ///< The same.
  Schema schema;  ///< Columns of the added files and the partition columns; empty without `add`.
  std::vector<NewFile> add;
  std::vector<std::string> remove;  ///< TableFile::path; each in the table at `read_version`.
  Overwrite overwrite;
  ReadScope read;
  /// The version that `read` and `remove` speak of, needed with either. For an overwrite: what
  /// other writers did since then to its partitions is a conflict, and blind appends since then
  /// stay; without it, whatever is there when the commit lands is taken away.
  std::optional<std::int64_t> read_version;
  /// False if the rows stay the same, and only lie in other files.
  bool data_change = true;
  /// Properties of the table to set; nullopt takes one away. Those not named stay, whatever other
  /// writers make of them meanwhile. Alone in their commit.
  std::map<std::string, std::optional<std::string>> properties;
};

struct ChangeResult {
  std::int64_t version = 0;
  /// (app_id, seq) or a later seq was there, or the properties are so; nothing was changed.
  bool already_done = false;
  std::uint64_t removed = 0;  ///< Files.
};

/// A table that is made without rows.
struct NewTable {
  Schema schema;
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> properties;
  std::string description;
};

/// A file that a clean-up takes away, or would.
struct OldFile {
  std::string path;
  std::uint64_t size = 0;
  Time modified;
};

struct VacuumOptions {
  /// How long files stay that are no part of the table (any more). Default: the table's
  /// delta.deletedFileRetentionDuration, else a week.
  std::optional<Duration> retention;
  bool force = false;   ///< Allow a retention below the default.
  bool dry_run = true;  ///< Only tell.
  /// Told of each file, in the order of their paths.
  std::function<void(const OldFile&)> each;
};

struct VacuumResult {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct DropResult {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t left = 0;  ///< Objects in the location that the table does not know.
  std::string first_left;  ///< One of them.
};

/// One commit, for people.
struct HistoryEntry {
  std::int64_t version = 0;
  Time at;
  std::string operation;   ///< "WRITE", "OPTIMIZE", ...; empty if the writer did not say.
  std::string parameters;  ///< A JSON object; empty if the writer did not say.
  std::string engine;
  std::uint64_t files_added = 0;
  std::uint64_t files_removed = 0;
  std::uint64_t rows_added = 0;  ///< Of the files that count their rows.
};

struct TableOptions {
  /// Columns of a table that the first append makes. For a table that is there already: empty, or
  /// the same columns, else appends are kInvalid.
  std::vector<std::string> partition_by;
  /// Properties of a table that the first append makes; kInvalid names one that is not known here.
  std::map<std::string, std::string> properties;
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
///            whatever answers were lost. Only vacuum() and drop() ever delete a data file.
/// Memory     The newest version is kept (about 1 KiB and its statistics per file) and moved on by
///            reading only newer commits; an older one is built anew for each call. Snapshots are
///            the caller's.
/// Errors     kInvalid  the location holds something else; the table needs a feature, named, that
///                      is not supported here; the append does not fit its columns; there is no
///                      such version; a limit of TableOptions was passed.
///            kCorrupt  the log cannot be read: a version is missing, or a file is broken.
///            kConflict other writers were faster too many times, or did what stands in the way
///                      of a change.
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
  /// old rows hold as null, and wider integers (byte, short, integer). Never in conflict.
  virtual Task<AppendResult> append(Append append) = 0;
  /// Adds and removes files in one commit. Other writers' commits since `read_version` are looked
  /// at; kConflict names the one that stands in the way, and why. Then read anew, and decide anew.
  ///
  /// In conflict are: a removed file that another writer removed; rows added to, or removed from,
  /// what was read or is overwritten, unless by a blind append (with delta.isolationLevel
  /// Serializable: by that too); new columns or properties; a commit under the same app_id. A
  /// rewrite of the same rows is in conflict only over the files it removes.
  virtual Task<ChangeResult> change(Change change) = 0;
  /// Makes the table without rows. kInvalid if there is one, or a property is not known here.
  virtual Task<> create(NewTable table) = 0;
  /// The last seq of app_id that is visible; 0 if none.
  virtual Task<std::uint64_t> last_txn(std::string app_id) = 0;

  /// The newest commits, newest first, as far back as the log reaches.
  virtual Task<std::vector<HistoryEntry>> history(std::size_t limit) = 0;
  /// Writes a checkpoint of the newest version, which commits do by themselves every so often, and
  /// takes away what of the log is past delta.logRetentionDuration. nullopt if there is no table.
  virtual Task<std::optional<std::int64_t>> checkpoint() = 0;

  /// Row numbers of a data file, from 0 and rising, that are gone. kCorrupt names a vector that
  /// cannot be read.
  virtual Task<std::vector<std::uint64_t>> deleted_rows(DeletionVector vector) = 0;

  /// Takes away data files that no version needs which is younger than the retention, and which are
  /// old enough themselves: a file that waits for its commit is young. Age is the store's word.
  /// kInvalid if there is no table, it may not be written here, the retention is too short, or
  /// another table lies within this one.
  virtual Task<VacuumResult> vacuum(VacuumOptions options) = 0;
  /// Takes away the table: first its log, so that nobody reads half of it, then its files. Other
  /// objects in the location stay, and are counted. One that was cut short can be repeated, also
  /// where the log is broken.
  virtual Task<DropResult> drop(bool dry_run) = 0;

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
