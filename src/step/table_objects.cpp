#include "step/table_objects.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "core/hash.h"
#include "format/lines_to_parquet.h"

namespace headrace {
namespace {

constexpr const char* kObjects = "headrace_objects";
constexpr std::size_t kFilesAtOnce = 200;   // Read for the index by one statement.
constexpr std::size_t kBytesPerFile = 200;  // Of the index, besides the hashes.

/// A bound of the column `_object` in Delta's statistics.
std::optional<std::string> bound(simdjson::dom::element stats, std::string_view group) {
  std::string_view text;
  if (stats[group][kObjectColumn].get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

bool share_one(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  auto at = b.begin();
  for (const std::uint64_t hash : a) {
    at = std::lower_bound(at, b.end(), hash);
    if (at == b.end()) return false;
    if (*at == hash) return true;
  }
  return false;
}

}  // namespace

std::string provenance_of(const Event& event) {
  return fmt::format("{}://{}", event.store, event.object.text());
}

bool may_hold_objects(const TableFile& file, const std::vector<std::string>& objects) {
  simdjson::dom::parser parser;
  simdjson::dom::element stats;
  if (file.stats.empty() || parser.parse(file.stats).get(stats) != simdjson::SUCCESS) return true;
  const auto least = bound(stats, "minValues");
  const auto most = bound(stats, "maxValues");
  const auto from = least ? std::ranges::lower_bound(objects, *least) : objects.begin();
  return from != objects.end() && (!most || *from <= *most);
}

TableRewriter& TableObjects::rewriter() {
  if (!rewriter_) {
    rewriter_ = std::make_unique<TableRewriter>(services_.engine, services_.resolver,
                                                services_.random, services_.scratch);
  }
  return *rewriter_;
}

Task<ChangedRows> TableObjects::take_out(Table& table, Store& store, const Snapshot& snapshot,
                                         std::vector<std::string> objects, Change& commit) {
  std::ranges::sort(objects);
  objects.erase(std::unique(objects.begin(), objects.end()), objects.end());
  const Field* column = snapshot.schema.find(kObjectColumn);
  if (objects.empty() || column == nullptr) co_return ChangedRows{};
  co_await turns_.acquire(1);
  std::exception_ptr failure;
  ChangedRows changed;
  try {
    changed = co_await take_out_now({table, store, snapshot}, std::move(objects), commit);
  } catch (...) {
    failure = std::current_exception();
  }
  turns_.release(1);
  if (failure) std::rethrow_exception(failure);
  co_return changed;
}

Task<ChangedRows> TableObjects::take_out_now(TableRewriter::Place place,
                                             std::vector<std::string> objects, Change& commit) {
  const Files files = co_await files_with(place, objects);
  if (files.empty()) co_return ChangedRows{};
  co_await rewriter().set_texts(kObjects, std::move(objects));
  const RowChange change{.where = fmt::format("{} IN (SELECT unnest(getvariable('{}')))",
                                              sql_name(kObjectColumn), kObjects),
                         .set = {}};
  co_return co_await rewriter().change_rows(place, files, change, commit);
}

Task<TableObjects::Files> TableObjects::files_with(TableRewriter::Place place,
                                                   const std::vector<std::string>& objects) {
  Files possible;
  Files unknown;
  for (const TableFile& file : place.snapshot.files) {
    if (!may_hold_objects(file, objects)) continue;
    possible.push_back(&file);
    if (!index_.contains(place.table.key_of(file.path).text())) unknown.push_back(&file);
  }
  std::vector<std::uint64_t> wanted;
  for (const std::string& object : objects) wanted.push_back(hash64(object));
  std::ranges::sort(wanted);

  Files found;
  for (std::size_t at = 0; at < unknown.size(); at += kFilesAtOnce) {
    const std::size_t end = std::min(unknown.size(), at + kFilesAtOnce);
    const Files some(unknown.begin() + static_cast<std::ptrdiff_t>(at),
                     unknown.begin() + static_cast<std::ptrdiff_t>(end));
    auto hashes = co_await rewriter().text_hashes(place, some, std::string(kObjectColumn));
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (share_one(wanted, hashes[i])) found.push_back(some[i]);
      Known& known = index_[place.table.key_of(some[i]->path).text()];
      known.objects = std::move(hashes[i]);
      index_size_ += known.objects.size();
    }
  }
  ++uses_;
  for (const TableFile* file : possible) {
    const auto known = index_.find(place.table.key_of(file->path).text());
    if (known == index_.end()) continue;
    known->second.used = uses_;
    const bool asked = std::ranges::binary_search(unknown, file);
    if (!asked && share_one(wanted, known->second.objects)) found.push_back(file);
  }
  forget_old();
  co_return found;
}

/// Drops files until the rest fits: those longest unused first.
void TableObjects::forget_old() {
  const auto size = [this] {
    return index_size_ * sizeof(std::uint64_t) + index_.size() * kBytesPerFile;
  };
  if (size() <= services_.index_bytes) return;
  std::vector<std::pair<std::uint64_t, std::string>> by_use;
  for (const auto& [path, known] : index_) by_use.emplace_back(known.used, path);
  std::ranges::sort(by_use);
  for (const auto& [used, path] : by_use) {
    if (size() <= services_.index_bytes / 2) return;
    const auto known = index_.find(path);
    index_size_ -= known->second.objects.size();
    index_.erase(known);
  }
}

}  // namespace headrace
