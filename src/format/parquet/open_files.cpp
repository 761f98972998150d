#include "format/parquet/open_files.h"

#include <algorithm>
#include <utility>

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kGroupRows = 122'880;
constexpr std::uint64_t kGroupBytes = 48u << 20;
constexpr std::uint64_t kMostReserved = 192u << 20;

/// One text for a tuple; equal texts are equal tuples.
void make_key(const Tuple& tuple, std::string& key) {
  key.clear();
  for (const auto& value : tuple) {
    const std::uint64_t size = value ? value->size() + 1 : 0;
    key.append(reinterpret_cast<const char*>(&size), sizeof size);
    if (value) key += *value;
  }
}

}  // namespace

OpenFiles::OpenFiles(const jsonl::Plan& plan, const Schema& schema, const ConvertOptions& options)
    : plan_(plan), schema_(schema), options_(options) {}

OpenFiles::Open& OpenFiles::find(const Tuple& tuple) {
  make_key(tuple, key_);
  if (last_ != nullptr && key_ == last_key_) return *last_;
  auto found = open_.find(key_);
  if (found == open_.end()) {
    if (open_.size() >= options_.open_partitions) close_largest();
    found = open_.emplace(key_, std::make_unique<Open>(tuple, plan_)).first;
    found->second->version = plan_.version();
  }
  last_key_ = key_;
  last_ = found->second.get();
  return *last_;
}

void OpenFiles::append(const Tuple& tuple, const Buffer<jsonl::Cell>& cells) {
  Open& open = find(tuple);
  if (open.version != plan_.version()) {
    open.columns.sync();
    open.version = plan_.version();
  }
  open.columns.append(cells);
  if (open.columns.rows() >= kGroupRows) write_full_group(open);
}

/// More groups will follow, so that the file may become as large as files get.
void OpenFiles::write_full_group(Open& open) {
  write_group(open);
  if (open.file && open_.size() == 1) {
    open.file->reserve(std::min(options_.file_bytes + options_.file_bytes / 4, kMostReserved));
  }
}

void OpenFiles::write_group(Open& open) {
  open.columns.sync();
  open.version = plan_.version();
  if (open.file && open.file->plan_version() != plan_.version()) close_file(open);
  if (!open.file) {
    open.file.emplace(plan_, schema_, options_.codec, options_.codec_level);
  }
  open.file->write(open.columns);
  open.columns.clear(/*keep_memory=*/open_.size() == 1);
  open.columns_bytes = 0;
  if (open.file->size() >= options_.file_bytes) close_file(open);
}

void OpenFiles::close_file(Open& open) {
  ParquetFile file = open.file->finish();
  open.file.reset();
  for (std::size_t i = 0; i < open.tuple.size(); ++i) {
    file.partition.emplace(options_.partition_by[i], open.tuple[i]);
  }
  closed_.push_back(std::move(file));
}

void OpenFiles::close(Open& open) {
  if (open.columns.rows() > 0) write_group(open);
  if (open.file) close_file(open);
}

void OpenFiles::close_largest() {
  const auto size_of = [](const auto& entry) { return entry.second->bytes(); };
  const auto largest = std::ranges::max_element(open_, {}, size_of);
  close(*largest->second);
  open_.erase(largest);
  last_ = nullptr;
}

void OpenFiles::settle() {
  std::uint64_t total = 0;
  for (auto& [key, open] : open_) {
    open->columns_bytes = open->columns.bytes();
    if (open->columns_bytes >= kGroupBytes) write_full_group(*open);
    total += open->bytes();
  }
  while (total > options_.memory_bytes && !open_.empty()) {
    close_largest();
    total = 0;
    for (const auto& [key, open] : open_) total += open->bytes();
  }
}

void OpenFiles::finish() {
  std::vector<Open*> all;
  for (const auto& [key, open] : open_) all.push_back(open.get());
  std::ranges::sort(all, {}, &Open::tuple);
  for (Open* open : all) close(*open);
  open_.clear();
  last_ = nullptr;
}

std::vector<ParquetFile> OpenFiles::take() { return std::exchange(closed_, {}); }

}  // namespace headrace::parquet_file
