#include "table/delta/delta_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/signal.h"
#include "table/delta/action_json.h"
#include "table/delta/change_plan.h"
#include "table/delta/deletion_vector.h"
#include "table/delta/delta_log.h"
#include "table/delta/features.h"
#include "table/delta/partition.h"
#include "table/delta/vacuum.h"

namespace headrace {
namespace {

using namespace delta;

constexpr int kAttempts = 1'000;  // Somebody wins each round, so a loser is not stuck for long.
constexpr std::int64_t kCheckpointInterval = 10;
constexpr std::int64_t kLogRetentionMs = 30LL * 24 * 3'600 * 1'000;
constexpr std::int64_t kDataRetentionMs = 7LL * 24 * 3'600 * 1'000;
constexpr std::string_view kDataSuffix = ".headrace.parquet";
// A folder's name and a key as long as every store can hold them.
constexpr std::size_t kFolderBytes = 240;
constexpr std::size_t kFoldersBytes = 600;
constexpr std::size_t kManyFiles = 1'000;

[[noreturn]] void refuse(std::string_view where, std::string_view what) {
  throw Error(ErrorKind::kInvalid, fmt::format("{}: {}", where, what));
}

Time time_of_ms(std::int64_t ms) { return Time(std::chrono::milliseconds(ms)); }

/// A turn at a table, given back when it goes.
class Turn {
 public:
  explicit Turn(Slots& turns) : turns_(&turns) {}
  Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (turns_ != nullptr) turns_->release(1);
  }

 private:
  Slots* turns_;
};

Task<Turn> take_turn(Slots& turns) {
  co_await turns.acquire(1);
  co_return Turn(turns);
}

std::string trimmed(std::string prefix) {
  while (prefix.ends_with('/')) prefix.pop_back();
  return prefix;
}

/// The partition values of a file by the columns' names; a log that maps columns has physical ones.
PartitionValues by_name(const PartitionValues& values, const std::vector<const Field*>& columns,
                        ColumnMapping mapping) {
  if (mapping == ColumnMapping::kNone) return values;
  PartitionValues out;
  for (const Field* column : columns) {
    const auto value = values.find(physical_name(*column, mapping));
    if (value != values.end()) out.emplace(column->name, value->second);
  }
  return out;
}

TableFile table_file(const AddFile& add, PartitionValues partition) {
  return {.path = decode_path(add.path),
          .partition = std::move(partition),
          .size = add.size,
          .modified = time_of_ms(add.modification_time),
          .rows = rows_of(add),
          .stats = add.stats,
          .deletion_vector = add.deletion_vector};
}

Snapshot snapshot_of(const std::string& where, const TableState& state) {
  check_readable(where, state.protocol(), state.metadata(), state.schema());
  Snapshot out;
  out.version = state.version;
  out.at = state.at;
  out.id = state.metadata().id;
  if (state.metadata().created_time) out.created = time_of_ms(*state.metadata().created_time);
  out.min_reader_version = state.protocol().min_reader_version;
  out.min_writer_version = state.protocol().min_writer_version;
  out.column_mapping = column_mapping_of(state.metadata());
  out.schema =
      out.column_mapping == ColumnMapping::kNone ? state.schema() : with_column_ids(state.schema());
  out.partition_by = state.metadata().partition_columns;
  out.properties = state.metadata().configuration;
  for (const auto& [app_id, transaction] : state.transactions()) {
    out.transactions.emplace(app_id, transaction.version);
  }
  std::vector<const Field*> partition_columns;
  for (const std::string& name : out.partition_by) {
    const Field* field = out.schema.find(name);
    if (field == nullptr) refuse(where, fmt::format("its partition column {} is no column", name));
    partition_columns.push_back(field);
  }
  out.files.reserve(state.files().size());
  for (const auto& [key, add] : state.files()) {
    out.files.push_back(
        table_file(add, by_name(add.partition_values, partition_columns, out.column_mapping)));
  }
  std::ranges::sort(out.files, {}, &TableFile::path);
  return out;
}

class DeltaTable final : public Table {
 public:
  DeltaTable(Store& store, std::string bucket, std::string prefix, TableOptions options,
             Clock& clock, Random& random)
      : store_(store),
        options_(std::move(options)),
        log_(store, std::move(bucket), trimmed(std::move(prefix)), options_),
        clock_(clock),
        random_(random) {}

