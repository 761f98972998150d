#include "format/parquet/open_files.h"

#include <algorithm>
#include <utility>

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kGroupRows = 122'880;
constexpr std::uint64_t kGroupBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kGoodGroup = 24u << 20;  // Smaller ones are not worth another helper.
constexpr std::uint64_t kTinyGroup = 1u << 20;
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

/// The share of the memory that rows have which are not encoded yet.
std::uint64_t for_rows(const ConvertOptions& options) { return options.memory_bytes / 2; }

/// Each row group that is being encoded takes as much memory as the one that fills.
std::size_t helpers_of(const ConvertOptions& options) {
  const std::uint64_t groups = std::max<std::uint64_t>(1, for_rows(options) / kGoodGroup);
  return static_cast<std::size_t>(std::min<std::uint64_t>(options.helpers, groups - 1));
}

}  // namespace

OpenFiles::OpenFiles(const jsonl::Plan& plan, const Schema& schema, const ConvertOptions& options)
    : plan_(plan),
      schema_(schema),
      options_(options),
      helpers_(helpers_of(options)),
      group_bytes_(std::clamp(for_rows(options) / (helpers_ + 1), kTinyGroup, kGroupBytes)) {}

OpenFiles::~OpenFiles() {
  for (const Job& job : jobs_) job.encode->abandon();
}

std::unique_ptr<Columns> OpenFiles::new_columns() {
  if (spare_columns_) return std::move(spare_columns_);
  return std::make_unique<Columns>(plan_);
}

OpenFiles::Open& OpenFiles::find(const Tuple& tuple) {
  make_key(tuple, key_);
  if (last_ != nullptr && key_ == last_key_) return *last_;
  auto found = open_.find(key_);
  if (found == open_.end()) {
    if (open_.size() >= options_.open_partitions) close_largest();
    found = open_.emplace(key_, std::make_unique<Open>()).first;
    found->second->tuple = tuple;
    found->second->columns = new_columns();
  }
  last_key_ = key_;
  last_ = found->second.get();
  return *last_;
}

void OpenFiles::append(const Tuple& tuple, const Buffer<jsonl::Cell>& cells) {
  Open& open = find(tuple);
  if (open.version != plan_.version()) {
    open.columns->sync();
    open.version = plan_.version();
  }
  open.columns->append(cells);
  if (open.columns->rows() >= kGroupRows) write_full_group(open);
}

/// More groups will follow, so that the file may become as large as files get.
void OpenFiles::write_full_group(Open& open) {
  write_group(open, /*last=*/false);
  if (open.file && open_.size() == 1 && !streams_) {
    open.file->reserve(std::min(options_.file_bytes + options_.file_bytes / 4, kMostReserved));
  }
}

const std::shared_ptr<const FileLayout>& OpenFiles::layout() {
  if (!layout_ || layout_->plan_version != plan_.version()) {
    layout_ = std::make_shared<const FileLayout>(plan_, schema_, options_.stats);
  }
  return layout_;
}

/// Seals the rows that wait as one row group, which joins the file once it has been encoded.
/// `last`: no more rows come.
void OpenFiles::write_group(Open& open, bool last) {
  // First, so that what the oldest has used serves again.
  while (!jobs_.empty() && jobs_.size() >= helpers_) join_oldest();
  open.columns->sync();
  auto writer = spare_writer_ ? std::move(spare_writer_)
                              : std::make_unique<ChunkWriter>(options_.codec, options_.codec_level);
  const std::uint64_t bytes = open.columns->bytes();
  std::unique_ptr<Columns> next;
  if (helpers_ > 0 && !last) {
    next = new_columns();
    next->sync();
    next->go_on_after(*open.columns);
  }
  jobs_.push_back(
      {&open, std::make_shared<EncodeJob>(std::move(open.columns), layout(), std::move(writer)),
       bytes});
  open.columns = std::move(next);
  open.version = plan_.version();
  open.columns_bytes = 0;
  ++open.jobs;
  if (helpers_ == 0) return join_oldest();
  options_.run_on_helper([job = jobs_.back().encode] { job->run(); });
}

/// The row group that was filled first joins its file.
void OpenFiles::join_oldest() {
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  Open& open = *job.open;
  --open.jobs;
  RowGroup group = job.encode->result();
  auto columns = job.encode->take_columns();
  columns->clear(/*keep_memory=*/open_.size() == 1);
  (open.columns ? spare_columns_ : open.columns) = std::move(columns);
  spare_writer_ = job.encode->take_writer();
  if (open.file && &open.file->layout() != job.encode->layout().get()) {
    if (!open.file->extend(job.encode->layout())) close_file(open);
  }
  if (!open.file) open.file.emplace(plan_, job.encode->layout(), options_.codec);
  open.file->add(std::move(group));
  if (open.file->size() >= options_.file_bytes) close_file(open);
}

void OpenFiles::join_all_of(Open& open) {
  while (open.jobs > 0) join_oldest();
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
  if (open.columns && open.columns->rows() > 0) write_group(open, /*last=*/true);
  join_all_of(open);
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
  const auto in_use = [this] {
    std::uint64_t total = 0;
    for (const auto& [key, open] : open_) total += open->bytes();
    for (const Job& job : jobs_) total += job.bytes;
    return total;
  };
  for (auto& [key, open] : open_) {
    open->columns_bytes = open->columns->bytes();
    if (open->columns_bytes >= group_bytes_) write_full_group(*open);
  }
  while (!jobs_.empty() && in_use() > options_.memory_bytes) join_oldest();
  while (!open_.empty() && in_use() > options_.memory_bytes) close_largest();
}

void OpenFiles::finish() {
  std::vector<Open*> all;
  for (const auto& [key, open] : open_) all.push_back(open.get());
  std::ranges::sort(all, {}, &Open::tuple);
  for (Open* open : all) {
    if (open->columns->rows() > 0) write_group(*open, /*last=*/true);
  }
  for (Open* open : all) close(*open);
  open_.clear();
  last_ = nullptr;
}

std::vector<ParquetFile> OpenFiles::take() { return std::exchange(closed_, {}); }

Bytes OpenFiles::take_bytes() {
  streams_ = true;
  if (!closed_.empty() || open_.size() != 1 || !open_.begin()->second->file) return {};
  return open_.begin()->second->file->take();
}

}  // namespace headrace::parquet_file
