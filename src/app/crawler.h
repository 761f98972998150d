#pragma once

#include <map>
#include <optional>
#include <string>

#include "app/stack_file.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/task.h"
#include "query/query.h"
#include "query/resolver.h"

namespace headrace {

/// Crawls the datasets of a stack that say how often, one after the other, while it runs, and keeps
/// what was found as `headrace dataset crawl` does. How long ago a crawl was counts across restarts
/// and whoever made it. What fails is logged, and tried again after the same time.
///
/// Memory   As `engine` allows, only while a dataset is crawled.
/// Threads  One executor.
class Crawler {
 public:
  struct Services {
    TableResolver& resolver;
    Clock& clock;
    Random& random;
    const Log& log;
    QueryOptions engine;
  };

  /// `stack` and what `services` refer to outlive the crawler.
  Crawler(const StackFile& stack, Services services) : stack_(stack), services_(services) {}

  /// Works until cancelled; ends at once if no dataset says how often.
  Task<> run();
  /// Crawls what is due now; says when the next is.
  Task<std::optional<Time>> run_due();

 private:
  Time due_at(const std::string& dataset, Duration every);
  Task<> crawl(std::string dataset, Duration every);

  const StackFile& stack_;
  Services services_;
  std::map<std::string, Time> not_before_;  // After a failure.
};

}  // namespace headrace