  Task<std::optional<Snapshot>> snapshot() override {
    const Turn turn = co_await take_turn(turns_);
    co_await refresh();
    if (!state_) co_return std::nullopt;
    co_return co_await told(*state_);
  }

  Task<std::optional<Snapshot>> snapshot_at_version(std::int64_t version) override {
    const LogListing listing = co_await log_.list_all();
    if (listing.empty()) co_return std::nullopt;
    co_return co_await at_version(version, listing);
  }

  Task<std::optional<Snapshot>> snapshot_at_time(Time at) override;
  Task<AppendResult> append(Append append) override;
  Task<ChangeResult> change(Change change) override;

  Task<> create(NewTable table) override;
  Task<std::vector<std::uint64_t>> deleted_rows(DeletionVector vector) override;
  Task<VacuumResult> vacuum(VacuumOptions options) override;
  Task<DropResult> drop(bool dry_run) override;

  Task<std::uint64_t> last_txn(std::string app_id) override {
    const Turn turn = co_await take_turn(turns_);
    co_await refresh();
    co_return state_ ? last_seq(app_id) : 0;
  }

  Task<std::vector<HistoryEntry>> history(std::size_t limit) override;

  Task<std::optional<std::int64_t>> checkpoint() override {
    const Turn turn = co_await take_turn(turns_);
    co_await refresh();
    if (!state_) co_return std::nullopt;
    co_await write_checkpoint();
    co_return state_->version;
  }

  std::string new_data_path(const PartitionValues& partition) override;

  ObjectKey key_of(const std::string& path) const override {
    if (is_absolute_path(path)) {
      refuse(log_.where(), fmt::format("the file {} is outside of the table's location, as in a "
                                       "shallow clone, which is not supported",
                                       path));
    }
    return log_.key_of(path);
  }

 private:
  Task<> refresh();
  Task<Snapshot> told(const TableState& state);
  Task<Snapshot> at_version(std::int64_t version, const LogListing& listing);
  Task<std::int64_t> version_at(Time at, const LogListing& listing);
  Task<Time> commit_time(const CommitFile& file, bool said_by_commits);

  std::uint64_t last_seq(const std::string& app_id) const;
  Task<> check_location_is_free();
  Task<> check_winners(const Change& change, std::int64_t since, std::set<std::string>& spared);
  CommitStamp stamp();
  Task<ChangePlan> planned(const Change& change, const std::set<std::string>& spared,
                           const CommitStamp& stamp);
  Task<bool> commit(const ChangePlan& plan, std::string txn_id);
  Task<> write_checkpoint();
  Task<> clean_up_log();
  Task<Time> vacuum_cutoff(const VacuumOptions& options);
  Task<> checkpoint_if_due(std::int64_t committed);
  std::int64_t checkpoint_interval() const;

  Store& store_;
  const TableOptions options_;
  DeltaLog log_;
  Clock& clock_;
  Random& random_;
  Slots turns_{1};  // Who holds it may touch state_.
  std::optional<TableState> state_;
};

/// Brings state_ to the newest version.
Task<> DeltaTable::refresh() {
  if (state_) {
    bool moved = false;
    try {
      moved = co_await log_.advance(*state_);
    } catch (const Error& error) {
      // The store failed between two commits: all before are applied. Anything else happened
      // within one, and leaves nothing to build on.
      if (error.kind() != ErrorKind::kTransient) state_.reset();
      throw;
    } catch (...) {
      state_.reset();
      throw;
    }
    if (moved) co_return;
  }
  state_.reset();
  state_ = co_await log_.load();
}

Task<Snapshot> DeltaTable::told(const TableState& state) {
  auto work = [this, &state] { return snapshot_of(log_.where(), state); };
  if (options_.cpu != nullptr && state.files().size() > kManyFiles) {
    co_return co_await run_on(*options_.cpu, work);
  }
  co_return work();
}

Task<Snapshot> DeltaTable::at_version(std::int64_t version, const LogListing& listing) {
  if (version < listing.oldest() || version > listing.newest()) {
    refuse(log_.where(), fmt::format("there is no version {}: the log has {} to {}", version,
                                     listing.oldest(), listing.newest()));
  }
  const auto state = co_await log_.load(version);
  if (!state || state->version != version) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{}: version {} cannot be built from the log", log_.where(), version));
  }
  co_return co_await told(*state);
}

