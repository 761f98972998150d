#include "core/crash_point.h"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace headrace::detail {
namespace {

struct Armed {
  std::string name;
  std::atomic<int> left = 1;

  Armed() {
    const char* set = std::getenv("HEADRACE_CRASH_AT");
    const std::string_view text = set == nullptr ? "" : set;
    const std::size_t colon = text.find(':');
    name = text.substr(0, colon);
    if (colon == std::string_view::npos) return;
    int count = 1;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
    left = count;
  }
};

Armed& armed() {
  static Armed one;
  return one;
}

}  // namespace

std::atomic<bool> crash_armed = !armed().name.empty();

void crash_if_named(std::string_view name) {
  // SIGKILL cannot be caught: whatever would tidy up on the way out does not run.
  if (name == armed().name && armed().left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

}  // namespace headrace::detail
