#include "upkeep/optimize.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::uint64_t kTargetBytes = 512u << 20;
constexpr int kRounds = 4;  // Of planning anew, since another writer was faster.

std::uint64_t small_bytes(const OptimizeOptions& options) {
  return options.small_bytes > 0 ? options.small_bytes
                                 : options.target_bytes - options.target_bytes / 4;
}

/// Small, or full of rows that are gone.
bool wants_rewriting(const TableFile& file, const OptimizeOptions& options) {
  return !options.sort_by.empty() || file.size < small_bytes(options) || file.deletion_vector;
}

/// Joins neighbours until the next would make the group too large.
void pack(FileGroup files, const OptimizeOptions& options, std::vector<FileGroup>& groups) {
  std::ranges::sort(files, {},
                    [](const TableFile* file) { return std::tuple(file->modified, file->path); });
  FileGroup group;
  std::uint64_t bytes = 0;
  const auto close = [&] {
    if (group.size() > 1 || (group.size() == 1 && group[0]->deletion_vector)) {
      groups.push_back(group);
    }
    group.clear();
    bytes = 0;
  };
  for (const TableFile* file : files) {
    if (!group.empty() && bytes + file->size > options.target_bytes) close();
    group.push_back(file);
    bytes += file->size;
  }
  close();
}

void check(const OptimizeOptions& options, const Snapshot& snapshot) {
  if (options.target_bytes < 1u << 20) {
    throw Error(ErrorKind::kInvalid, "a target below 1MiB makes more files than it joins");
  }
  for (const std::string& column : options.sort_by) {
    if (snapshot.schema.find(column) == nullptr) {
      throw Error(ErrorKind::kInvalid, fmt::format("no column is named {} to sort by", column));
    }
  }
}

class Optimizer {
 public:
  Optimizer(TableRewriter& rewriter, Table& table, Store& store, OptimizeOptions options)
      : rewriter_(rewriter), table_(table), store_(store), options_(std::move(options)) {}

  Task<OptimizeReport> run();

 private:
  Task<std::vector<FileGroup>> plan(const Snapshot& snapshot);
  /// False if another writer was faster: look at the table anew.
  Task<bool> join(const Snapshot& snapshot, std::vector<FileGroup> groups);
  Task<std::uint64_t> rows_of(TableRewriter::Place place, FileGroup group);
  Change change_of(const Snapshot& snapshot) const;

  TableRewriter& rewriter_;
  Table& table_;
  Store& store_;
  OptimizeOptions options_;
  OptimizeReport report_;
};

Task<std::vector<FileGroup>> Optimizer::plan(const Snapshot& snapshot) {
  FileGroup files;
  if (options_.where.empty()) {
    for (const TableFile& file : snapshot.files) files.push_back(&file);
  } else {
    const auto found =
        co_await rewriter_.whole_partitions({table_, store_, snapshot}, options_.where);
    if (!found) {
      // Said in the engine's words if it is wrong altogether.
      co_await rewriter_.candidates({table_, store_, snapshot}, options_.where);
      throw Error(ErrorKind::kInvalid,
                  fmt::format("which files to join can only be told by partition columns, of which "
                              "the table has [{}]; the condition asks of others",
                              fmt::join(snapshot.partition_by, ", ")));
    }
    files = *found;
  }
  co_return plan_optimize(files, options_);
}

Task<OptimizeReport> Optimizer::run() {
  for (int round = 0; round < kRounds; ++round) {
    const auto snapshot = co_await table_.snapshot();
    if (!snapshot) throw Error(ErrorKind::kInvalid, "there is no table yet: it has no rows");
    if (options_.target_bytes == 0) {
      options_.target_bytes = target_file_size(*snapshot).value_or(kTargetBytes);
    }
    check(options_, *snapshot);
    if (round == 0) report_.before = size_of(*snapshot);
    report_.after = size_of(*snapshot);
    report_.version = snapshot->version;
    const std::vector<FileGroup> groups = co_await plan(*snapshot);
    if (options_.dry_run) {
      for (const FileGroup& group : groups) {
        report_.files_joined += group.size();
        for (const TableFile* file : group) report_.bytes_joined += file->size;
      }
      report_.files_written = groups.size();
      co_return report_;
    }
    if (co_await join(*snapshot, groups)) {
      const auto now = co_await table_.snapshot();
      if (now) report_.after = size_of(*now);
      if (now) report_.version = now->version;
      co_return report_;
    }
  }
  throw Error(
      ErrorKind::kConflict,
      fmt::format("other writers removed files that were to be joined, {} times; {} commits "
                  "were made before: try again when less is written",
                  kRounds, report_.commits));
}