Task<std::optional<Snapshot>> DeltaTable::snapshot_at_time(Time at) {
  const LogListing listing = co_await log_.list_all();
  if (listing.empty()) co_return std::nullopt;
  const std::int64_t version = co_await version_at(at, listing);
  co_return co_await at_version(version, listing);
}

Task<Time> DeltaTable::commit_time(const CommitFile& file, bool said_by_commits) {
  if (!said_by_commits) co_return file.at;
  const auto commit = co_await log_.read_commit(file.version);
  const bool says = commit && commit->info && commit->info->in_commit_timestamp;
  co_return says ? time_of_ms(*commit->info->in_commit_timestamp) : file.at;
}

/// The last version committed at or before a time. Times rise with the versions, so half of those
/// left are ruled out by each look: that matters where a look is a request.
Task<std::int64_t> DeltaTable::version_at(Time at, const LogListing& listing) {
  bool said_by_commits = false;
  {
    const Turn turn = co_await take_turn(turns_);
    co_await refresh();
    said_by_commits = state_ && in_commit_timestamps_on(state_->protocol(), state_->metadata());
  }
  std::span<const CommitFile> left = listing.commits();
  while (!left.empty() && left.front().version < listing.oldest()) left = left.subspan(1);
  if (left.empty()) co_return listing.newest();
  const Time earliest = co_await commit_time(left.front(), said_by_commits);
  if (at < earliest) {
    refuse(log_.where(), fmt::format("there is no version of {} or before: the oldest is {} of {}",
                                     format_time(at), left.front().version, format_time(earliest)));
  }
  while (left.size() > 1) {
    const std::size_t half = left.size() / 2;
    const Time time = co_await commit_time(left[half], said_by_commits);
    left = time <= at ? left.subspan(half) : left.first(half);
  }
  co_return left.front().version;
}

std::uint64_t DeltaTable::last_seq(const std::string& app_id) const {
  const auto found = state_->transactions().find(app_id);
  if (found == state_->transactions().end()) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(found->second.version, 0));
}

Task<AppendResult> DeltaTable::append(Append append) {
  if (append.app_id.empty() || append.seq == 0) {
    throw Error(ErrorKind::kBug, "an append needs an application id and a sequence number from 1");
  }
  Change change;
  change.app_id = std::move(append.app_id);
  change.seq = append.seq;
  change.schema = std::move(append.schema);
  change.add = std::move(append.files);
  const ChangeResult result = co_await this->change(std::move(change));
  co_return AppendResult{.version = result.version, .already_done = result.already_done};
}

Task<ChangeResult> DeltaTable::change(Change change) {
  const Turn turn = co_await take_turn(turns_);
  std::optional<std::int64_t> checked = change.read_version;  // Up to there nobody is in the way.
  std::set<std::string> spared;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    co_await refresh();
    if (state_ && change.seq > 0 && last_seq(change.app_id) >= change.seq) {
      co_return ChangeResult{.version = state_->version, .already_done = true};
    }
    if (!state_ && change.properties.empty()) co_await check_location_is_free();
    if (checked && !is_blind_append(change)) {
      co_await check_winners(change, *checked, spared);
      checked = state_->version;
    }
    const CommitStamp stamped = stamp();
    const ChangePlan plan = co_await planned(change, spared, stamped);
    if (plan.nothing) co_return ChangeResult{.version = state_->version, .already_done = true};
    if (plan.lines.size() > options_.commit_bytes) {
      refuse(log_.where(), fmt::format("a commit of {} bytes is more than the {} allowed: append "
                                       "fewer files at once",
                                       plan.lines.size(), options_.commit_bytes));
    }
    if (!co_await commit(plan, stamped.txn_id)) continue;
    co_await checkpoint_if_due(plan.version);
    co_return ChangeResult{.version = plan.version, .removed = plan.removed};
  }
  throw Error(ErrorKind::kConflict,
              fmt::format("{}: other writers were faster {} times", log_.where(), kAttempts));
}

