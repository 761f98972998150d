#pragma once

#include <map>
#include <string>

#include "core/error.h"
#include "source/memory.h"

namespace headrace {

/// A SourceMemory that outlives its sources, as the ledger does, and fails when told to.
class FakeSourceMemory final : public SourceMemory {
 public:
  Task<std::optional<Bytes>> load(std::string key) override {
    const auto found = values.find(key);
    if (found == values.end()) co_return std::nullopt;
    co_return found->second;
  }

  Task<> save(std::vector<Change> changes) override {
    ++saves;
    if (fail_after && saves > *fail_after) throw Error(ErrorKind::kTransient, "disk full");
    for (auto& [key, value] : changes) {
      if (value) {
        bytes_saved += value->size();
        values[key] = std::move(*value);
      } else {
        values.erase(key);
      }
    }
    co_return;
  }

  std::map<std::string, Bytes> values;
  std::size_t saves = 0;
  std::size_t bytes_saved = 0;
  std::optional<std::size_t> fail_after;  ///< Saves that work; all later ones fail.
};

}  // namespace headrace
