#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"
#include "table/delta/log_listing.h"
#include "table/delta/table_state.h"
#include "table/table.h"

namespace headrace::delta {

/// The `_delta_log` of one table in a store: reads what others committed, writes what we do.
/// Decides nothing about contents. Errors as Table says.
class DeltaLog {
 public:
  static constexpr std::int64_t kNewest = std::numeric_limits<std::int64_t>::max();

  /// `prefix` has no slash at its end. What is referred to outlives the log.
  DeltaLog(Store& store, std::string bucket, std::string prefix, const TableOptions& options);

  const std::string& where() const { return where_; }
  /// The store's key of a path below the table's location.
  ObjectKey key_of(const std::string& path) const;

  /// The table at the newest version that is not above `most`; nullopt if there is no log at all.
  /// The state's version is below `most` if there is none so new.
  Task<std::optional<TableState>> load(std::int64_t most = kNewest);
  /// Moves the newest state on by the commits that came since. False if it cannot be moved on,
  /// because older commits were cleaned up meanwhile: then load anew. If this throws, the state is
  /// of no use any more.
  Task<bool> advance(TableState& state);

  /// Every commit and checkpoint that the log still has.
  Task<LogListing> list_all();
  /// One commit; nullopt if there is no such file.
  Task<std::optional<Commit>> read_commit(std::int64_t version);
  /// Writes a commit unless its version is taken; false if it is.
  Task<bool> write_commit(std::int64_t version, Bytes lines);

  /// Writes a checkpoint of the state and, unless it tells of a newer one, the hint.
  Task<> write_checkpoint(const TableState& state);
  /// Takes away commits and checkpoints that no version after `cutoff` needs: all before the newest
  /// checkpoint that is not newer than the newest commit of then; with a checkpoint, the sidecars
  /// that no other one names, once they are a day older than `cutoff`. Returns how many.
  Task<std::size_t> clean_up(Time cutoff);
  /// When the store says that the checkpoint was written; nullopt if it is not there.
  Task<std::optional<Time>> checkpoint_time(std::int64_t version);
  /// The version that the hint names, if there is one and it can be read.
  Task<std::optional<std::int64_t>> last_checkpoint();

 private:
  ObjectKey log_key(std::string_view name) const;
  Task<LogListing> list(std::string start_after);
  Task<LogListing> list_from(std::int64_t version);
  Task<std::optional<TableState>> load_listed(const LogListing& listing, std::int64_t most,
                                              std::int64_t newest_checkpoint);
  Task<> restore(TableState& state, const CheckpointFiles& checkpoint);
  Task<std::vector<Sidecar>> restore_file(TableState& state, std::string name);
  Task<std::vector<Sidecar>> read_actions(std::string name, std::function<void(Commit)> take);
  Task<std::size_t> clean_up_sidecars(Time cutoff, std::vector<std::string> checkpoints);
  Task<> replay(TableState& state, const std::vector<CommitFile>& commits, std::int64_t most);
  Task<> find_commit_timestamp(TableState& state);

  Store& store_;
  std::string bucket_;
  std::string prefix_;
  std::string where_;
  const TableOptions& options_;
};

}  // namespace headrace::delta