/// Looks at every commit after `since` up to the version we know. What blind appends added in
/// between counts as having come after us, and so is not overwritten.
Task<> DeltaTable::check_winners(const Change& change, std::int64_t since,
                                 std::set<std::string>& spared) {
  if (!state_ || since > state_->version) {
    throw Error(
        ErrorKind::kConflict,
        fmt::format("{}: the table was dropped since version {} was read", log_.where(), since));
  }
  const Footing footing = footing_of(log_.where(), change, *state_);
  for (std::int64_t version = since + 1; version <= state_->version; ++version) {
    const auto winner = co_await log_.read_commit(version);
    const auto why = winner ? conflict_with(*winner, footing, spared)
                            : std::optional<std::string>("its commit is no longer in the log");
    if (why) {
      throw Error(ErrorKind::kConflict,
                  fmt::format("{}: version {} came after version {} was read, and is in the way: "
                              "{}; read the table again",
                              log_.where(), version, since, *why));
    }
    for (const AddFile& file : winner->adds) {
      if (file.data_change) spared.insert(decode_path(file.path));
    }
  }
}

CommitStamp DeltaTable::stamp() {
  return {
      .where = log_.where(),
      .engine = options_.engine,
      .txn_id = random_.uuid(),
      .new_table_id = random_.uuid(),
      .now_ms =
          std::chrono::floor<std::chrono::milliseconds>(clock_.now()).time_since_epoch().count()};
}

/// A new table must not take over a place that holds other files: its readers would not see them,
/// and its cleaning would one day delete them. Our own data files, left by a writer that never
/// came to commit, do no harm.
Task<> DeltaTable::check_location_is_free() {
  const std::string folder = log_.key_of("").path;
  ListOptions options;
  options.prefix = folder;
  const ListPage page = co_await store_.list(log_.key_of("").bucket, options);
  for (const ObjectInfo& object : page.objects) {
    const std::string path = "/" + object.key.path.substr(folder.size());
    const bool hidden = path.contains("/_") || path.contains("/.");
    if (hidden || path.ends_with(kDataSuffix) || path.ends_with('/')) continue;
    refuse(log_.where(), fmt::format("no table can be made here: the location holds other files, "
                                     "such as {}; choose an empty one",
                                     object.key.text()));
  }
}

Task<ChangePlan> DeltaTable::planned(const Change& change, const std::set<std::string>& spared,
                                     const CommitStamp& stamp) {
  auto work = [this, &change, &spared, &stamp] {
    return plan_change(change, state_ ? &*state_ : nullptr,
                       {.partition_by = options_.partition_by, .properties = options_.properties},
                       spared, stamp);
  };
  const bool long_work = change.add.size() + change.remove.size() > kManyFiles ||
                         change.overwrite.kind != Overwrite::Kind::kNothing;
  if (options_.cpu != nullptr && long_work) co_return co_await run_on(*options_.cpu, work);
  co_return work();
}

/// True if the version is ours now, false if it is another's. Throws kTransient if neither is
/// known.
Task<bool> DeltaTable::commit(const ChangePlan& plan, std::string txn_id) {
  std::optional<Error> lost;
  try {
    if (co_await log_.write_commit(plan.version, plan.lines)) co_return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw;
    lost = error;
  }
  // "Taken" may be by ourselves: a store that asks twice meets what its first try wrote.
  std::optional<Commit> there;
  try {
    there = co_await log_.read_commit(plan.version);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    if (error.kind() == ErrorKind::kCorrupt && !lost) throw;
    lost = Error(ErrorKind::kTransient,
                 fmt::format("{}; {}", lost ? lost->what() : "taken", error.what()));
  }
  if (there) co_return there->info && there->info->txn_id == txn_id;
  if (lost) {
    throw lost->during(fmt::format("{}: commit of version {}, which may still come to be",
                                   log_.where(), plan.version));
  }
  co_return false;
}

