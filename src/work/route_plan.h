#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/retry.h"
#include "ledger/ledger.h"
#include "route/routes.h"
#include "step/step.h"

namespace headrace {

/// A route made ready to run: what the stack says, with its steps built.
struct RoutePlan {
  std::string name;
  RouteId id{};
  /// Names the route in the records of its sink, before the group: no other route of any stack has
  /// the same.
  std::string writer;
  std::vector<std::unique_ptr<Step>> steps;
  std::unique_ptr<Sink> sink;  ///< After the steps; may be null.
  Duration after{};            ///< From when the event happened to when it is due.
  RetryPolicy retry;
  std::size_t concurrency = 16;           ///< Tasks of this route running at a time.
  std::optional<double> rate_per_second;  ///< Tasks started per second; bursts of one second.
  Duration keep_dead = std::chrono::hours(24 * 14);
  std::vector<std::string> unless_tagged;  ///< Objects with any of these tags are skipped.
  std::uint64_t match_hash = 0;            ///< Of all that its `match:` says.
};

/// The routes of a stack: which events they want, and what they do with them. `plans` is indexed as
/// `rules` numbers them, and a plan stays where it is for as long as its route is worked.
struct RouteTable {
  std::vector<std::unique_ptr<RoutePlan>> plans;
  std::shared_ptr<const Routes> rules;
};

}  // namespace headrace
