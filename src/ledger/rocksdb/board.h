#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ledger/answer.h"
#include "ledger/ledger.h"
#include "ledger/rocksdb/page.h"

namespace headrace::rocks {

/// What of the ledger is in memory: per route a queue of due tasks and who waits for them, the
/// pages those lie in, and the pages that are due next. The disk holds everything; the board is
/// what of it has been brought near, within the limits.
///
/// Each lane of pages has a head: the end of the commits for ready pages, the time up to which due
/// pages were given out for later ones. A route is at the head of a lane when all its work before
/// the head is in memory; new work then goes straight into its queue. Else it is behind: its work
/// from `next` on is on disk, and the Supplier brings it when the queue runs low. A route falls
/// behind when its queue is full or nobody has taken from it yet; after a start all are behind. So
/// a slow route holds nobody, and costs nothing but its pages on disk.
///
/// Invariant  Work that is not done of route r in page p is in memory, or r is behind with
///            next <= p, or p is a later page beyond the head.
/// Threads    lock() guards all; what takes no lock says so. Answers are only posted under it.
class Board {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using TakeAnswer = AnswerPtr<std::vector<TakenTask>>;

  struct Plan {
    Position from;
    Position to;
    std::vector<RouteId> routes;
  };

  /// `lows`: no live page of a lane lies below. `wake` tells the Supplier to look again.
  Board(LedgerLimits limits, std::array<Position, 2> lows, Time now, std::function<void()> wake);

  Lock lock() const { return Lock(mutex_); }

  // Routes. These lock by themselves.
  std::map<RouteId, std::string> names() const;
  std::map<RouteId, RouteCounters> counters() const;
  bool knows(RouteId route) const;

  /// Tasks that are there now; empty if there are none. Locks.
  std::vector<TakenTask> take_now(RouteId route, std::size_t limit);
  /// Answers as soon as there are tasks. Locks.
  void take_later(RouteId route, std::size_t limit, TakeAnswer answer);
  void give_back(const std::vector<TaskId>& tasks);
  /// Fails whoever waits, now and from now on. Locks.
  void close();

  // The rest is called with the lock held.

  void add_route(RouteId id, std::string name, bool is_new);
  std::optional<RouteId> route_named(const std::string& name) const;
  std::size_t routes() const { return routes_.size(); }
  void count(const CountDeltas& deltas);
  /// All counters, as deltas from nothing.
  CountDeltas count_sums() const;

  // Pages.
  Page* find(std::uint64_t seq) const;
  /// The page in memory with that place: `page`, or the one that is there already.
  Page* adopt(std::unique_ptr<Page> page);
  void hold(Page* page) { ++page->holds; }
  /// Lets go of one hold; a page without any leaves memory.
  void release(Page* page);
  /// Makes a task done, as part of a commit under way; returns what it was.
  MemberState finish(Page* page, Page::Place place);
  /// The commit failed: as it was before finish().
  void restore(Page* page, Page::Place place, MemberState was);
  /// The commit is durable.
  void finished(Page* page, MemberState was, Page::Place place);
  /// New pages of a commit, in order; all numbers below `committed` are on disk from now on.
  void publish(std::vector<std::unique_ptr<Page>> pages, std::uint64_t committed);

  // The Supplier's side. Between plan and its end it reads the disk without the lock.

  /// Hands out what is due at `now`. True if due pages may still be on disk only.
  bool fire(Time now);
  std::optional<Time> next_due() const;
  /// From where to read further ahead, if the due times ahead run low.
  std::optional<Position> plan_ahead(Time now);
  void end_ahead(std::vector<std::unique_ptr<Page>> pages, Position end);
  /// What to read for routes that are behind and hungry, if any.
  std::optional<Plan> plan_catch_up(Lane lane);
  void end_catch_up(Lane lane, const Plan& plan, std::vector<std::unique_ptr<Page>> pages,
                    Position end);
  /// Did the page leave memory since the plan? Then what was read of it may be outdated.
  bool left_memory(std::uint64_t seq) const { return left_memory_.contains(seq); }
  std::uint64_t committed() const { return committed_; }

  /// Nothing of these routes is due or running, as far as memory knows. `from`: where in each lane
  /// the disk must be asked, too.
  bool quiet(const std::vector<RouteId>& routes, std::array<Position, 2>& from) const;
  std::uint64_t pending(const std::vector<RouteId>& routes) const;
  /// No live page of the lane lies below.
  Position low(Lane lane) const;

  /// Where later pages lie that somebody was told of, by seq: bounded, may forget.
  std::unordered_map<std::uint64_t, std::uint64_t> due_hints;
  static constexpr std::size_t kMaxHints = 100'000;

 private:
  struct Entry {
    Page* page;
    std::uint32_t part;
    std::uint32_t from;
    std::uint32_t to;
  };
  struct Waiter {
    std::size_t limit;
    TakeAnswer answer;
  };
  struct Route {
    std::string name;
    RouteCounters counters;
    bool wanted = false;  ///< Somebody has taken from it.
    std::array<bool, 2> at_head{};
    std::array<Position, 2> next{};
    std::deque<Entry> queue;
    std::size_t queued = 0;  ///< Tasks in state kQueued.
    std::size_t taken = 0;
    std::deque<Waiter> waiters;
    bool to_serve = false;
  };

  Route* route(RouteId id);
  const Route* route(RouteId id) const;
  bool room(const Route& route) const;
  bool behind(const Route& route) const { return !route.at_head[0] || !route.at_head[1]; }
  bool hungry(const Route& route) const;
  Position head(Lane lane) const;
  void fall_behind(Route& route, Lane lane, Position at);
  void load(Page* page, std::uint32_t part, Route& route);
  /// A page at its turn: into the queues of routes at the head; the others are or fall behind.
  void distribute(Page* page);
  void keep_ahead(Page* page);
  void trim_ahead();
  std::vector<TakenTask> pop(Route& route, std::size_t limit);
  void serve(Route& route);
  void serve_all();
  void drop(Page* page);

  const LedgerLimits limits_;
  const std::array<Position, 2> lows_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::deque<Route> routes_;  ///< Route n at n - 1; addresses stay.
  std::vector<Route*> to_serve_;

  std::array<std::map<Position, std::unique_ptr<Page>>, 2> pages_;
  std::unordered_map<std::uint64_t, Page*> by_seq_;
  std::size_t bytes_ = 0;  ///< Of payloads in memory.
  bool starved_ = false;   ///< A route was refused for want of bytes.

  std::map<Position, Page*> ahead_;  ///< Pages that are not due yet, in due order.
  std::size_t ahead_bytes_ = 0;
  std::uint64_t committed_ = 0;
  Position fired_;    ///< Head of the later lane.
  Position horizon_;  ///< Later pages in [fired_, horizon_) are all in ahead_.

  bool reading_ = false;  ///< The Supplier is between a plan and its end.
  Position missed_;       ///< Least later page published since the plan that it may not see.
  std::unordered_set<std::uint64_t> left_memory_;
};

}  // namespace headrace::rocks