std::int64_t DeltaTable::checkpoint_interval() const {
  const std::string_view asked = state_->property("delta.checkpointInterval");
  std::int64_t interval = 0;
  const auto parsed = std::from_chars(asked.data(), asked.data() + asked.size(), interval);
  return parsed.ec == std::errc() && interval > 0 ? interval : kCheckpointInterval;
}

/// After a commit of ours, which is done whatever happens here.
Task<> DeltaTable::checkpoint_if_due(std::int64_t committed) {
  if (committed == 0) co_return;
  const std::int64_t interval = checkpoint_interval();
  const auto behind = [&] { return committed - state_->checkpoint >= 2 * interval; };
  const bool ours = committed % interval == 0;
  if (!ours && !behind()) co_return;
  try {
    if (!ours) {
      // It was another writer's turn. If that failed, somebody has to catch up.
      const auto hint = co_await log_.last_checkpoint();
      state_->checkpoint = std::max(state_->checkpoint, hint.value_or(0));
      if (!behind()) co_return;
    }
    co_await refresh();
    co_await write_checkpoint();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    options_.log->warning("no checkpoint of a table; a later commit tries again",
                          {{"table", log_.where()}, {"error", error.what()}});
  }
}

Task<> DeltaTable::write_checkpoint() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
  state_->drop_expired(now.time_since_epoch().count());
  co_await log_.write_checkpoint(*state_);
  state_->checkpoint = state_->version;
  co_await clean_up_log();
}

/// By the store's clock: if ours were ahead, it would take away what is still wanted.
Task<> DeltaTable::clean_up_log() {
  if (state_->property("delta.enableExpiredLogCleanup") == "false") co_return;
  const std::string_view asked = state_->property("delta.logRetentionDuration");
  const auto retention = asked.empty() ? std::optional(kLogRetentionMs) : parse_interval_ms(asked);
  const auto now = co_await log_.checkpoint_time(state_->version);
  if (!retention || !now) co_return;
  // Whole days, as others count: so not every checkpoint takes a few files away.
  const auto day =
      std::chrono::floor<std::chrono::days>(*now - std::chrono::milliseconds(*retention));
  co_await log_.clean_up(std::chrono::time_point_cast<Time::duration>(day));
}

Task<> DeltaTable::create(NewTable table) {
  const Turn turn = co_await take_turn(turns_);
  const TableShape shape{.partition_by = std::move(table.partition_by),
                         .properties = std::move(table.properties),
                         .description = std::move(table.description)};
  Change change;
  change.operation = "CREATE TABLE";
  change.schema = std::move(table.schema);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    co_await refresh();
    if (state_) {
      refuse(log_.where(), fmt::format("there is a table already, at version {}", state_->version));
    }
    co_await check_location_is_free();
    const CommitStamp stamped = stamp();
    const ChangePlan plan = plan_change(change, nullptr, shape, {}, stamped);
    if (co_await commit(plan, stamped.txn_id)) co_return;
  }
  throw Error(ErrorKind::kConflict, fmt::format("{}: others make it and drop it", log_.where()));
}

Task<std::vector<std::uint64_t>> DeltaTable::deleted_rows(DeletionVector vector) {
  const auto place = place_of(vector);
  Bytes stored;
  std::string where = log_.where();
  if (place) {
    const ObjectKey key = key_of(place->path);
    where = key.text();
    GetOptions options;
    options.range = {.offset = place->offset, .length = place->length};
    const auto object = co_await store_.get(key, options);
    if (!object) throw Error(ErrorKind::kCorrupt, fmt::format("{} is missing", where));
    while (true) {
      const Bytes piece = co_await object->body->read();
      if (piece.empty()) break;
      stored += piece;
    }
  }
  try {
    co_return delta::deleted_rows(vector, stored);
  } catch (const Error& error) {
    throw error.during(where);
  }
}

