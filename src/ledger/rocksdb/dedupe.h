#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "core/clock.h"
#include "ledger/rocksdb/database.h"
#include "ledger/rocksdb/identities.h"

namespace headrace::rocks {

/// Which identities were seen within the window. They lie on disk in spans of time, an eighth of
/// the window each, so that forgetting drops whole spans and a look-up asks few of them. Memory
/// holds a filter for each span that began under this process, so that the disk is asked about
/// repeats and hardly about anything else; what an earlier process left is always asked for.
///
/// Bounds   The filters have `filter_bytes` together; at the bound the oldest goes, and its span is
///          looked up on disk from then on.
/// Threads  The writer's only.
class Dedupe {
 public:
  Dedupe(const Database& database, Duration window, std::size_t filter_bytes);

  /// Begins a commit: adds to `batch` the dropping of spans that are past.
  void begin(Batch& batch, Time now);
  /// Was `identity` seen?
  bool has(std::uint64_t identity) const;
  /// It is seen from now on, as part of `batch`.
  void add(std::uint64_t identity, Batch& batch);
  /// Ends the commit.
  void committed();
  void failed();

 private:
  struct Span {
    std::uint32_t start = 0;
    std::optional<IdentityFilter> filter;  ///< Of all that is in the span.
  };
  Span& current();
  void make_room(std::size_t bytes);

  const Database& database_;
  const std::uint32_t window_;  ///< Minutes, as are all spans.
  const std::uint32_t step_;
  const std::size_t filter_bytes_;
  std::uint32_t now_ = 0;   ///< Start of the span of now.
  std::deque<Span> spans_;  ///< Those that may hold something, ascending.
  std::size_t past_ = 0;    ///< So many of the first go with this commit.
  IdentitySet fresh_;
};

}  // namespace headrace::rocks
