#include "work/self_writes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/memory/memory_ledger.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A ledger whose disk is full for the next writes, or that refuses them for good.
class FullLedger final : public Ledger {
 public:
  explicit FullLedger(Ledger& inner) : inner_(inner) {}

  int full = 0;
  bool refuses = false;

  Task<> write(LedgerWrite write) override {
    if (refuses) throw Error(ErrorKind::kInvalid, "read-only");
    if (full-- > 0) throw Error(ErrorKind::kTransient, "no space left");
    return inner_.write(std::move(write));
  }
  Task<std::vector<Appended>> append(std::vector<NewEvent> events) override {
    return inner_.append(std::move(events));
  }
  Task<std::vector<NoteChange>> notes(std::string prefix) override {
    return inner_.notes(std::move(prefix));
  }
  Task<RouteId> route_id(std::string name) override { return inner_.route_id(std::move(name)); }

  std::map<RouteId, std::string> route_names() const override { return {}; }
  Task<std::vector<TakenTask>> take(RouteId, std::size_t) override { throw unused(); }
  void give_back(std::vector<TaskId>) override {}
  Task<bool> idle(std::vector<RouteId>, std::optional<Time>) override { throw unused(); }
  Task<std::optional<Bytes>> note(std::string) override { throw unused(); }
  Task<std::vector<PendingTask>> tasks(Find) override { throw unused(); }
  Task<std::size_t> cancel(std::vector<TaskId>) override { throw unused(); }
  Task<std::size_t> reschedule(std::vector<TaskId>, Time) override { throw unused(); }
  Task<std::vector<DeadLetter>> dead_letters(Find) override { throw unused(); }
  Task<std::size_t> redrive(std::vector<std::uint64_t>, Time, Duration) override { throw unused(); }
  Task<Revisited> revisit(std::vector<Revisit>) override { throw unused(); }
  Task<std::size_t> drop_dead(std::vector<std::uint64_t>) override { throw unused(); }
  Task<std::size_t> expire_dead(RouteId, Time) override { throw unused(); }
  std::map<RouteId, RouteCounters> counters() const override { return {}; }
  void close() override {}

 private:
  static Error unused() { return Error(ErrorKind::kBug, "not for this test"); }

  Ledger& inner_;
};

class SelfWritesTest : public testing::Test {
 protected:
  SelfWritesTest() { stores_.add("lake", make_memory_store(clock_)); }

  std::string begin() { return run_task(own_.begin("lake", key_)); }
  Etag put(const std::string& id) {
    PutOptions options;
    options.metadata.insert_or_assign(std::string(kWriteId), id);
    return run_task(stores_.at("lake").put(key_, "x", std::move(options))).value();
  }
  bool is_own(const Etag& etag) {
    Event event;
    event.store = "lake";
    event.object = key_;
    event.etag = etag;
    return run_task(own_.is_own(event));
  }
  std::vector<NoteChange> notes() { return run_task(memory_->notes("intent/")); }

  ManualClock clock_;
  SeededRandom random_{1};
  Stores stores_;
  std::unique_ptr<Ledger> memory_ = make_memory_ledger({}, clock_);
  FullLedger ledger_{*memory_};
  LedgerSelfWrites own_{ledger_, stores_, clock_, random_, silent_log()};
  ObjectKey key_{"bucket", "a"};
};

TEST_F(SelfWritesTest, AreKnownBetweenBeginAndEndAndNotedOnlyThen) {
  const std::string id = begin();
  EXPECT_THAT(notes(), SizeIs(1));
  const Etag etag = put(id);
  EXPECT_TRUE(is_own(etag));
  run_task(own_.end(id, etag));
  EXPECT_THAT(notes(), IsEmpty());
  EXPECT_FALSE(is_own(etag)) << "the ledger knows it from here on";
}

TEST_F(SelfWritesTest, WaitForAFullDiskOfTheLedger) {
  boost::asio::io_context loop;
  const auto pass = [&](Duration span) {
    clock_.advance(span);
    loop.restart();
    loop.poll();
  };
  std::string id;
  ledger_.full = 3;
  boost::asio::co_spawn(loop, own_.begin("lake", key_),
                        [&](std::exception_ptr failure, std::string given) {
                          EXPECT_EQ(failure, nullptr);
                          id = std::move(given);
                        });
  pass({});
  EXPECT_EQ(id, "");
  for (int i = 0; i < 3; ++i) pass(std::chrono::seconds(5));
  EXPECT_NE(id, "");
  const Etag etag = put(id);
  bool ended = false;
  ledger_.full = 3;
  boost::asio::co_spawn(loop, own_.end(id, etag), [&](std::exception_ptr failure) {
    EXPECT_EQ(failure, nullptr);
    ended = true;
  });
  pass({});
  EXPECT_TRUE(is_own(etag)) << "its event may come meanwhile";
  for (int i = 0; i < 3; ++i) pass(std::chrono::seconds(5));
  EXPECT_TRUE(ended);
  EXPECT_THAT(notes(), IsEmpty());
}

TEST_F(SelfWritesTest, OfALedgerThatRefusesAreNotBegunAndStayOpen) {
  ledger_.refuses = true;
  EXPECT_THROW(begin(), Error);
  ledger_.refuses = false;
  const std::string id = begin();
  const Etag etag = put(id);
  ledger_.refuses = true;
  EXPECT_THROW(run_task(own_.end(id, etag)), Error);
  EXPECT_TRUE(is_own(etag)) << "its event may still come";
}

}  // namespace
}  // namespace headrace