Task<Time> DeltaTable::vacuum_cutoff(const VacuumOptions& options) {
  const std::string_view asked = state_->property("delta.deletedFileRetentionDuration");
  const auto said = asked.empty() ? std::optional(kDataRetentionMs) : parse_interval_ms(asked);
  if (!said) {
    refuse(log_.where(),
           fmt::format("its delta.deletedFileRetentionDuration '{}' is no interval", asked));
  }
  const Duration least = std::chrono::milliseconds(*said);
  const Duration retention = options.retention.value_or(least);
  if (retention < least && !options.force) {
    refuse(log_.where(),
           fmt::format("a retention of {} is less than the table's {}: files could go that readers "
                       "of older versions and writers still need; allow it by force",
                       format_duration(retention), format_duration(least)));
  }
  Time now = clock_.now();
  if (!options.dry_run) {
    // Ages are by the store's clock; where ours is ahead, files would look older than they are.
    const Time there =
        co_await store_time(store_, log_.key_of(fmt::format("_headrace_{}", random_.uuid())));
    now = std::min(now, there);
  }
  co_return now - retention;
}

Task<VacuumResult> DeltaTable::vacuum(VacuumOptions options) {
  const Turn turn = co_await take_turn(turns_);
  co_await refresh();
  if (!state_) refuse(log_.where(), "there is no table to clean up");
  check_readable(log_.where(), state_->protocol(), state_->metadata(), state_->schema());
  check_appendable(log_.where(), state_->protocol(), state_->metadata(), state_->schema());
  const Time cutoff = co_await vacuum_cutoff(options);
  const auto now = [this]() -> Task<const TableState*> {
    co_await refresh();
    if (!state_) refuse(log_.where(), "the table was dropped meanwhile");
    co_return &*state_;
  };
  Vacuum vacuum(store_, log_, std::move(options), cutoff, now);
  co_return co_await vacuum.run();
}

Task<DropResult> DeltaTable::drop(bool dry_run) {
  const Turn turn = co_await take_turn(turns_);
  try {
    co_await refresh();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kInvalid) throw;
    state_.reset();
    options_.log->warning("dropping a table whose log cannot be read",
                          {{"table", log_.where()}, {"error", error.what()}});
  }
  const DropResult result =
      co_await drop_table(store_, log_, state_ ? &*state_ : nullptr, kDataSuffix, dry_run);
  if (!dry_run) state_.reset();
  co_return result;
}

Task<std::vector<HistoryEntry>> DeltaTable::history(std::size_t limit) {
  const LogListing listing = co_await log_.list_all();
  std::vector<HistoryEntry> out;
  const auto& commits = listing.commits();
  for (auto file = commits.rbegin(); file != commits.rend() && out.size() < limit; ++file) {
    const auto commit = co_await log_.read_commit(file->version);
    if (!commit) break;  // Cleaned up since the listing, and so is all before.
    HistoryEntry entry{.version = file->version, .at = file->at};
    if (commit->info) {
      entry.operation = commit->info->operation;
      entry.parameters = commit->info->parameters;
      entry.engine = commit->info->engine_info;
      if (const auto at = commit->info->in_commit_timestamp) entry.at = time_of_ms(*at);
    }
    entry.files_added = commit->adds.size();
    entry.files_removed = commit->removes.size();
    for (const AddFile& add : commit->adds) entry.rows_added += rows_of(add).value_or(0);
    out.push_back(std::move(entry));
  }
  co_return out;
}

std::string DeltaTable::new_data_path(const PartitionValues& partition) {
  std::string folders;
  bool fits = true;
  for (const auto& [column, value] : partition) {
    const std::string folder = plain_folder(partition_folder(column, value));
    fits = fits && folder.size() <= kFolderBytes;
    folders += folder + "/";
  }
  // Folders are for people: only the log says which values a file has.
  if (!fits || folders.size() > kFoldersBytes) folders.clear();
  return fmt::format("{}part-{}{}", folders, random_.uuid(), kDataSuffix);
}

}  // namespace

std::unique_ptr<Table> open_delta_table(Store& store, std::string bucket, std::string prefix,
                                        TableOptions options, Clock& clock, Random& random) {
  return std::make_unique<DeltaTable>(store, std::move(bucket), std::move(prefix),
                                      std::move(options), clock, random);
}

}  // namespace headrace
