#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "route/explain.h"
#include "route/lint.h"
#include "route/matcher.h"

namespace headrace {

/// A route as far as choosing events goes.
struct RouteRule {
  std::string name;
  std::vector<std::string> from;  ///< Names of sources; empty takes events of all.
  Pattern pattern;
};

/// All routes of a stack: which of them want an event. They are numbered in the order given.
///
/// They never change. Where rules change while events flow, a second set is made beside the one
/// that answers, on another thread, and takes its place in one step. Whoever shares the old one
/// last frees it, which takes a while for a large one: who matches should not be the last, and
/// hands it to the thread that made the new one.
///
/// Threads  All may be called by any number of threads at a time.
class Routes {
 public:
  /// Throws kInvalid for rules that are too many (matcher.h); the message names the route. What
  /// `before`, the set in force, has seen of the events helps to answer the next ones quickly; it
  /// may answer meanwhile.
  explicit Routes(std::vector<RouteRule> rules, const Routes* before = nullptr);

  std::size_t size() const { return names_.size(); }
  const std::string& name(std::uint32_t route) const { return names_[route]; }

  /// The numbers of the routes that want the event, ascending.
  std::vector<std::uint32_t> wanting(const Event& event) const;
  /// The same, for who has the event's JSON already. Throws kCorrupt if it is not one JSON object.
  std::vector<std::uint32_t> wanting(const Event& event, std::string_view event_json) const;
  /// Routes with one number take the same sources: an object that several of these announce is one
  /// event for all of them. Stable for ever, since the ledger's memory depends on it.
  std::uint64_t audience(std::uint32_t route) const { return audiences_[route]; }
  /// One per route, in their order. A route that takes other sources refuses the field `from`.
  std::vector<Explanation> explain(const Event& event) const;
  /// What is odd about them (lint.h). A route shadows another only if it takes all its sources.
  std::vector<LintFinding> lint() const;

 private:
  bool takes_from(std::uint32_t route, std::string_view source) const;

  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> from_;  // By route.
  std::vector<std::uint64_t> audiences_;        // By route.
  std::vector<Rule> rules_;                     // For explain() and lint().
  Matcher matcher_;
};

}  // namespace headrace
