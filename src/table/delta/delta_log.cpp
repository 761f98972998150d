#include "table/delta/delta_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "table/delta/checkpoint.h"
#include "table/delta/features.h"

namespace headrace::delta {
namespace {

constexpr std::string_view kFolder = "_delta_log/";
constexpr std::string_view kHint = "_last_checkpoint";
constexpr std::string_view kSidecars = "_sidecars/";
constexpr std::uint64_t kHintBytes = 1u << 20;
/// Parsing this much on an event loop is not felt.
constexpr std::size_t kSmall = 64u << 10;

Time time_of_ms(std::int64_t ms) { return Time(std::chrono::milliseconds(ms)); }

/// Runs `work` on the pool if there is one and it is worth it. `work` refers to the caller's frame.
template <class Work>
Task<> run_if_large(CpuPool* cpu, std::size_t bytes, Work& work) {
  if (cpu != nullptr && bytes > kSmall) {
    co_await run_on(*cpu, [&work] { work(); });
  } else {
    work();
  }
}

/// Runs `work`; an Error that leaves it says in which file.
template <class Work>
void told_at(const std::string& name, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    throw error.during(name);
  }
}

}  // namespace

DeltaLog::DeltaLog(Store& store, std::string bucket, std::string prefix,
                   const TableOptions& options)
    : store_(store),
      bucket_(std::move(bucket)),
      prefix_(std::move(prefix)),
      where_(prefix_.empty() ? bucket_ : bucket_ + "/" + prefix_),
      options_(options) {}

ObjectKey DeltaLog::key_of(const std::string& path) const {
  return {bucket_, prefix_.empty() ? path : prefix_ + "/" + path};
}

ObjectKey DeltaLog::log_key(std::string_view name) const {
  return key_of(fmt::format("{}{}", kFolder, name));
}

Task<LogListing> DeltaLog::list(std::string start_after) {
  LogListing listing;
  const std::string folder = log_key("").path;
  // Versions have 20 digits and fit 63 bits, so each begins with a 0; nothing else of ours does.
  ListOptions options;
  options.prefix = folder + "0";
  options.start_after = folder + start_after;
  while (true) {
    const ListPage page = co_await store_.list(bucket_, options);
    for (const ObjectInfo& object : page.objects) {
      listing.add(std::string_view(object.key.path).substr(folder.size()), object.modified);
    }
    if (!page.next) co_return listing;
    options.start_after = *page.next;
  }
}

Task<LogListing> DeltaLog::list_from(std::int64_t version) {
  // Everything of a version sorts after its bare number with a dot.
  return list(fmt::format("{:020}.", version));
}

Task<std::optional<std::int64_t>> DeltaLog::last_checkpoint() {
  std::optional<Bytes> text;
  try {
    text = co_await read_object(store_, log_key(kHint), kHintBytes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid && error.kind() != ErrorKind::kCorrupt) throw;
  }
  if (!text) co_return std::nullopt;
  const auto hint = parse_last_checkpoint(*text);
  if (!hint) co_return std::nullopt;
  co_return hint->version;
}

Task<std::optional<TableState>> DeltaLog::load(std::int64_t most) {
  const std::optional<std::int64_t> hint = co_await last_checkpoint();
  if (hint && *hint <= most) {
    const LogListing listing = co_await list_from(*hint);
    if (listing.checkpoint(most)) {
      try {
        co_return co_await load_listed(listing, most, most);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kCorrupt) throw;
        options_.log->warning("reading the whole log of a table, since its end is not enough",
                              {{"table", where_}, {"error", error.what()}});
      }
    }
  }
  const LogListing listing = co_await list_all();
  if (listing.empty()) co_return std::nullopt;
  std::int64_t newest = most;
  while (true) {
    const auto checkpoint = listing.checkpoint(newest);
    try {
      co_return co_await load_listed(listing, most, newest);
    } catch (const Error& error) {
      // A broken checkpoint is no loss while there is an older one, or all commits.
      if (error.kind() != ErrorKind::kCorrupt || !checkpoint) throw;
      options_.log->warning("passing over a checkpoint of a table",
                            {{"table", where_}, {"error", error.what()}});
      newest = checkpoint->version - 1;
    }
  }
}

