#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "route/matcher.h"

namespace headrace {

/// Whether a rule wants an event and, if not, what stands in the way.
struct Explanation {
  std::uint32_t id = 0;
  bool matches = false;
  std::string field;  ///< The path of the field that refused; empty if the rule matches.
  std::string why;    ///< "it is \"a.txt\", which does not fit: ends with \".json\"".
};

/// One explanation per rule, in their order, with the same answers as a Matcher. Slow: for people.
/// Of a rule with several alternatives the one that came nearest is told. Throws kCorrupt if the
/// event is not one JSON object.
std::vector<Explanation> explain(std::span<const Rule> rules, std::string_view event_json);

}  // namespace headrace
