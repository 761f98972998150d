#pragma once

#include <atomic>
#include <string_view>

namespace headrace {

namespace detail {
extern std::atomic<bool> crash_armed;
void crash_if_named(std::string_view name);
}  // namespace detail

/// A named place and moment at which a test may let the process die, as if its power went: no
/// destructor runs, nothing is flushed. The environment arms one: HEADRACE_CRASH_AT=<name> dies the
/// first time it is reached, <name>:<n> the nth time. Unarmed it costs one relaxed load.
inline void crash_point(std::string_view name) {
  if (detail::crash_armed.load(std::memory_order_relaxed)) detail::crash_if_named(name);
}

}  // namespace headrace
