#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>

#include "core/clock.h"
#include "ledger/rocksdb/database.h"

namespace headrace::rocks {

/// Which identities were seen within the window. They lie on disk in spans of time, an eighth of
/// the window each, so that forgetting drops whole spans and a look-up asks few of them. Memory
/// holds only the spans' starts and what the commit under way adds.
///
/// Threads  The writer's only.
class Dedupe {
 public:
  Dedupe(const Database& database, Duration window);

  /// Begins a commit: adds to `batch` the dropping of spans that are past.
  void begin(Batch& batch, Time now);
  /// True if `identity` was seen; else it is from now on, as part of `batch`.
  bool seen(std::uint64_t identity, Batch& batch);
  void add(std::uint64_t identity, Batch& batch);
  /// Ends the commit.
  void committed();
  void failed();

 private:
  Bytes key(std::uint32_t span, std::uint64_t identity) const;

  const Database& database_;
  const std::uint32_t window_;  ///< Minutes, as are all spans.
  const std::uint32_t step_;
  std::uint32_t current_ = 0;
  std::deque<std::uint32_t> spans_;  ///< Starts of those that may hold something, ascending.
  std::size_t past_ = 0;             ///< So many of the first go with this commit.
  std::unordered_set<std::uint64_t> fresh_;
};

}  // namespace headrace::rocks
