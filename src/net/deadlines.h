#pragma once

#include <functional>
#include <list>
#include <memory>

#include "core/clock.h"
#include "core/task.h"

namespace headrace {

/// The timeouts of many connections, kept by one sleeping task that looks at all of them every so
/// often. So a read or write costs no timer of its own, and a deadline is kept to within `period`.
/// The task runs only while there is something to watch.
///
/// Threads  One executor, which also destroys it.
class Deadlines {
  struct State;

 public:
  /// The deadline of one connection.
  class Watch {
   public:
    /// `expire` is called on the executor when a deadline has passed. It may destroy this watch,
    /// but no other.
    Watch(Deadlines& deadlines, std::function<void()> expire);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void start(Duration span);
    void stop() { due_ = Duration::max(); }
    /// A deadline has passed since the watch was made.
    bool expired() const { return expired_; }

   private:
    friend class Deadlines;
    std::shared_ptr<State> state_;
    std::list<Watch*>::iterator place_;
    std::function<void()> expire_;
    Duration due_ = Duration::max();
    bool expired_ = false;
  };

  Deadlines(Executor executor, Clock& clock, Duration period);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

 private:
  static Task<> sweep(std::shared_ptr<State> state);
  static void expire_due(State& state);

  std::shared_ptr<State> state_;
};

}  // namespace headrace
