// The input is a pattern, a line end, and an event. Neither may do more than be refused, and the
// matcher and the explanation answer alike.
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "core/error.h"
#include "route/explain.h"
#include "route/json_tree.h"
#include "route/matcher.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  std::vector<Rule> rules;
  try {
    rules.push_back({1, Pattern::parse(input.substr(0, end))});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) std::abort();
  }
  const std::string_view event = input.substr(end + 1);
  std::optional<bool> is_json = false;
  try {
    is_json = parse_json_tree(event).kind == JsonTree::Kind::kObject;
  } catch (const Error& error) {
    // Deeper than a pattern may be, but perhaps not than an event: this reader cannot tell.
    if (std::string_view(error.what()).contains("levels deep")) is_json.reset();
  }
  try {
    std::vector<std::uint32_t> matched;
    Matcher(rules).match(event, matched);
    if (is_json == false) std::abort();
    for (const Explanation& told : explain(rules, event)) {
      if (told.matches != !matched.empty()) std::abort();
    }
  } catch (const Error& error) {
    const std::string_view what = error.what();
    if (error.kind() != ErrorKind::kCorrupt) std::abort();
    if (is_json == true && !what.contains("levels deep") && !what.contains("too many ways")) {
      std::abort();
    }
  }
  return 0;
}
