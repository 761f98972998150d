#include "ledger/rocksdb/supplier.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "ledger/rocksdb/rows.h"

namespace headrace::rocks {
namespace {

/// What is read at once: about a millisecond's worth.
constexpr std::size_t kPortion = 512 * 1024;
constexpr Duration kAfterFailure = std::chrono::seconds(1);

}  // namespace

/// The one sleep under way.
struct Supplier::Alarm {
  Time due;
  boost::asio::cancellation_signal cancel;
};

void Supplier::start(Board& board, const Database& database) {
  board_ = &board;
  database_ = &database;
  boost::asio::co_spawn(loop_, run(), boost::asio::detached);
  thread_ = std::thread([this] { loop_.run(); });
}

void Supplier::wake() {
  if (waking_.exchange(true)) return;
  boost::asio::post(loop_, [this] {
    waking_ = false;
    changed_ = true;
    signal_.notify_all();
  });
}

void Supplier::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(loop_, [this] {
    stopping_ = changed_ = true;
    set_alarm(std::nullopt);
    signal_.notify_all();
  });
  thread_.join();
}

Task<> Supplier::run() {
  while (!stopping_) {
    changed_ = false;
    bool more = false;
    std::optional<Time> next;
    try {
      more = work();
      const auto held = board_->lock();
      next = board_->next_due();
    } catch (...) {
      log_.warning("reading the ledger failed, will be tried again",
                   {{"error", to_error(std::current_exception()).what()}});
      next = clock_.now() + kAfterFailure;
    }
    if (more) {
      // Lets stop() and the clock have their turn.
      co_await boost::asio::post(boost::asio::use_awaitable);
      continue;
    }
    set_alarm(next);
    while (!changed_) co_await signal_.wait();
  }
  set_alarm(std::nullopt);
}

void Supplier::set_alarm(std::optional<Time> due) {
  if (alarm_ && due && alarm_->due == *due) return;
  if (const auto old = std::exchange(alarm_, nullptr)) {
    old->cancel.emit(boost::asio::cancellation_type::terminal);
  }
  if (!due || stopping_) return;
  alarm_ = std::make_shared<Alarm>();
  alarm_->due = *due;
  boost::asio::co_spawn(
      loop_, ring(alarm_),
      boost::asio::bind_cancellation_slot(alarm_->cancel.slot(), boost::asio::detached));
}

Task<> Supplier::ring(std::shared_ptr<Alarm> alarm) {
  try {
    co_await clock_.sleep_until(alarm->due);
  } catch (const Error&) {
    co_return;  // Another alarm takes its place.
  }
  if (alarm_ == alarm) alarm_ = nullptr;
  changed_ = true;
  signal_.notify_all();
}

bool Supplier::work() {
  bool more = false;
  {
    const auto held = board_->lock();
    more = board_->fire(clock_.now());
  }
  more = read_ahead() || more;
  more = catch_up(Lane::kReady) || more;
  return catch_up(Lane::kLater) || more;
}

std::vector<std::unique_ptr<Page>> Supplier::still_true(std::vector<std::unique_ptr<Page>> pages) {
  for (std::unique_ptr<Page>& page : pages) {
    if (board_->find(page->at.seq) == nullptr && board_->left_memory(page->at.seq)) {
      page = read_page(*database_, page->at);
    }
  }
  std::erase(pages, nullptr);
  return pages;
}

bool Supplier::read_ahead() {
  std::optional<Position> from;
  {
    const auto held = board_->lock();
    from = board_->plan_ahead(clock_.now());
  }
  if (!from) return false;
  PageRun run{{}, *from};
  std::exception_ptr failure;
  try {
    run = read_pages(*database_, Lane::kLater, *from, Position::last(), kPortion);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto held = board_->lock();
  board_->end_ahead(still_true(std::move(run.pages)), run.end);
  if (failure) std::rethrow_exception(failure);
  return true;
}

bool Supplier::catch_up(Lane lane) {
  std::optional<Board::Plan> plan;
  {
    const auto held = board_->lock();
    plan = board_->plan_catch_up(lane);
  }
  if (!plan) return false;
  PageRun run{{}, plan->from};
  std::exception_ptr failure;
  try {
    run = read_pages(*database_, lane, plan->from, plan->to, kPortion);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto held = board_->lock();
  board_->end_catch_up(lane, *plan, still_true(std::move(run.pages)), run.end);
  if (failure) std::rethrow_exception(failure);
  return true;
}

}  // namespace headrace::rocks
