#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "core/clock.h"

namespace headrace {

/// A clock that stands still until told to move. Any thread may call; sleepers resume on their own
/// executors.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = Time(std::chrono::seconds(1'800'000'000)));
  ~ManualClock() override;

  Time now() const override;
  Duration monotonic() const override;
  Task<> sleep_until(Time due) override;

  /// Moves time forward and wakes whoever is due.
  void advance(Duration span);
  /// How many tasks sleep now: lets a test wait until everything is quiet.
  std::size_t sleepers() const;
  /// The earliest due time among the sleepers, if any sleeps.
  std::optional<Time> next_due() const;

 private:
  struct Sleeper;
  mutable std::mutex mutex_;
  Time now_;
  const Time start_;
  std::multimap<Time, std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace headrace
