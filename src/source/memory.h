#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/task.h"

namespace headrace {

/// Where one source keeps what it has given, durably: named values of at most 256 KiB. The engine's
/// is made of the ledger's notes.
///
/// Errors   Error; kTransient when the disk is full.
/// Threads  The executor of its source.
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