Task<std::uint64_t> Optimizer::rows_of(TableRewriter::Place place, FileGroup group) {
  std::uint64_t rows = 0;
  FileGroup uncounted;
  for (const TableFile* file : group) {
    const auto live = file->live_rows();
    if (!live) uncounted.push_back(file);
    rows += live.value_or(0);
  }
  if (uncounted.empty()) co_return rows;
  for (const FileMatches& file : co_await rewriter_.count_matches(place, uncounted, "true")) {
    rows += file.rows;
  }
  co_return rows;
}

Change Optimizer::change_of(const Snapshot& snapshot) const {
  Change change;
  change.operation = "OPTIMIZE";
  change.parameters = {{"targetSize", fmt::format("{}", options_.target_bytes)},
                       {"predicate", options_.where},
                       {"sortBy", fmt::format("{}", fmt::join(options_.sort_by, ","))}};
  change.schema = snapshot.schema;
  change.read_version = snapshot.version;
  change.data_change = false;
  return change;
}

Task<bool> Optimizer::join(const Snapshot& snapshot, std::vector<FileGroup> groups) {
  const TableRewriter::Place place{table_, store_, snapshot};
  Change change = change_of(snapshot);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const FileGroup& group = groups[i];
    std::vector<NewFile> made;
    made = co_await rewriter_.rewrite(place, group, {}, options_.sort_by, options_.target_bytes);
    std::uint64_t rows = 0;
    for (const NewFile& file : made) rows += file.rows;
    const std::uint64_t expected = co_await rows_of(place, group);
    if (rows != expected) {
      throw Error(ErrorKind::kBug, fmt::format("joining {} files made {} rows of {}: nothing was "
                                               "committed; the first is {}",
                                               group.size(), rows, expected, group[0]->path));
    }
    for (const TableFile* file : group) {
      change.remove.push_back(file->path);
      bytes += file->size;
    }
    std::ranges::move(made, std::back_inserter(change.add));
    if (bytes < options_.commit_bytes && i + 1 < groups.size()) continue;
    const std::uint64_t removed = change.remove.size();
    const std::uint64_t added = change.add.size();
    try {
      co_await table_.change(std::exchange(change, change_of(snapshot)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
      co_return false;
    }
    ++report_.commits;
    report_.files_joined += removed;
    report_.files_written += added;
    report_.bytes_joined += std::exchange(bytes, 0);
  }
  co_return true;
}

}  // namespace

TableSize size_of(const Snapshot& snapshot) {
  TableSize size{.files = snapshot.files.size(), .rows = 0};
  for (const TableFile& file : snapshot.files) {
    size.bytes += file.size;
    const auto live = file.live_rows();
    size.rows = size.rows && live ? std::optional(*size.rows + *live) : std::nullopt;
  }
  return size;
}

std::vector<FileGroup> plan_optimize(const std::vector<const TableFile*>& files,
                                     const OptimizeOptions& options) {
  std::map<PartitionValues, FileGroup> partitions;
  for (const TableFile* file : files) {
    if (wants_rewriting(*file, options)) partitions[file->partition].push_back(file);
  }
  std::vector<FileGroup> groups;
  for (auto& [values, partition] : partitions) {
    if (options.sort_by.empty()) {
      pack(std::move(partition), options, groups);
    } else {
      groups.push_back(std::move(partition));
    }
  }
  return groups;
}

Task<OptimizeReport> optimize(TableRewriter& rewriter, Table& table, Store& store,
                              OptimizeOptions options) {
  Optimizer optimizer(rewriter, table, store, std::move(options));
  co_return co_await optimizer.run();
}

}  // namespace headrace
