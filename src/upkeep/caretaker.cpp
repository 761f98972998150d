#include "upkeep/caretaker.h"

#include <algorithm>
#include <exception>

#include "core/error.h"

namespace headrace {
namespace {

constexpr Duration kPause = std::chrono::minutes(5);  // After a failure.
constexpr std::uint64_t kCommitBytes = 1u << 30;

OptimizeOptions options_of(const OptimizeConfig& config, const Snapshot& snapshot) {
  return {.target_bytes = target_file_size(snapshot).value_or(config.target),
          .small_bytes = config.below,
          .commit_bytes = kCommitBytes};
}

}  // namespace

void Caretaker::committed(const std::string& table, std::uint64_t files) {
  tables_[table].added += files;
  if (due(table, tables_[table])) changed_.notify_all();
}

bool Caretaker::due(const std::string& table, const Watched& watched) const {
  const TableConfig* config = services_.catalog.config_of(table);
  if (config == nullptr || config->optimize.small_files == 0 || watched.added == 0) return false;
  if (services_.clock.now() < watched.not_before) return false;
  return !watched.seen || watched.joinable + watched.added >= config->optimize.small_files;
}

Task<> Caretaker::run() {
  while (true) {
    co_await run_due();
    co_await changed_.wait();
  }
}

Task<> Caretaker::run_due() {
  while (true) {
    const auto next = std::ranges::find_if(
        tables_, [this](const auto& entry) { return due(entry.first, entry.second); });
    if (next == tables_.end()) co_return;
    co_await look(next->first);
  }
}

Task<> Caretaker::look(std::string table) {
  std::optional<Error> failure;
  try {
    co_await look_at(table, *services_.catalog.config_of(table));
  } catch (...) {
    failure = to_error(std::current_exception());
  }
  if (!failure) co_return;
  if (failure->kind() == ErrorKind::kCancelled) throw *failure;
  tables_[table].not_before = services_.clock.now() + kPause;
  services_.log.warning(
      "small files were not joined; tried again after later commits",
      {{"table", table}, {"kind", to_string(failure->kind())}, {"error", failure->what()}});
}

Task<> Caretaker::look_at(std::string table, const TableConfig& config) {
  Watched& watched = tables_[table];
  watched.added = 0;
  watched.seen = true;
  Table& opened = services_.catalog.open(table);
  const auto snapshot = co_await opened.snapshot();
  if (!snapshot) co_return;
  const OptimizeOptions options = options_of(config.optimize, *snapshot);
  FileGroup files;
  for (const TableFile& file : snapshot->files) files.push_back(&file);
  watched.joinable = 0;
  for (const FileGroup& group : plan_optimize(files, options)) watched.joinable += group.size();
  if (watched.joinable <= config.optimize.small_files) co_return;
  TableRewriter rewriter(services_.engine, services_.resolver, services_.random, services_.scratch);
  const OptimizeReport report =
      co_await optimize(rewriter, opened, services_.stores.at(config.store), options);
  watched.joinable = 0;
  services_.log.info("small files joined", {{"table", table},
                                            {"version", report.version},
                                            {"files", report.files_joined},
                                            {"into", report.files_written},
                                            {"bytes", report.bytes_joined}});
}

}  // namespace headrace