Task<std::optional<TableState>> DeltaLog::load_listed(const LogListing& listing, std::int64_t most,
                                                      std::int64_t newest_checkpoint) {
  TableState state(options_.files);
  if (const auto checkpoint = listing.checkpoint(newest_checkpoint)) {
    co_await restore(state, *checkpoint);
  }
  co_await replay(state, listing.commits(), most);
  if (state.version < 0) co_return std::nullopt;
  state.check_complete(where_);
  co_await find_commit_timestamp(state);
  co_return std::move(state);
}

Task<> DeltaLog::restore(TableState& state, const CheckpointFiles& checkpoint) {
  state.version = checkpoint.version;
  state.checkpoint = checkpoint.version;
  state.at = checkpoint.at;
  for (const std::string& name : checkpoint.names) {
    for (const Sidecar& sidecar : co_await restore_file(state, name)) {
      co_await restore_file(state, std::string(kSidecars) + sidecar.path);
    }
  }
}

Task<std::vector<Sidecar>> DeltaLog::restore_file(TableState& state, std::string name) {
  co_return co_await read_actions(std::move(name),
                                  [&state](Commit part) { state.restore(std::move(part)); });
}

/// One file of a checkpoint; says which sidecars it names.
Task<std::vector<Sidecar>> DeltaLog::read_actions(std::string name,
                                                  std::function<void(Commit)> take_part) {
  const std::string text = log_key(name).text();
  std::optional<Bytes> bytes =
      co_await read_object(store_, log_key(name), options_.checkpoint_bytes);
  if (!bytes) throw Error(ErrorKind::kCorrupt, fmt::format("{} is missing", text));
  std::vector<Sidecar> sidecars;
  const std::size_t size = bytes->size();
  auto work = [&] {
    const auto take = [&](Commit part) {
      sidecars.insert(sidecars.end(), part.sidecars.begin(), part.sidecars.end());
      take_part(std::move(part));
    };
    told_at(text, [&] {
      if (name.ends_with(".json")) {
        take(parse_commit(*bytes));
      } else {
        read_checkpoint(std::move(*bytes), take);
      }
    });
  };
  co_await run_if_large(options_.cpu, size, work);
  co_return sidecars;
}

Task<> DeltaLog::replay(TableState& state, const std::vector<CommitFile>& commits,
                        std::int64_t most) {
  for (const CommitFile& file : commits) {
    if (file.version == state.version && !state.in_commit_timestamp) state.at = file.at;
    if (file.version <= state.version || file.version > most) continue;
    if (file.version != state.version + 1) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: version {} is missing in the log, {} is there", where_,
                              state.version + 1, file.version));
    }
    std::optional<Bytes> lines =
        co_await read_object(store_, log_key(commit_name(file.version)), options_.commit_bytes);
    if (!lines) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: version {} vanished while reading", where_, file.version));
    }
    const std::string name = log_key(commit_name(file.version)).text();
    auto work = [&] { told_at(name, [&] { state.apply(parse_commit(*lines)); }); };
    co_await run_if_large(options_.cpu, lines->size(), work);
    state.at = file.at;
    if (state.in_commit_timestamp) state.at = time_of_ms(*state.in_commit_timestamp);
  }
}

/// A checkpoint does not say when its version was committed; where the table counts on what commits
/// say themselves, the commit must be asked.
Task<> DeltaLog::find_commit_timestamp(TableState& state) {
  if (state.in_commit_timestamp) co_return;
  if (!in_commit_timestamps_on(state.protocol(), state.metadata())) co_return;
  const auto commit = co_await read_commit(state.version);
  if (!commit || !commit->info) co_return;
  state.in_commit_timestamp = commit->info->in_commit_timestamp;
  if (state.in_commit_timestamp) state.at = time_of_ms(*state.in_commit_timestamp);
}

Task<bool> DeltaLog::advance(TableState& state) {
  // The version that is known is listed again: if it is not there, the table was made anew or its
  // log was cleaned up past us, and what would be the next version may be an old one.
  const LogListing listing = co_await list_from(state.version);
  if (listing.commits().empty() || listing.commits().front().version != state.version) {
    co_return false;
  }
  co_await replay(state, listing.commits(), kNewest);
  co_return true;
}

