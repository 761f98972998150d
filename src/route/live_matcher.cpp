#include "route/live_matcher.h"

#include <utility>

namespace headrace {
namespace {

/// So many failed compiles are remembered for wait().
constexpr std::size_t kMostRefused = 100;

}  // namespace

LiveMatcher::LiveMatcher(std::vector<Rule> rules, const MatcherLimits& limits) : limits_(limits) {
  for (const Rule& rule : rules) rules_[rule.id] = std::make_shared<const Rule>(rule);
  good_ = rules_;
  current_ = std::make_shared<const Matcher>(std::move(rules), nullptr, limits_);
  compiler_ = std::thread([this] { compile_forever(); });
}

LiveMatcher::~LiveMatcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  news_.notify_all();
  compiler_.join();
}

std::shared_ptr<const Matcher> LiveMatcher::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void LiveMatcher::match(std::string_view event_json, std::vector<std::uint32_t>& matched) const {
  current()->match(event_json, matched);
}

void LiveMatcher::match(const Event& event, std::vector<std::uint32_t>& matched) const {
  current()->match(event, matched);
}

/// Under the lock.
std::uint64_t LiveMatcher::changed() {
  news_.notify_all();
  return ++changes_;
}

std::uint64_t LiveMatcher::put(Rule rule) {
  auto shared = std::make_shared<const Rule>(std::move(rule));
  const std::lock_guard lock(mutex_);
  rules_[shared->id] = std::move(shared);
  return changed();
}

std::uint64_t LiveMatcher::remove(std::uint32_t id) {
  const std::lock_guard lock(mutex_);
  rules_.erase(id);
  return changed();
}

std::uint64_t LiveMatcher::in_force() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

void LiveMatcher::wait(std::uint64_t change) const {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [&] { return done_ >= change; });
  const auto refused = refused_.lower_bound(change);
  if (refused != refused_.end() && refused_from_.at(refused->first) <= change) {
    std::rethrow_exception(refused->second);
  }
}

void LiveMatcher::compile_forever() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [&] { return stop_ || done_ < changes_; });
    if (stop_) return;
    Rules rules = rules_;
    const std::uint64_t change = changes_;
    lock.unlock();
    compile(std::move(rules), change);
    lock.lock();
  }
}

void LiveMatcher::compile(Rules rules, std::uint64_t change) {
  std::shared_ptr<const Matcher> old = current();
  std::shared_ptr<const Matcher> made;
  std::exception_ptr failure;
  try {
    std::vector<Rule> list;
    list.reserve(rules.size());
    for (const auto& [id, rule] : rules) list.push_back(*rule);
    made = std::make_shared<const Matcher>(std::move(list), old.get(), limits_);
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    if (made) {
      current_ = std::move(made);
      std::swap(good_, rules);
    } else {
      refused_[change] = failure;
      refused_from_[change] = done_ + 1;
      if (refused_.size() > kMostRefused) {
        refused_from_.erase(refused_.begin()->first);
        refused_.erase(refused_.begin());
      }
      // What came since is kept: it stands on its own.
      Rules back = good_;
      for (const auto& [id, rule] : rules_) {
        const auto compiled = rules.find(id);
        if (compiled == rules.end() || compiled->second != rule) back[id] = rule;
      }
      for (const auto& [id, rule] : rules) {
        if (!rules_.contains(id)) back.erase(id);
      }
      rules_ = std::move(back);
    }
    done_ = change;
  }
  news_.notify_all();
  if (failure) return;
  // Nobody gets hold of the old one any more; whoever still matches with it is done in no time.
  while (old.use_count() > 1) std::this_thread::yield();
}

}  // namespace headrace
