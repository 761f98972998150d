#pragma once

#include <string>

#include "ledger/ledger.h"
#include "source/memory.h"

namespace headrace {

/// What one source remembers, kept as ledger notes under "source/<its name>/".
class LedgerSourceMemory final : public SourceMemory {
 public:
  LedgerSourceMemory(Ledger& ledger, const std::string& source)
      : ledger_(ledger), prefix_("source/" + source + "/") {}

  Task<std::optional<Bytes>> load(std::string key) override {
    co_return co_await ledger_.note(prefix_ + key);
  }
  Task<> save(std::vector<Change> changes) override {
    LedgerWrite write;
    for (Change& change : changes) {
      write.notes.push_back({prefix_ + change.key, std::move(change.value)});
    }
    co_await ledger_.write(std::move(write));
  }

 private:
  Ledger& ledger_;
  std::string prefix_;
};

}  // namespace headrace