Task<LogListing> DeltaLog::list_all() { return list(""); }

Task<std::optional<Commit>> DeltaLog::read_commit(std::int64_t version) {
  const ObjectKey key = log_key(commit_name(version));
  const std::string name = key.text();
  const auto lines = co_await read_object(store_, key, options_.commit_bytes);
  if (!lines) co_return std::nullopt;
  std::optional<Commit> commit;
  auto work = [&] { told_at(name, [&] { commit = parse_commit(*lines); }); };
  co_await run_if_large(options_.cpu, lines->size(), work);
  co_return std::move(commit);
}

Task<bool> DeltaLog::write_commit(std::int64_t version, Bytes lines) {
  const auto etag = co_await store_.put_if_absent(log_key(commit_name(version)), std::move(lines));
  co_return etag.has_value();
}

Task<> DeltaLog::write_checkpoint(const TableState& state) {
  CheckpointSource source(state, options_.cpu);
  co_await store_.put_stream(log_key(checkpoint_name(state.version)), source, {});
  const auto hint = co_await last_checkpoint();
  if (hint && *hint >= state.version) co_return;
  co_await store_.put(log_key(kHint), last_checkpoint_json(source.summary()));
}

Task<std::size_t> DeltaLog::clean_up(Time cutoff) {
  const std::string folder = log_key("").path;
  LogListing listing;
  std::vector<std::string> names;
  ListOptions options;
  options.prefix = folder + "0";
  while (true) {
    const ListPage page = co_await store_.list(bucket_, options);
    for (const ObjectInfo& object : page.objects) {
      names.push_back(object.key.path.substr(folder.size()));
      listing.add(names.back(), object.modified);
    }
    if (!page.next) break;
    options.start_after = *page.next;
  }
  const std::optional<std::int64_t> first = first_needed(listing, cutoff);
  if (!first) co_return 0;
  std::vector<std::string> old;
  std::vector<std::string> checkpoints;  // That stay.
  bool takes_checkpoint = false;
  for (const std::string& name : names) {
    const bool is_checkpoint = parse_log_name(name).kind == LogName::Kind::kCheckpoint;
    if (belongs_before(name, *first)) {
      old.push_back(folder + name);
      takes_checkpoint = takes_checkpoint || is_checkpoint;
    } else if (is_checkpoint) {
      checkpoints.push_back(name);
    }
  }
  std::size_t count = old.size();
  if (count > 0) co_await store_.remove_many(bucket_, std::move(old));
  if (takes_checkpoint) count += co_await clean_up_sidecars(cutoff, std::move(checkpoints));
  co_return count;
}

/// A sidecar is written before the checkpoint that names it, and may be named by several: what is
/// young may be about to be named.
Task<std::size_t> DeltaLog::clean_up_sidecars(Time cutoff, std::vector<std::string> checkpoints) {
  const std::string folder = log_key(kSidecars).path;
  std::set<std::string> old;
  ListOptions options;
  options.prefix = folder;
  while (true) {
    const ListPage page = co_await store_.list(bucket_, options);
    for (const ObjectInfo& object : page.objects) {
      if (object.modified >= cutoff - std::chrono::days(1)) continue;
      old.insert(object.key.path.substr(folder.size()));
    }
    if (!page.next) break;
    options.start_after = *page.next;
  }
  if (old.empty()) co_return 0;
  for (const std::string& name : checkpoints) {
    for (const Sidecar& sidecar : co_await read_actions(name, [](const Commit&) {})) {
      old.erase(sidecar.path.substr(sidecar.path.rfind('/') + 1));
    }
  }
  std::vector<std::string> paths;
  for (const std::string& name : old) paths.push_back(folder + name);
  if (!paths.empty()) co_await store_.remove_many(bucket_, paths);
  co_return paths.size();
}

Task<std::optional<Time>> DeltaLog::checkpoint_time(std::int64_t version) {
  const auto there = co_await store_.head(log_key(checkpoint_name(version)));
  co_return there ? std::optional(there->modified) : std::nullopt;
}

}  // namespace headrace::delta
