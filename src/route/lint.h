#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "route/matcher.h"

namespace headrace {

/// Something about a rule that its author may not have meant. The rule works as it stands.
struct LintFinding {
  std::string rule;   ///< Its name, or its number.
  std::string field;  ///< Empty if it is about all of the rule.
  std::string kind;   ///< "never", "needless", "shadowed" or "costly".
  std::string what;
};

struct LintOptions {
  /// The rules are asked of Headrace's own events, whose fields and types are known. False for
  /// rules that are asked of rows or messages.
  bool of_events = true;
  /// May the rule at the first place shadow the one at the second? Empty: any may.
  std::function<bool(std::size_t, std::size_t)> may_shadow = {};
};

/// Rules of which at most so many are compared with each other for shadows; also conditions of a
/// field, though of plain strings there may be more.
constexpr std::size_t kMostCompared = 2000;

/// What is wrong with rules that are right, in the order of the rules:
///   never     a condition, or a whole field, that no event can fit
///   needless  a condition that another one of the same field includes
///   shadowed  every event that the rule wants another rule wants too
///   costly    a wildcard that takes more work than it has to
std::vector<LintFinding> lint(std::span<const Rule> rules, const LintOptions& options = {});

/// Does every scalar that fits `narrow` fit `wide`? False where it is not known.
bool implies(const Condition& narrow, const Condition& wide);

}  // namespace headrace
