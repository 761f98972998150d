#pragma once

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/log.h"
#include "ledger/rocksdb/folder_lock.h"

namespace headrace::rocks {

/// Column families: one per kind of row, because each lives and dies in its own way.
enum class Family : unsigned char {
  kMeta,      ///< Format, numbers, route names, counters, notes.
  kReady,     ///< Pages that are due, by seq. Written once, single-deleted.
  kLater,     ///< Pages by due time and seq. Written once, single-deleted.
  kProgress,  ///< By seq: what of a page is settled. Merged, deleted.
  kDead,      ///< Dead letters by id. Written once, single-deleted.
  kDedupe,    ///< Span and identity. Written any number of times, dropped by whole spans.
};
inline constexpr std::size_t kFamilies = 6;

/// Changes that become durable together.
class Batch {
 public:
  explicit Batch(const std::array<rocksdb::ColumnFamilyHandle*, kFamilies>& handles)
      : handles_(handles) {}

  void put(Family family, BytesView key, BytesView value);
  /// `key` was put exactly once, and never merged, since it last was absent.
  void remove_once(Family family, BytesView key);
  void remove(Family family, BytesView key);
  void merge(Family family, BytesView key, BytesView operand);
  /// All keys in [begin, end).
  void remove_range(Family family, BytesView begin, BytesView end);

  bool empty() const { return batch_.Count() == 0; }

 private:
  friend class Database;
  const std::array<rocksdb::ColumnFamilyHandle*, kFamilies>& handles_;
  rocksdb::WriteBatch batch_;
};

/// Rows of one family with keys in [lower, upper), as they were when it was made, in order.
class Scan {
 public:
  Scan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* handle, Bytes lower, Bytes upper,
       const rocksdb::Snapshot* snapshot);
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;
  bool valid() const { return rows_->Valid(); }
  /// Throws if what ended the scan was a failure.
  void next();
  BytesView key() const { return rows_->key().ToStringView(); }
  BytesView value() const { return rows_->value().ToStringView(); }

 private:
  void check() const;
  const Bytes lower_;
  const Bytes upper_;
  rocksdb::Slice lower_bound_;
  rocksdb::Slice upper_bound_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

/// The database at one moment, for reads that must agree with each other.
class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB& db) : db_(db), at_(db.GetSnapshot()) {}
  ~Snapshot() { db_.ReleaseSnapshot(at_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  const rocksdb::Snapshot* at() const { return at_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* at_;
};

/// RocksDB with our families and options, and its failures as Errors. Any thread may read; one
/// thread writes.
class Database {
 public:
  /// Opens or creates. `env` is RocksDB's own unless a test brings one that fails.
  /// Throws kConflict if another process has the folder, kInvalid if it cannot be used or its
  /// format is unknown.
  Database(const std::filesystem::path& folder, rocksdb::Env* env);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Snapshot snapshot() const { return Snapshot(*db_); }
  /// As of `snapshot`, or as of now.
  std::optional<Bytes> get(Family family, BytesView key, const Snapshot* snapshot = nullptr) const;
  /// What is in [lower, upper); an empty `upper` is the end.
  Scan scan(Family family, Bytes lower, Bytes upper, const Snapshot* snapshot = nullptr) const;

  Batch batch() const { return Batch(handles_); }
  /// Durable when it returns. On a throw nothing of it is there; after the disk was full or failed,
  /// the next call first tries to bring the database back.
  void write(Batch& batch);

  /// Bytes written to the write-ahead log since the start. Any thread may ask.
  std::uint64_t log_bytes() const { return log_bytes_; }

 private:
  void open(const std::filesystem::path& folder, rocksdb::Env* env);
  void check_format(const std::filesystem::path& folder);

  FolderLock lock_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> handles_{};
  bool failed_ = false;
  std::atomic<std::uint64_t> log_bytes_ = 0;
};

/// Keys of the meta family.
inline constexpr BytesView kFormatKey = "format";
inline constexpr BytesView kNumbersKey = "numbers";     ///< First number not handed out yet.
inline constexpr BytesView kLowReadyKey = "low/ready";  ///< No live page lies below.
inline constexpr BytesView kLowLaterKey = "low/later";
inline constexpr BytesView kCountsKey = "counts";
inline constexpr BytesView kRoutePrefix = "route/";
inline constexpr BytesView kNotePrefix = "note/";

/// The smallest key beyond all that start with `prefix`.
Bytes after_prefix(BytesView prefix);

}  // namespace headrace::rocks
