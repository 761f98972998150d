#include "ledger/rocksdb/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "core/error.h"

namespace headrace::rocks {
namespace {

using rocksdb::ColumnFamilyOptions;
using rocksdb::Slice;
using rocksdb::Status;

constexpr BytesView kFormat = "1";
constexpr std::size_t kIdentityKey = 12;
constexpr std::array<const char*, kFamilies> kNames{"default",  "ready", "later",
                                                    "progress", "dead",  "dedupe"};

Slice slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }

/// The only place where RocksDB's failures become ours.
void check(const Status& status, std::string_view action) {
  if (status.ok()) return;
  const std::string what = fmt::format("{}: {}", action, status.ToString());
  if (status.IsCorruption()) {
    throw Error(ErrorKind::kInvalid, what + "; restore the state folder from a backup");
  }
  if (status.IsNoSpace()) {
    throw Error(ErrorKind::kTransient, what + "; free some space, the work goes on by itself");
  }
  if (status.IsInvalidArgument() || status.IsNotSupported()) throw Error(ErrorKind::kBug, what);
  throw Error(ErrorKind::kTransient, what);
}

/// Operands are self-delimiting, so that a row is simply all of them one after the other.
class Concatenate final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const Slice&, const Slice* existing, const Slice& value, std::string* merged,
             rocksdb::Logger*) const override {
    if (existing != nullptr) merged->assign(existing->data(), existing->size());
    merged->append(value.data(), value.size());
    return true;
  }
  const char* Name() const override { return "headrace.concatenate"; }
};

/// Left alone, RocksDB looks every few seconds whether a full disk has room again, and refuses to
/// be brought back by hand meanwhile. Our next write tries at once instead.
class NoAutomaticRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, Status, bool* automatic) override {
    *automatic = false;
  }
};

/// What matters comes back as a status. The text log that RocksDB keeps otherwise ends the process
/// when the disk is full: its second line after one that failed is an assertion.
class NoTextLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

ColumnFamilyOptions family_options(Family family, const std::shared_ptr<rocksdb::Cache>& cache) {
  ColumnFamilyOptions options;
  const bool bulk = family == Family::kReady || family == Family::kLater ||
                    family == Family::kDead || family == Family::kDedupe;
  options.write_buffer_size = bulk ? 64u << 20 : 8u << 20;
  options.max_write_buffer_number = 4;
  options.compression = rocksdb::kNoCompression;  // Pages come compressed.
  options.level_compaction_dynamic_level_bytes = true;
  options.merge_operator = std::make_shared<Concatenate>();
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 16 * 1024;
  table.block_cache = cache;
  if (family == Family::kProgress || family == Family::kDedupe) {
    // Looked up by keys that are mostly absent. Filters count against the cache.
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
  }
  if (family == Family::kProgress) {
    options.memtable_prefix_bloom_size_ratio = 0.05;
    options.memtable_whole_key_filtering = true;
  }
  if (family == Family::kDedupe) {
    // Identities are random: a skip list would walk cold memory for each, a hash table does not.
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kIdentityKey));
    options.memtable_factory.reset(rocksdb::NewHashLinkListRepFactory(1 << 20));
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Insurance against scans over many tombstones; cursors and bounds avoid them in the first place.
  options.table_properties_collector_factories = {
      rocksdb::NewCompactOnDeletionCollectorFactory(4096, 2048)};
  return options;
}

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_total_wal_size = 256u << 20;  // Replay takes about a second per GB.
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.skip_stats_update_on_db_open = true;
  options.info_log = std::make_shared<NoTextLog>();
  options.max_open_files = 512;
  options.allow_concurrent_memtable_write = false;  // One thread writes.
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(std::make_shared<NoAutomaticRecovery>());
  return options;
}

}  // namespace

Bytes after_prefix(BytesView prefix) {
  Bytes key(prefix);
  while (!key.empty() && static_cast<unsigned char>(key.back()) == 0xff) key.pop_back();
  if (!key.empty()) ++key.back();
  return key;
}

