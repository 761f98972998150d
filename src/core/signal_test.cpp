#include "core/signal.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace headrace {
namespace {

/// Tasks on one loop that a test moves on by hand.
class SignalTest : public testing::Test {
 protected:
  struct Running {
    boost::asio::cancellation_signal cancel;
    std::string how = "waits";
  };

  Running& start(Task<> task) {
    Running& running = started_.emplace_back();
    boost::asio::co_spawn(*loop_, std::move(task),
                          boost::asio::bind_cancellation_slot(
                              running.cancel.slot(), [&running](std::exception_ptr failure) {
                                running.how = how(failure);
                              }));
    settle();
    return running;
  }
  void settle() {
    loop_->restart();
    loop_->poll();
  }
  static std::string how(const std::exception_ptr& failure) {
    if (!failure) return "done";
    return to_error(failure).kind() == ErrorKind::kCancelled ? "cancelled" : "failed";
  }
  static void cancel(Running& running) {
    running.cancel.emit(boost::asio::cancellation_type::terminal);
  }

  std::list<Running> started_;
  std::unique_ptr<boost::asio::io_context> loop_ = std::make_unique<boost::asio::io_context>();
};

TEST_F(SignalTest, WakesAllWhoWait) {
  Signal signal;
  Running& one = start(signal.wait());
  Running& other = start(signal.wait());
  EXPECT_EQ(one.how, "waits");
  signal.notify_all();
  settle();
  EXPECT_EQ(one.how, "done");
  EXPECT_EQ(other.how, "done");
}

TEST_F(SignalTest, IsNotRememberedForWhoComesLater) {
  Signal signal;
  signal.notify_all();
  Running& late = start(signal.wait());
  EXPECT_EQ(late.how, "waits");
  signal.notify_all();
  settle();
  EXPECT_EQ(late.how, "done");
}

TEST_F(SignalTest, ACancelledWaitThrowsAndOthersGoOnWaiting) {
  Signal signal;
  Running& one = start(signal.wait());
  Running& other = start(signal.wait());
  cancel(one);
  settle();
  EXPECT_EQ(one.how, "cancelled");
  EXPECT_EQ(other.how, "waits");
  signal.notify_all();
  settle();
  EXPECT_EQ(other.how, "done");
}

TEST_F(SignalTest, WhoWasNotifiedBeforeItIsCancelledIsNotified) {
  Signal signal;
  std::size_t woken = 0;
  auto wait = [&]() -> Task<> {
    co_await signal.wait();
    ++woken;
  };
  Running& one = start(wait());
  signal.notify_all();
  cancel(one);
  settle();
  EXPECT_EQ(woken, 1u);
}

TEST_F(SignalTest, MayBeNotifiedByWhoItWoke) {
  Signal signal;
  auto echo = [&]() -> Task<> {
    co_await signal.wait();
    signal.notify_all();
    co_await signal.wait();
  };
  Running& one = start(echo());
  Running& other = start(echo());
  signal.notify_all();
  settle();
  signal.notify_all();
  settle();
  EXPECT_EQ(one.how, "done");
  EXPECT_EQ(other.how, "done");
}

TEST_F(SignalTest, ForgetsWhoWasDestroyedWhileWaiting) {
  Signal signal;
  start(signal.wait());
  loop_ = std::make_unique<boost::asio::io_context>();
  signal.notify_all();  // Nobody is there to be touched.
  Running& next = start(signal.wait());
  signal.notify_all();
  settle();
  EXPECT_EQ(next.how, "done");
}

class SlotsTest : public SignalTest {
 protected:
  /// Takes up to `most`; says how many once it has them.
  Task<> take(Slots& slots, std::size_t most, std::optional<std::size_t>& taken) {
    taken = co_await slots.acquire(most);
  }
};

TEST_F(SlotsTest, GivesWhatIsFreeUpToWhatIsAskedFor) {
  Slots slots(5);
  std::optional<std::size_t> first;
  std::optional<std::size_t> second;
  start(take(slots, 3, first));
  start(take(slots, 100, second));
  EXPECT_EQ(first, 3u);
  EXPECT_EQ(second, 2u);
  EXPECT_EQ(slots.used(), 5u);
}

TEST_F(SlotsTest, WhoComesWhenNoneIsFreeWaitsForARelease) {
  Slots slots(2);
  std::optional<std::size_t> first;
  std::optional<std::size_t> second;
  start(take(slots, 2, first));
  start(take(slots, 2, second));
  EXPECT_FALSE(second);
  slots.release(1);
  settle();
  EXPECT_EQ(second, 1u);
  EXPECT_EQ(slots.used(), 2u);
}

TEST_F(SlotsTest, OneFreeSlotServesOneOfThoseWhoWait) {
  Slots slots(1);
  std::optional<std::size_t> holder;
  std::optional<std::size_t> one;
  std::optional<std::size_t> other;
  start(take(slots, 1, holder));
  start(take(slots, 1, one));
  start(take(slots, 1, other));
  slots.release(1);
  settle();
  EXPECT_NE(one.has_value(), other.has_value());
  slots.release(1);
  settle();
  EXPECT_TRUE(one && other);
}

TEST_F(SlotsTest, ACancelledWaitTakesNone) {
  Slots slots(1);
  std::optional<std::size_t> holder;
  std::optional<std::size_t> waiting;
  start(take(slots, 1, holder));
  Running& cut = start(take(slots, 1, waiting));
  cancel(cut);
  settle();
  EXPECT_EQ(cut.how, "cancelled");
  slots.release(1);
  settle();
  EXPECT_FALSE(waiting);
  EXPECT_EQ(slots.used(), 0u);
}

TEST_F(SlotsTest, AllFreeWaitsForTheLastHolder) {
  Slots slots(3);
  EXPECT_EQ(start(slots.all_free()).how, "done");
  std::optional<std::size_t> taken;
  start(take(slots, 2, taken));
  Running& waiting = start(slots.all_free());
  slots.release(1);
  settle();
  EXPECT_EQ(waiting.how, "waits");
  slots.release(1);
  settle();
  EXPECT_EQ(waiting.how, "done");
}

}  // namespace
}  // namespace headrace
