#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/signal.h"
#include "core/task.h"
#include "query/query.h"
#include "query/resolver.h"
#include "store/stores.h"
#include "table/catalog.h"
#include "upkeep/optimize.h"

namespace headrace {

/// Joins the small files of a stack's tables by itself, as each table's `optimize:` says, while the
/// stack runs. One table at a time; commits to it go on meanwhile.
///
/// It is told of commits, and looks at a table only when enough files may have come together. What
/// fails is logged, and tried again after more commits and a pause.
///
/// Memory   As `engine` allows, only while files are joined.
/// Threads  One executor.
class Caretaker {
 public:
  struct Services {
    Catalog& catalog;
    Stores& stores;
    TableResolver& resolver;
    Clock& clock;
    Random& random;
    const Log& log;
    QueryOptions engine;
    std::filesystem::path scratch;
  };

  /// What `services` refer to outlives the caretaker.
  explicit Caretaker(Services services) : services_(std::move(services)) {}

  /// Files were added to a table of the stack.
  void committed(const std::string& table, std::uint64_t files);
  /// Works until cancelled; throws kCancelled then.
  Task<> run();
  /// Works off what is due now: for tests.
  Task<> run_due();

 private:
  struct Watched {
    std::uint64_t added = 0;     // Files, since the last look.
    std::uint64_t joinable = 0;  // At the last look.
    bool seen = false;           // Was there a look at all?
    Time not_before;             // After a failure.
  };
  bool due(const std::string& table, const Watched& watched) const;
  Task<> look(std::string table);
  Task<> look_at(std::string table, const TableConfig& config);

  Services services_;
  std::map<std::string, Watched> tables_;
  Signal changed_;
};

}  // namespace headrace
