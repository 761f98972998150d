#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "source/memory.h"
#include "source/object_event.h"
#include "source/source.h"
#include "store/store.h"

namespace headrace {

struct ListingOptions {
  std::string name;   ///< The source's, in the stack.
  std::string store;  ///< The store's, in the stack.
  std::string bucket;
  std::string prefix;
  std::optional<Duration> every;     ///< From the start of one pass to the next; absent: one pass.
  std::size_t remember = 4'000'000;  ///< Objects; at most 32 bytes of memory each.
  std::size_t parallel = 1;          ///< Requests at a time.
};

/// Lists a prefix, once or every so often, and gives each object that it has not given before with
/// this content (GivenObjects). Deleted objects are no events here.
///
/// With `parallel` above 1, folders and ranges of flat prefixes (key_range.h) are listed beside
/// each other, and keys come in no order. What is there when a pass begins, and stays, is given;
/// what appears meanwhile is given by this pass or the next. Memory holds that many pages, and 16
/// bytes for each object that was given: no names.
///
/// A pass that failed goes on where it stopped when next() is called again. drain() ends it after
/// the first pass that started after it was called.
/// What is handed over by reference outlives the source.
std::unique_ptr<Source> make_listing_source(ListingOptions options, Store& store,
                                            KeyMatcher matcher, SourceMemory& memory, Clock& clock,
                                            Random& random, const Log& log);

}  // namespace headrace
