#include "app/crawler.h"

#include <algorithm>
#include <exception>

#include "app/dataset_files.h"
#include "core/error.h"

namespace headrace {

Task<> Crawler::run() {
  while (const auto next = co_await run_due()) co_await services_.clock.sleep_until(*next);
}

Task<std::optional<Time>> Crawler::run_due() {
  std::optional<Time> next;
  for (const auto& [name, config] : stack_.datasets) {
    if (!config->crawl.every) continue;
    const Duration every = *config->crawl.every;
    if (due_at(name, every) <= services_.clock.now()) co_await crawl(name, every);
    const Time due = due_at(name, every);
    next = next ? std::min(*next, due) : due;
  }
  co_return next;
}

Time Crawler::due_at(const std::string& dataset, Duration every) {
  const Time not_before = not_before_[dataset];
  try {
    const auto kept = load_dataset_state(stack_, dataset);
    return kept ? std::max(kept->crawled + every, not_before) : not_before;
  } catch (const Error&) {
    return not_before;  // A crawl says what is wrong with it.
  }
}

Task<> Crawler::crawl(std::string dataset, Duration every) {
  not_before_[dataset] = services_.clock.now() + every;
  std::optional<Error> failure;
  try {
    Query query(services_.engine, services_.resolver, services_.clock, services_.random);
    Crawl found = co_await query.crawl(dataset, /*anew=*/false);
    const std::size_t changes = found.changes.size();
    save_dataset_state(stack_, dataset, std::move(found.state));
    services_.log.info(
        "dataset crawled",
        {{"dataset", dataset}, {"objects_read", found.objects_read}, {"changes", changes}});
  } catch (...) {
    failure = to_error(std::current_exception());
  }
  if (!failure) co_return;
  if (failure->kind() == ErrorKind::kCancelled) throw *failure;
  services_.log.warning(
      "a dataset was not crawled; tried again later",
      {{"dataset", dataset}, {"kind", to_string(failure->kind())}, {"error", failure->what()}});
}

}  // namespace headrace
