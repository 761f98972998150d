#include "app/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>

#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A process that comes to stay while another has the ledger.
class WaitForLedgerTest : public testing::Test {
 protected:
  WaitForLedgerTest() {
    stack_.state = folder_.path();
    other_ = open_ledger(stack_, clock_, silent_log());
  }

  void start() {
    boost::asio::co_spawn(loop_, wait_for_ledger(stack_, clock_, random_, silent_log()),
                          [this](std::exception_ptr failure, std::unique_ptr<Ledger> ledger) {
                            failure_ = failure;
                            ledger_ = std::move(ledger);
                          });
    settle();
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }
  bool ended() const { return failure_ || ledger_; }

  TempFolder folder_;
  ManualClock clock_;
  SeededRandom random_{1};
  boost::asio::io_context loop_;
  StackFile stack_;
  std::unique_ptr<Ledger> other_;
  std::unique_ptr<Ledger> ledger_;
  std::exception_ptr failure_;
};

TEST_F(WaitForLedgerTest, HasItAtOnceWhenNobodyElseDoes) {
  other_.reset();
  start();
  EXPECT_TRUE(ledger_);
}

TEST_F(WaitForLedgerTest, WaitsForAVerbToLetGo) {
  start();
  clock_.advance(100ms);
  settle();
  EXPECT_FALSE(ended());
  other_.reset();
  clock_.advance(100ms);
  settle();
  EXPECT_TRUE(ledger_);
}

TEST_F(WaitForLedgerTest, GivesUpAfterAboutASecondAndSaysWhoHasItAndWhatToDo) {
  start();
  const Time began = clock_.now();
  while (!ended()) {
    clock_.advance(10ms);
    settle();
    ASSERT_LE(clock_.now() - began, 3s);
  }
  EXPECT_GE(clock_.now() - began, 500ms);
  ASSERT_TRUE(failure_);
  const std::string what = to_error(failure_).what();
  EXPECT_THAT(what, HasSubstr("another headrace (pid " + std::to_string(::getpid()) + ")"));
  EXPECT_THAT(what, HasSubstr("stop it, or talk to it"));
}

}  // namespace
}  // namespace headrace
