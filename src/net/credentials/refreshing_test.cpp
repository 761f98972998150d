#include "net/credentials/refreshing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

#include "core/error.h"
#include "testing/manual_clock.h"

namespace headrace {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Fetches wait until the test lets them end, as if a service were slow.
class RefreshingTest : public testing::Test {
 protected:
  /// One get() and what became of it.
  struct Call {
    std::string key;  ///< Of what it gave; "(waiting)" before.
    std::optional<ErrorKind> failed;
    boost::asio::cancellation_signal stop;
  };

  Task<Found> fetch() {
    ++fetches_;
    while (!let_through_) co_await gate_.wait();
    if (fail_) throw Error(*fail_, "the service is down");
    if (nothing_) co_return Found{std::nullopt, "everywhere"};
    co_return Found{Credentials{.access_key = fmt::format("key-{}", fetches_),
                                .secret_key = "secret",
                                .session_token = "token",
                                .expires = clock_.now() + life_,
                                .origin = "a service"},
                    {}};
  }

  Call& get() {
    Call& call = *calls_.emplace_back(std::make_unique<Call>());
    call.key = "(waiting)";
    boost::asio::co_spawn(
        loop_, provider_.get(),
        boost::asio::bind_cancellation_slot(
            call.stop.slot(),
            [&call](std::exception_ptr error, const std::optional<Credentials>& credentials) {
              if (error) call.failed = to_error(error).kind();
              call.key = error ? "(failed)" : credentials->access_key;
            }));
    settle();
    return call;
  }
  /// Runs whatever can run now.
  void settle() {
    loop_.restart();
    loop_.poll();
  }
  void open(bool let_through) {
    let_through_ = let_through;
    gate_.notify_all();
    settle();
  }

  boost::asio::io_context loop_;
  ManualClock clock_;
  Signal gate_;
  bool let_through_ = true;
  std::optional<ErrorKind> fail_;
  bool nothing_ = false;
  Duration life_ = hours(1);
  int fetches_ = 0;
  std::vector<std::unique_ptr<Call>> calls_;
  RefreshingCredentials provider_{[this] { return fetch(); }, clock_, minutes(15)};
};

TEST_F(RefreshingTest, ManyWhoAskTogetherShareOneFetch) {
  open(false);
  Call& first = get();
  Call& second = get();
  Call& third = get();
  EXPECT_EQ(second.key, "(waiting)");
  open(true);
  EXPECT_EQ(fetches_, 1);
  EXPECT_EQ(first.key, "key-1");
  EXPECT_EQ(second.key, "key-1");
  EXPECT_EQ(third.key, "key-1");
}

TEST_F(RefreshingTest, ManyWhoAskTogetherShareOneFailure) {
  open(false);
  fail_ = ErrorKind::kTransient;
  Call& first = get();
  Call& second = get();
  open(true);
  EXPECT_EQ(fetches_, 1);
  EXPECT_EQ(first.failed, ErrorKind::kTransient);
  EXPECT_EQ(second.failed, ErrorKind::kTransient);
  fail_.reset();
  EXPECT_EQ(get().key, "key-2");
}

TEST_F(RefreshingTest, AnotherFetchesIfTheOneWhoDidIsCancelled) {
  open(false);
  Call& first = get();
  Call& second = get();
  first.stop.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(first.failed, ErrorKind::kCancelled);
  EXPECT_EQ(second.key, "(waiting)");
  open(true);
  EXPECT_EQ(second.key, "key-2");
}

TEST_F(RefreshingTest, KeepsThemUntilShortlyBeforeTheEnd) {
  EXPECT_EQ(get().key, "key-1");
  clock_.advance(minutes(45) - seconds(1));
  EXPECT_EQ(get().key, "key-1");
  clock_.advance(seconds(1));
  EXPECT_EQ(get().key, "key-2");
}

TEST_F(RefreshingTest, ShortLivesAreHalfLived) {
  life_ = minutes(10);
  EXPECT_EQ(get().key, "key-1");
  clock_.advance(minutes(5) - seconds(1));
  EXPECT_EQ(get().key, "key-1");
  clock_.advance(seconds(1));
  EXPECT_EQ(get().key, "key-2");
}

TEST_F(RefreshingTest, OthersGoOnWithTheOldOnesDuringARefresh) {
  get();
  clock_.advance(minutes(50));
  open(false);
  Call& first = get();
  EXPECT_EQ(first.key, "(waiting)");
  EXPECT_EQ(get().key, "key-1");
  open(true);
  EXPECT_EQ(first.key, "key-2");
  EXPECT_EQ(get().key, "key-2");
}

TEST_F(RefreshingTest, OldOnesAreGivenWhileTheyHoldIfARefreshFails) {
  get();
  clock_.advance(minutes(50));
  fail_ = ErrorKind::kTransient;
  EXPECT_EQ(get().key, "key-1");
  EXPECT_EQ(get().key, "key-1");
  EXPECT_EQ(fetches_, 2) << "the next try comes a minute later";
  clock_.advance(minutes(1));
  EXPECT_EQ(get().key, "key-1");
  EXPECT_EQ(fetches_, 3);
  clock_.advance(minutes(9));
  EXPECT_EQ(get().failed, ErrorKind::kTransient);
  fail_.reset();
  EXPECT_EQ(get().key, "key-5");
}

TEST_F(RefreshingTest, NothingFoundIsForAPersonUnlessThereHaveBeenSome) {
  nothing_ = true;
  EXPECT_EQ(get().failed, ErrorKind::kInvalid);
  nothing_ = false;
  EXPECT_EQ(get().key, "key-2");
  clock_.advance(hours(2));
  nothing_ = true;
  EXPECT_EQ(get().failed, ErrorKind::kTransient);
}

TEST_F(RefreshingTest, WhatWasRefusedIsFetchedAnew) {
  get();
  clock_.advance(minutes(1));
  provider_.refused({.access_key = "key-0", .secret_key = "secret", .session_token = "token"});
  EXPECT_EQ(get().key, "key-1") << "others were refused";
  provider_.refused({.access_key = "key-1", .secret_key = "secret", .session_token = "token"});
  EXPECT_EQ(get().key, "key-2");
}

TEST_F(RefreshingTest, WhatIsRefusedAtOnceIsNotFetchedForEveryRequest) {
  get();
  clock_.advance(seconds(4));
  provider_.refused({.access_key = "key-1", .secret_key = "secret", .session_token = "token"});
  EXPECT_EQ(get().key, "key-1");
  clock_.advance(seconds(1));
  provider_.refused({.access_key = "key-1", .secret_key = "secret", .session_token = "token"});
  EXPECT_EQ(get().key, "key-2");
}

}  // namespace
}  // namespace headrace