void Batch::put(Family family, BytesView key, BytesView value) {
  batch_.Put(handles_[static_cast<std::size_t>(family)], slice(key), slice(value));
}
void Batch::remove_once(Family family, BytesView key) {
  batch_.SingleDelete(handles_[static_cast<std::size_t>(family)], slice(key));
}
void Batch::remove(Family family, BytesView key) {
  batch_.Delete(handles_[static_cast<std::size_t>(family)], slice(key));
}
void Batch::merge(Family family, BytesView key, BytesView operand) {
  batch_.Merge(handles_[static_cast<std::size_t>(family)], slice(key), slice(operand));
}
void Batch::remove_range(Family family, BytesView begin, BytesView end) {
  batch_.DeleteRange(handles_[static_cast<std::size_t>(family)], slice(begin), slice(end));
}

Scan::Scan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle, Bytes lower, Bytes upper,
           const rocksdb::Snapshot* snapshot)
    : lower_(std::move(lower)),
      upper_(std::move(upper)),
      lower_bound_(slice(lower_)),
      upper_bound_(slice(upper_)) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.total_order_seek = true;
  options.iterate_lower_bound = &lower_bound_;
  if (!upper_.empty()) options.iterate_upper_bound = &upper_bound_;
  rows_.reset(db.NewIterator(options, handle));
  rows_->Seek(lower_bound_);
  check();
}

void Scan::next() {
  rows_->Next();
  check();
}

void Scan::check() const { rocks::check(rows_->status(), "read the ledger"); }

Database::Database(const std::filesystem::path& folder, rocksdb::Env* env) : lock_(folder) {
  open(folder, env);
  try {
    check_format(folder);
  } catch (...) {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    throw;
  }
}

Database::~Database() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  // All that matters is in the log; a failure to close is told to nobody who could act on it.
  db_->Close().PermitUncheckedError();
}

void Database::open(const std::filesystem::path& folder, rocksdb::Env* env) {
  const auto cache = rocksdb::NewLRUCache(64u << 20);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    families.emplace_back(kNames[i], family_options(Family(i), cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const Status status =
      rocksdb::DB::Open(database_options(env), (folder / "db").string(), families, &handles, &db);
  check(status, "open the ledger in " + folder.string());
  db_.reset(db);
  std::ranges::copy(handles, handles_.begin());
}

void Database::check_format(const std::filesystem::path& folder) {
  const auto format = get(Family::kMeta, kFormatKey);
  if (!format) {
    Batch first = batch();
    first.put(Family::kMeta, kFormatKey, kFormat);
    write(first);
  } else if (*format != kFormat) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("the ledger in {} has format {}, this program knows format {}: use the "
                            "version of headrace that wrote it, or a newer one",
                            folder.string(), *format, kFormat));
  }
}

std::optional<Bytes> Database::get(Family family, BytesView key, const Snapshot* snapshot) const {
  Bytes value;
  rocksdb::ReadOptions options;
  if (snapshot != nullptr) options.snapshot = snapshot->at();
  const Status status =
      db_->Get(options, handles_[static_cast<std::size_t>(family)], slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, "read the ledger");
  return value;
}

Scan Database::scan(Family family, Bytes lower, Bytes upper, const Snapshot* snapshot) const {
  return Scan(*db_, handles_[static_cast<std::size_t>(family)], std::move(lower), std::move(upper),
              snapshot == nullptr ? nullptr : snapshot->at());
}

void Database::write(Batch& batch) {
  if (failed_) {
    check(db_->Resume(), "bring the ledger back after a failed write");
    failed_ = false;
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  const Status status = db_->Write(options, &batch.batch_);
  failed_ = !status.ok();
  check(status, "write the ledger");
  log_bytes_ += batch.batch_.GetDataSize();
}

}  // namespace headrace::rocks
