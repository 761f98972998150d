#include "source/given_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"
#include "core/hash.h"

namespace headrace {
namespace {

constexpr std::uint64_t kMark = 1;
constexpr std::uint64_t kMissed = 2;
constexpr std::uint64_t kFlags = kMark | kMissed;

constexpr std::size_t kPerPartition = 2048;     // On average when the set grows: 32 KiB.
constexpr std::size_t kPerLogEntry = 4096;      // 64 KiB.
constexpr std::size_t kLoggedAtLeast = 16'384;  // Fewer changes are not worth a checkpoint.
constexpr std::size_t kPartitionsPerSave = 16;

template <class Record>
Bytes encode(const Record* records, std::size_t count) {
  Bytes bytes;
  bytes.reserve(count * 16);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint64_t value : {records[i].key, records[i].etag & ~kMark}) {
      for (int byte = 0; byte < 8; ++byte, value >>= 8) bytes += static_cast<char>(value & 0xff);
    }
  }
  return bytes;
}

std::uint64_t number_at(BytesView bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (int byte = 7; byte >= 0; --byte) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(byte)]);
  }
  return value;
}

template <class Record>
std::vector<Record> decode(BytesView bytes, std::string_view name) {
  if (bytes.size() % 16 != 0) {
    throw Error(ErrorKind::kCorrupt, fmt::format("source memory {} has a torn record", name));
  }
  std::vector<Record> records;
  records.reserve(bytes.size() / 16);
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    records.push_back(Record{number_at(bytes, at), number_at(bytes, at + 8)});
  }
  return records;
}

constexpr const char* kStateKey = "given/state";

std::string log_key(std::uint64_t number) { return fmt::format("given/log/{:016x}", number); }

std::string partition_key(unsigned bits, std::size_t index) {
  return fmt::format("given/part/{}/{:06x}", bits, index);
}

}  // namespace

GivenObjects::GivenObjects(SourceMemory& memory, std::string source, std::size_t most)
    : memory_(memory), source_(std::move(source)), most_(most) {}

std::size_t GivenObjects::index_of(std::uint64_t key) const {
  return bits_ == 0 ? 0 : static_cast<std::size_t>(key >> (64 - bits_));
}

Task<> GivenObjects::load() {
  size_ = logged_ = 0;
  const std::optional<Bytes> state = co_await memory_.load(kStateKey);
  if (state) {
    unsigned long long first = 0;
    if (std::sscanf(state->c_str(), "headrace-given 1 %u %llu", &saved_bits_, &first) != 2 ||
        saved_bits_ > 24) {
      throw Error(ErrorKind::kCorrupt, "the memory of source " + source_ + " can't be read");
    }
    log_first_ = first;
  }
  bits_ = saved_bits_;
  partitions_.assign(std::size_t{1} << bits_, {});
  dirty_.assign(partitions_.size(), false);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    const std::string name = partition_key(bits_, i);
    const auto bytes = co_await memory_.load(name);
    if (bytes) partitions_[i] = decode<Entry>(*bytes, name);
    size_ += partitions_[i].size();
  }
  for (log_next_ = log_first_;; ++log_next_) {
    const auto bytes = co_await memory_.load(log_key(log_next_));
    if (!bytes) break;
    for (const Given& change : decode<Given>(*bytes, log_key(log_next_))) apply(change);
    logged_ += bytes->size() / 16;
  }
}

GivenObjects::Given GivenObjects::given(std::string_view key, const std::optional<Etag>& etag) {
  if (!etag) return {hash64(key), 0};
  // Never 0, which means deleted.
  return {hash64(key), std::max<std::uint64_t>(hash64(etag->value) & ~kFlags, kFlags + 1)};
}

const GivenObjects::Entry* GivenObjects::find(std::uint64_t key) const {
  const Partition& partition = partitions_[index_of(key)];
  const auto at = std::ranges::lower_bound(partition, key, {}, &Entry::key);
  return at != partition.end() && at->key == key ? &*at : nullptr;
}

bool GivenObjects::is_new(std::string_view key, const Etag& etag) {
  const Given asked = given(key, etag);
  auto* entry = const_cast<Entry*>(find(asked.key));
  if (entry != nullptr) {
    const bool missed = (entry->etag & kMissed) != 0;
    entry->etag = (entry->etag & ~kFlags) | mark_;
    if (missed) note(*entry);
  }
  const auto out = out_keys_.find(asked.key);
  if (out != out_keys_.end()) return out->second != asked.etag;
  return entry == nullptr || (entry->etag & ~kFlags) != asked.etag;
}

bool GivenObjects::has(std::string_view key) const {
  const std::uint64_t hash = hash64(key);
  const auto out = out_keys_.find(hash);
  return out != out_keys_.end() ? out->second != 0 : find(hash) != nullptr;
}

void GivenObjects::apply(const Given& change) {
  Partition& partition = partition_of(change.key);
  const auto at = std::ranges::lower_bound(partition, change.key, {}, &Entry::key);
  const bool there = at != partition.end() && at->key == change.key;
  if (change.etag == 0 && !there) return;
  dirty_[index_of(change.key)] = true;
  if (change.etag == 0) {
    partition.erase(at);
    --size_;
  } else if (there) {
    at->etag = change.etag | mark_;
  } else {
    partition.insert(at, Entry{change.key, change.etag | mark_});
    ++size_;
  }
}

