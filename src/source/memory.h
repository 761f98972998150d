#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/task.h"

namespace headrace {

/// Where sources keep what they have given, durably: named values of at most 256 KiB, the name of
/// the source first. The engine's is made of the ledger's notes.
///
/// Errors   Error; kTransient when the disk is full.
/// Threads  The executor of the sources.
class SourceMemory {
 public:
  struct Change {
    std::string key;
    std::optional<Bytes> value;  ///< nullopt removes it.
  };

  virtual ~SourceMemory() = default;
  virtual Task<std::optional<Bytes>> load(std::string key) = 0;
  /// Durable when it returns, all of it or nothing.
  virtual Task<> save(std::vector<Change> changes) = 0;
};

}  // namespace headrace
