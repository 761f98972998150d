#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>

#include "core/clock.h"
#include "core/log.h"
#include "core/signal.h"
#include "ledger/rocksdb/board.h"
#include "ledger/rocksdb/database.h"

namespace headrace::rocks {

/// Keeps the board supplied, on a thread of its own: hands out what comes due, reads the due times
/// ahead, and brings from disk what routes that are behind can take. Reads in small portions, so
/// that nothing due waits for long.
class Supplier {
 public:
  Supplier(Clock& clock, const Log& log) : clock_(clock), log_(log) {}
  ~Supplier() { stop(); }

  void start(Board& board, const Database& database);
  /// Look again. Any thread.
  void wake();
  void stop();

 private:
  struct Alarm;

  Task<> run();
  /// One portion of each kind of work; true if there may be more.
  bool work();
  bool read_ahead();
  bool catch_up(Lane lane);
  /// What was read, without what is outdated since. With the board's lock.
  std::vector<std::unique_ptr<Page>> still_true(std::vector<std::unique_ptr<Page>> pages);
  void set_alarm(std::optional<Time> due);
  Task<> ring(std::shared_ptr<Alarm> alarm);

  Clock& clock_;
  const Log& log_;
  Board* board_ = nullptr;
  const Database* database_ = nullptr;

  boost::asio::io_context loop_;
  std::atomic<bool> waking_ = false;  ///< A wake-up is on its way to the loop.
  // The rest is the loop's.
  bool stopping_ = false;
  bool changed_ = false;
  Signal signal_;
  std::shared_ptr<Alarm> alarm_;
  std::thread thread_;
};

}  // namespace headrace::rocks