Receipt GivenObjects::give(std::vector<Given> batch) {
  if (size_ + out_keys_.size() + batch.size() > most_) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("source {} has given {} objects that are still there, and remembers at "
                            "most {}: move finished objects to another prefix, or split the source "
                            "by prefix",
                            source_, size_ + out_keys_.size(), most_));
  }
  for (const Given& one : batch) out_keys_[one.key] = one.etag;
  const Receipt receipt = next_receipt_++;
  out_.emplace(receipt, std::move(batch));
  return receipt;
}

Task<> GivenObjects::settle(Receipt receipt) {
  if (receipt == 0 || receipt >= next_receipt_) {
    throw Error(ErrorKind::kBug, fmt::format("source {}: no batch {} was given", source_, receipt));
  }
  std::vector<Given> batch;  // Empty when asked again, after a save that failed.
  if (auto out = out_.extract(receipt)) batch = std::move(out.mapped());
  for (const Given& one : batch) {
    apply(one);
    unsaved_.push_back(one);
    const auto out = out_keys_.find(one.key);
    if (out != out_keys_.end() && out->second == one.etag) out_keys_.erase(out);
  }
  co_await flush();
}

void GivenObjects::begin_pass() {
  if (in_pass_) return;
  in_pass_ = true;
  mark_ ^= kMark;
}

Task<> GivenObjects::end_pass() {
  in_pass_ = false;
  for (Partition& partition : partitions_) {
    for (Entry& entry : partition) {
      if ((entry.etag & kMark) == mark_) continue;
      const bool again = (entry.etag & kMissed) != 0;
      entry.etag = again ? 0 : ((entry.etag & ~kFlags) | kMissed | mark_);
      note(entry);
    }
    size_ -= std::erase_if(partition, [](const Entry& entry) { return entry.etag == 0; });
  }
  co_await flush();
}

void GivenObjects::note(const Entry& entry) {
  dirty_[index_of(entry.key)] = true;
  unsaved_.push_back({entry.key, entry.etag});
}

Task<> GivenObjects::flush() {
  if (saving_) co_return;
  struct Guard {
    bool& saving;
    ~Guard() { saving = false; }
  } const guard{saving_ = true};
  while (!unsaved_.empty()) {
    co_await save_log();
    if (logged_ >= std::max(kLoggedAtLeast, size_ / 16)) co_await checkpoint();
  }
}

Task<> GivenObjects::save_log() {
  const std::size_t count = std::min(unsaved_.size(), kPerLogEntry);
  std::vector<SourceMemory::Change> changes;
  changes.push_back({log_key(log_next_), encode(unsaved_.data(), count)});
  co_await memory_.save(std::move(changes));
  // Only added to meanwhile, so the first ones are still those that were saved.
  unsaved_.erase(unsaved_.begin(), unsaved_.begin() + static_cast<std::ptrdiff_t>(count));
  ++log_next_;
  logged_ += count;
}

void GivenObjects::grow() {
  unsigned bits = bits_;
  while (size_ > kPerPartition << bits) ++bits;
  if (bits == bits_) return;
  std::vector<Partition> old = std::exchange(partitions_, {});
  bits_ = bits;
  partitions_.resize(std::size_t{1} << bits_);
  dirty_.assign(partitions_.size(), true);
  for (Partition& partition : old) {
    for (const Entry& entry : partition) partition_of(entry.key).push_back(entry);
    Partition().swap(partition);  // Not all of it twice in memory.
  }
}

/// Partitions first, then in one save the state that leaves the log behind: a crash in between
/// reads the log over newer partitions, which comes to the same.
Task<> GivenObjects::checkpoint() {
  const std::uint64_t log_end = log_next_;
  const std::size_t logged = logged_;
  grow();
  co_await save_partitions();
  std::vector<SourceMemory::Change> changes;
  changes.push_back({kStateKey, fmt::format("headrace-given 1 {} {}\n", bits_, log_end)});
  for (std::uint64_t i = log_first_; i < log_end; ++i) changes.push_back({log_key(i), {}});
  if (saved_bits_ != bits_) {
    for (std::size_t i = 0; i < std::size_t{1} << saved_bits_; ++i) {
      changes.push_back({partition_key(saved_bits_, i), {}});
    }
  }
  co_await memory_.save(std::move(changes));
  saved_bits_ = bits_;
  log_first_ = log_end;
  logged_ -= logged;
}

Task<> GivenObjects::save_partitions() {
  for (std::size_t i = 0; i < partitions_.size();) {
    std::vector<std::size_t> saved;
    std::vector<SourceMemory::Change> changes;
    for (; i < partitions_.size() && saved.size() < kPartitionsPerSave; ++i) {
      if (!dirty_[i]) continue;
      dirty_[i] = false;
      saved.push_back(i);
      changes.push_back(
          {partition_key(bits_, i), encode(partitions_[i].data(), partitions_[i].size())});
    }
    if (saved.empty()) break;
    try {
      co_await memory_.save(std::move(changes));
    } catch (...) {
      for (const std::size_t index : saved) dirty_[index] = true;
      throw;
    }
  }
}

}  // namespace headrace
