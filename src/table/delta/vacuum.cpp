#include "table/delta/vacuum.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "table/delta/deletion_vector.h"
#include "table/delta/partition.h"

namespace headrace::delta {
namespace {

constexpr std::string_view kLogFolder = "_delta_log/";
constexpr int kDropRounds = 100;

/// "column=", as the folder of a partition begins.
std::string folder_start(const std::string& column) {
  const std::string folder = partition_folder(column, "x");
  return folder.substr(0, folder.size() - 1);
}

/// One page of everything below the location after another, paths relative to it.
class Pages {
 public:
  Pages(Store& store, const DeltaLog& log, std::string_view below = "")
      : store_(store), bucket_(log.key_of("").bucket), folder_(log.key_of("").path) {
    options_.prefix = folder_ + std::string(below);
  }

  bool done() const { return done_; }
  Task<std::vector<ObjectInfo>> next() {
    ListPage page = co_await store_.list(bucket_, options_);
    done_ = !page.next;
    if (page.next) options_.start_after = *page.next;
    co_return std::move(page.objects);
  }
  std::string path_of(const ObjectInfo& object) const {
    return object.key.path.substr(folder_.size());
  }
  const std::string& bucket() const { return bucket_; }

 private:
  Store& store_;
  std::string bucket_;
  std::string folder_;
  ListOptions options_;
  bool done_ = false;
};

}  // namespace

bool is_hidden(std::string_view path, const std::vector<std::string>& partition_columns) {
  if (path.starts_with("metadata/")) return true;
  std::string_view rest = path;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    const bool marked = part.starts_with('_') || part.starts_with('.');
    const bool data = part.starts_with("_change_data") || part.starts_with("_delta_index") ||
                      std::ranges::any_of(partition_columns, [&](const std::string& column) {
                        const std::string start = folder_start(column);
                        return part.starts_with(start) || part.starts_with(plain_folder(start));
                      });
    if (marked && !data) return true;
    if (part.size() == rest.size()) return false;
    rest.remove_prefix(part.size() + 1);
  }
}

NeededFiles::NeededFiles(const TableState& state, Time cutoff) {
  const auto since =
      std::chrono::floor<std::chrono::milliseconds>(cutoff).time_since_epoch().count();
  for (const auto& [key, file] : state.files()) add(file.path, file.deletion_vector);
  for (const auto& [key, file] : state.tombstones()) {
    if (file.deletion_timestamp.value_or(0) >= since) add(file.path, file.deletion_vector);
  }
}

void NeededFiles::add(const std::string& path, const std::optional<DeletionVector>& vector) {
  add_path(decode_path(path));
  if (!vector) return;
  if (auto place = place_of(*vector)) add_path(std::move(place->path));
}

void NeededFiles::add_path(std::string path) {
  if (is_absolute_path(path)) {
    names_.insert(path.substr(path.rfind('/') + 1));
  } else {
    paths_.insert(std::move(path));
  }
}

bool NeededFiles::has(std::string_view path) const {
  const std::string whole(path);
  if (paths_.contains(whole)) return true;
  return !names_.empty() && names_.contains(whole.substr(whole.rfind('/') + 1));
}

Task<VacuumResult> Vacuum::run() {
  if (options_.dry_run) co_return co_await pass(/*remove=*/false, /*tell=*/true);
  // Nothing is removed before all was seen: a table inside of this one would be taken for garbage.
  co_await pass(/*remove=*/false, /*tell=*/false);
  co_return co_await pass(/*remove=*/true, /*tell=*/true);
}

Task<VacuumResult> Vacuum::pass(bool remove, bool tell) {
  VacuumResult result;
  std::optional<NeededFiles> needed;
  std::int64_t needed_at = -1;
  for (Pages pages(store_, log_); !pages.done();) {
    const std::vector<ObjectInfo> objects = co_await pages.next();
    // The table is looked at after the listing: what was committed meanwhile is known.
    const TableState* state = co_await refresh_();
    if (!needed || state->version != needed_at) {  // Rare: others commit meanwhile.
      needed.emplace(*state, cutoff_);
      needed_at = state->version;
    }
    std::vector<std::string> old;
    for (const ObjectInfo& object : objects) {
      const std::string path = pages.path_of(object);
      if (path.contains("/_delta_log/")) {
        throw Error(ErrorKind::kInvalid,
                    fmt::format("{}: another table lies within this one, at {}: nothing is removed",
                                log_.where(), path.substr(0, path.find("/_delta_log/"))));
      }
      if (object.modified >= cutoff_ || path.empty() || path.ends_with('/')) continue;
      if (is_hidden(path, state->metadata().partition_columns) || needed->has(path)) continue;
      ++result.files;
      result.bytes += object.size;
      if (tell && options_.each) {
        options_.each({.path = path, .size = object.size, .modified = object.modified});
      }
      old.push_back(object.key.path);
    }
    if (remove && !old.empty()) co_await store_.remove_many(pages.bucket(), std::move(old));
  }
  co_return result;
}

Task<Time> store_time(Store& store, ObjectKey scratch) {
  co_await store.put(scratch, "headrace: what time is it?");
  const auto there = co_await store.head(scratch);
  co_await store.remove(scratch);
  if (!there) {
    throw Error(ErrorKind::kTransient,
                fmt::format("{}: an object just written is not there", scratch.text()));
  }
  co_return there->modified;
}

namespace {

/// The log, in an order that leaves no table to read or to write once the first commit is gone.
Task<> drop_log(Store& store, const DeltaLog& log, DropResult& result, bool dry_run) {
  for (int round = 0; round < kDropRounds; ++round) {
    std::vector<std::string> others;
    std::vector<std::string> commits;
    Pages pages(store, log, kLogFolder);
    while (!pages.done()) {
      for (const ObjectInfo& object : co_await pages.next()) {
        const std::string name = pages.path_of(object).substr(kLogFolder.size());
        const bool commit = parse_log_name(name).kind == LogName::Kind::kCommit;
        (commit ? commits : others).push_back(object.key.path);
        ++result.objects;
        result.bytes += object.size;
      }
    }
    if (dry_run || (others.empty() && commits.empty())) co_return;
    if (!others.empty()) co_await store.remove_many(pages.bucket(), std::move(others));
    if (!commits.empty()) {
      co_await store.remove({pages.bucket(), commits.front()});
      co_await store.remove_many(pages.bucket(), std::move(commits));
    }
  }
  throw Error(ErrorKind::kConflict,
              fmt::format("{}: others write it while it is dropped: stop them first", log.where()));
}

}  // namespace

Task<DropResult> drop_table(Store& store, const DeltaLog& log, const TableState* known,
                            std::string_view data_suffix, bool dry_run) {
  DropResult result;
  // By now, since the log says it and is gone after.
  const std::optional<NeededFiles> files =
      known != nullptr ? std::optional<NeededFiles>(std::in_place, *known, Time::min())
                       : std::nullopt;
  co_await drop_log(store, log, result, dry_run);
  for (Pages pages(store, log); !pages.done();) {
    std::vector<std::string> ours;
    for (const ObjectInfo& object : co_await pages.next()) {
      const std::string path = pages.path_of(object);
      if (path.starts_with(kLogFolder)) continue;
      if (path.ends_with(data_suffix) || (files && files->has(path))) {
        ours.push_back(object.key.path);
        ++result.objects;
        result.bytes += object.size;
      } else {
        if (result.left++ == 0) result.first_left = path;
      }
    }
    if (!dry_run && !ours.empty()) co_await store.remove_many(pages.bucket(), std::move(ours));
  }
  co_return result;
}

}  // namespace headrace::delta
