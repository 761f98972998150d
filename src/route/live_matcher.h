#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "route/matcher.h"

namespace headrace {

/// Rules that change while events flow. A thread of its own compiles the changed set, gives it what
/// the set in force has seen of the events, and swaps the two; events are matched all the while by
/// the one that is in force. The old one is freed by that thread once the last match() in it has
/// returned, so nobody who matches ever waits for a compile or frees a large set.
///
/// Threads  All may be called by any number of threads at a time; no call outlives the object.
/// Errors   A change that makes the set impossible (MatcherLimits) is taken back together with the
///          others that were compiled with it; the set in force stays. wait() tells.
class LiveMatcher {
 public:
  explicit LiveMatcher(std::vector<Rule> rules = {}, const MatcherLimits& limits = {});
  ~LiveMatcher();
  LiveMatcher(const LiveMatcher&) = delete;
  LiveMatcher& operator=(const LiveMatcher&) = delete;

  void match(std::string_view event_json, std::vector<std::uint32_t>& matched) const;
  void match(const Event& event, std::vector<std::uint32_t>& matched) const;

  /// Puts a rule in the place of the one that has its id, if there is one. Returns at once with the
  /// number of the change; several that come during one compile are compiled together.
  std::uint64_t put(Rule rule);
  /// Takes a rule out; nothing happens if there is none of this id.
  std::uint64_t remove(std::uint32_t id);

  /// The number of the last change that is in force.
  std::uint64_t in_force() const;
  /// Returns when a change is in force; throws the Error for which it was taken back.
  void wait(std::uint64_t change) const;

 private:
  using Rules = std::map<std::uint32_t, std::shared_ptr<const Rule>>;

  std::uint64_t changed();
  std::shared_ptr<const Matcher> current() const;
  void compile_forever();
  void compile(Rules rules, std::uint64_t change);

  MatcherLimits limits_;
  mutable std::mutex mutex_;
  mutable std::condition_variable news_;
  Rules rules_;
  Rules good_;  // Those of the set in force.
  std::shared_ptr<const Matcher> current_;
  std::uint64_t changes_ = 0;
  std::uint64_t done_ = 0;                               // In force, or taken back.
  std::map<std::uint64_t, std::exception_ptr> refused_;  // By the last change of each compile.
  std::map<std::uint64_t, std::uint64_t> refused_from_;  // Its first one.
  bool stop_ = false;
  std::thread compiler_;
};

}  // namespace headrace
