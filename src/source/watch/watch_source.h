#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/task.h"
#include "source/memory.h"
#include "source/object_event.h"
#include "source/source.h"

namespace headrace {

struct WatchOptions {
  std::string name;   ///< The source's, in the stack.
  std::string store;  ///< The store's, in the stack.
  std::string root;   ///< The folder of that file store.
  std::string bucket;
  std::string prefix;
  /// A file that was there before the watch is taken when it has not changed for this long.
  Duration settle = std::chrono::seconds(2);
  std::size_t remember = 4'000'000;  ///< Objects; at most 32 bytes of memory each.
};

/// Watches a file store's folder with inotify and gives what lands there, at once, and what is
/// deleted. At its start it gives what is there and was not given before (GivenObjects).
///
/// Whole files   A file is taken when a program closes it after writing, or moves it to its place.
///               One that was there before is taken when it has not changed for `settle`; so is a
///               new hard link. Changes faster than they are read are folded: the last counts.
/// Hidden names  What has a name behind `prefix` that begins with a dot is passed over: programs
///               write under such a name and rename. Of a file that was not given, such as another
///               temporary one, no deletion is told either.
/// Folders       The whole tree, with folders that appear later; the watched folder itself is made
///               if it is missing. A folder that is moved away gives no events for what was in it.
/// Overflow      When the kernel drops changes, everything is listed again. Deletions among them go
///               unseen, as do deletions while nobody watches.
/// drain()       Ends when all that is there was given. A file that keeps changing is left for the
///               next run.
/// Bounds        65,536 changes and as many settling files are held; beyond, the kernel holds them,
///               and then drops them as above. One watch per folder; too few is kInvalid.
/// Blocking calls run on `io`. What is handed over by reference outlives the source.
std::unique_ptr<Source> make_watch_source(WatchOptions options, KeyMatcher matcher,
                                          SourceMemory& memory, CpuPool& io, Clock& clock,
                                          Random& random, const Log& log);

}  // namespace headrace
