#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/object.h"
#include "core/task.h"
#include "source/memory.h"
#include "source/source.h"

namespace headrace {

/// What a source has given: for each key the etag that was given last, both as hashes, so that an
/// object is given once however often it is listed, and again when its content changed.
///
/// It is a set and not a high-water mark, because a late key may sort, or be dated, before all that
/// was given. 16 bytes on disk for each object there is, at most twice that in memory (room to
/// grow); what a batch adds is first saved as a small log entry, and folded into the partitions
/// (about 32 KiB each) from time to time. The layout is in docs/formats/source-memory.md.
///
/// Forgetting  A key that two complete passes did not see is forgotten; one pass may miss a file
///             that is just being renamed.
/// Bounds      At most `most` objects: give() then throws kInvalid that says what to do.
/// Certainty   Two contents of one key are taken for one with a chance of 2^-62, two keys for one
///             with 2^-64 for each pair.
/// Threads     One executor; settle() may overlap with everything else.
class GivenObjects {
 public:
  /// `memory` is this source's own and outlives the set. `source` is its name for messages.
  GivenObjects(SourceMemory& memory, std::string source, std::size_t most);

  /// Reads what was saved. To be called once, before anything else.
  Task<> load();

  /// Has this content of this key not been given yet? Also notes that the key is there.
  bool is_new(std::string_view key, const Etag& etag);

  /// Was this key given, and not its deletion since?
  bool has(std::string_view key) const;

  struct Given {
    std::uint64_t key = 0;
    std::uint64_t etag = 0;  ///< 0: the object was deleted.
  };
  static Given given(std::string_view key, const std::optional<Etag>& etag);

  /// A batch goes out. Until it is settled its objects count as given in this process only.
  Receipt give(std::vector<Given> batch);
  /// The batch is durable elsewhere: remember it. Saves are grouped: if another one is under way,
  /// it takes this batch along, and the call returns before that is on disk. A crash then gives the
  /// batch once more, and the ledger knows it. After a save that failed it can be asked again.
  Task<> settle(Receipt receipt);

  /// A pass over all objects starts, and ended: in between is_new() is asked for each. A pass that
  /// was begun and not ended goes on.
  void begin_pass();
  Task<> end_pass();

  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t key;
    std::uint64_t etag;  // The two lowest bits are flags: seen in which pass, missed in the last.
  };
  using Partition = std::vector<Entry>;  // Sorted by key.

  Partition& partition_of(std::uint64_t key) { return partitions_[index_of(key)]; }
  std::size_t index_of(std::uint64_t key) const;
  const Entry* find(std::uint64_t key) const;
  void apply(const Given& change);
  void grow();
  Task<> flush();
  Task<> save_log();
  Task<> checkpoint();
  Task<> save_partitions();
  /// Has a change of flags saved with the next batch.
  void note(const Entry& entry);

  SourceMemory& memory_;
  const std::string source_;
  const std::size_t most_;

  // What there is. partitions_[i] holds the keys whose highest `bits_` bits are i.
  unsigned bits_ = 0;
  std::vector<Partition> partitions_{1};
  std::vector<bool> dirty_{false};
  std::size_t size_ = 0;

  // What is on disk.
  unsigned saved_bits_ = 0;
  std::uint64_t log_first_ = 0;
  std::uint64_t log_next_ = 0;
  std::size_t logged_ = 0;  // Changes in the log.

  // What is under way.
  std::map<Receipt, std::vector<Given>> out_;
  std::unordered_map<std::uint64_t, std::uint64_t> out_keys_;  // The last etag given of each key.
  Receipt next_receipt_ = 1;
  std::vector<Given> unsaved_;
  bool saving_ = false;

  bool in_pass_ = false;
  std::uint64_t mark_ = 0;  // The flag of entries seen in the current pass.
};

}  // namespace headrace
