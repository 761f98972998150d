#include "work/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/error.h"
#include "ledger/memory/memory_ledger.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Event event_of(const std::string& key) {
  Event event;
  event.id = key;
  event.store = "lake";
  event.origin = "queue";
  event.object = {"bucket", key};
  event.detail_type = "Object Created";
  event.etag = Etag{"etag of " + key};
  return event;
}

/// Messages are keys with commas between them; "!" in front is what it cannot read.
class CommaSource final : public Source {
 public:
  std::deque<EventBatch> batches;
  std::vector<Receipt> acknowledged;
  bool reads_exclamations = false;
  bool store_is_away = false;

  EventBatch read(const std::string& message) {
    EventBatch batch;
    std::size_t at = 0;
    while (at <= message.size()) {
      const std::size_t end = std::min(message.find(',', at), message.size());
      std::string key = message.substr(at, end - at);
      at = end + 1;
      if (key.empty()) continue;
      if (key[0] == '!' && !reads_exclamations) {
        batch.garbage.push_back({"no key: " + key, key});
      } else {
        batch.events.push_back(event_of(key[0] == '!' ? key.substr(1) : key));
      }
    }
    return batch;
  }

  Task<std::optional<EventBatch>> next() override {
    if (store_is_away) throw Error(ErrorKind::kTransient, "store is away");
    if (batches.empty()) co_return std::nullopt;
    EventBatch batch = std::move(batches.front());
    batches.pop_front();
    co_return batch;
  }
  Task<> ack(Receipt receipt) override {
    acknowledged.push_back(receipt);
    co_return;
  }
  void drain() override {}
  Task<EventBatch> reread(std::string raw) override {
    if (store_is_away) throw Error(ErrorKind::kTransient, "store is away");
    co_return read(raw);
  }
};

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() {
    stores_.add("lake", make_memory_store(clock_));
    table_.plans.push_back(std::make_unique<RoutePlan>());
    table_.plans[0]->name = "load";
    table_.plans[0]->id = run_task(ledger_->route_id("load"));
    /// Keys with an "x" are wanted by nobody.
    take_rule(R"([{"anything-but":{"wildcard":"*x*"}}])");
    own_ = run_task(ledger_->route_id("source:queue"));
    intake_.emplace("queue", source_, own_, table_, *ledger_, self_writes_, clock_, random_,
                    silent_log());
  }
  ~IntakeTest() override { ledger_->close(); }

  /// Which keys the route wants from now on.
  void take_rule(const std::string& key) {
    const std::string pattern = R"({"detail":{"object":{"key":)" + key + "}}}";
    table_.rules = std::make_shared<const Routes>(
        std::vector<RouteRule>{{"load", {"queue"}, Pattern::parse(pattern)}}, table_.rules.get());
  }
  void give(const std::string& message) {
    source_.batches.push_back(source_.read(message));
    source_.batches.back().receipt = next_receipt_++;
  }
  std::vector<std::string> tasks() {
    std::vector<std::string> keys;
    for (const PendingTask& task : run_task(ledger_->tasks({}))) {
      keys.push_back(event_from_json(task.body).object.path);
    }
    return keys;
  }
  std::vector<DeadLetter> dead() { return run_task(ledger_->dead_letters({.route = own_})); }
  Reread reread() { return run_task(intake_->reread(dead())); }

  ManualClock clock_;
  SeededRandom random_{1};
  Stores stores_;
  std::unique_ptr<Ledger> ledger_ = make_memory_ledger({}, clock_);
  LedgerSelfWrites self_writes_{*ledger_, stores_, clock_, random_, silent_log()};
  CommaSource source_;
  RouteTable table_;
  RouteId own_{};
  Receipt next_receipt_ = 1;
  std::optional<Intake> intake_;
};

TEST_F(IntakeTest, AsksTheRulesThatAreInForceThen) {
  give("a,x");
  run_task(intake_->run());
  take_rule(R"(["x"])");
  give("b,x");
  run_task(intake_->run());
  EXPECT_THAT(tasks(), ElementsAre("a", "x"));
  EXPECT_EQ(intake_->counters().unwanted, 2u);
}

TEST_F(IntakeTest, AcknowledgesWhatIsTasksOrDeadLettersNow) {
  give("a,!b,x");
  give("a,c");
  run_task(intake_->run());
  EXPECT_THAT(tasks(), ElementsAre("a", "c"));
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].body, "!b");
  EXPECT_EQ(dead()[0].kind, ErrorKind::kCorrupt);
  EXPECT_THAT(source_.acknowledged, ElementsAre(1, 2));
  const IntakeCounters& counters = intake_->counters();
  EXPECT_EQ(counters.events, 4u);
  EXPECT_EQ(counters.tasks, 2u);
  EXPECT_EQ(counters.unwanted, 1u);
  EXPECT_EQ(counters.duplicates, 1u);
  EXPECT_EQ(counters.undecodable, 1u);
}

TEST_F(IntakeTest, GivesUpOnASourceAfterAsManyTriesAsItIsTold) {
  give("a");
  source_.store_is_away = true;
  EXPECT_THROW(run_task(intake_->run(1)), Error);
  EXPECT_TRUE(tasks().empty());
  source_.store_is_away = false;
  run_task(intake_->run(1));
  EXPECT_THAT(tasks(), ElementsAre("a"));
}

/// An object that the sources `queue` and `sweep` both tell of, in this order, is given to routes
/// that take one of them or both.
TEST_F(IntakeTest, AnObjectThatSeveralSourcesTellOfIsOneEventForEachRoute) {
  const Pattern any = Pattern::parse(R"({"source":["aws.s3"]})");
  RouteTable table;
  table.rules = std::make_shared<const Routes>(
      std::vector<RouteRule>{{"of-queue", {"queue"}, any},
                             {"of-sweep", {"sweep"}, any},
                             {"of-both", {"queue", "sweep"}, any},
                             {"of-both-too", {"sweep", "queue"}, any}});
  for (std::uint32_t i = 0; i < table.rules->size(); ++i) {
    table.plans.push_back(std::make_unique<RoutePlan>());
    table.plans[i]->id = run_task(ledger_->route_id(table.rules->name(i)));
  }
  const auto appended = [&] {
    std::vector<std::uint64_t> counts;
    for (const auto& plan : table.plans) {
      counts.push_back(ledger_->counters()[plan->id].appended);
    }
    return counts;
  };
  Intake queue("queue", source_, own_, table, *ledger_, self_writes_, clock_, random_,
               silent_log());
  CommaSource sweeping;
  Intake sweep("sweep", sweeping, own_, table, *ledger_, self_writes_, clock_, random_,
               silent_log());
  give("a");
  run_task(queue.run());
  EXPECT_THAT(appended(), ElementsAre(1, 0, 1, 1));
  sweeping.batches.push_back(sweeping.read("a"));
  sweeping.batches.back().events[0].origin = "sweep";
  run_task(sweep.run());
  EXPECT_THAT(appended(), ElementsAre(1, 1, 1, 1));
  give("a");
  run_task(queue.run());
  EXPECT_THAT(appended(), ElementsAre(1, 1, 1, 1));
  EXPECT_EQ(sweep.counters().tasks, 1u);
  EXPECT_EQ(sweep.counters().duplicates, 1u);
}

TEST_F(IntakeTest, AMessageThatIsReadNowLeavesTheDeadLettersAsEvents) {
  give("a,!b,!x,!a");
  run_task(intake_->run());
  ASSERT_EQ(dead().size(), 3u);
  source_.reads_exclamations = true;
  const Reread done = reread();
  EXPECT_EQ(done.read, 3u);
  EXPECT_EQ(done.unreadable, 0u);
  EXPECT_EQ(done.events, 1u);
  EXPECT_EQ(done.duplicates, 1u);  // Of "a", which came as an event too.
  EXPECT_EQ(intake_->counters().tasks, 2u);
  EXPECT_THAT(tasks(), ElementsAre("a", "b"));
  EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(IntakeTest, AMessageThatStillCannotBeReadStaysWithTheAttemptNoted) {
  give("!b");
  run_task(intake_->run());
  for (int attempts = 2; attempts < 4; ++attempts) {
    const Reread done = reread();
    EXPECT_EQ(done.read, 0u);
    EXPECT_EQ(done.unreadable, 1u);
    EXPECT_EQ(done.last_error, "no key: !b");
    ASSERT_EQ(dead().size(), 1u);
    EXPECT_EQ(dead()[0].attempts, attempts);
    EXPECT_EQ(dead()[0].body, "!b");
  }
  EXPECT_THAT(tasks(), IsEmpty());
}

/// A message whose decoder knew nothing of it, and now knows some of its records.
TEST_F(IntakeTest, WhatIsLeftOfAMessageIsADeadLetterOfItsOwn) {
  LedgerWrite write;
  write.dead.push_back({own_, "a,!b,c", ErrorKind::kCorrupt, "of no known dialect", 2});
  run_task(ledger_->write(std::move(write)));
  const Reread done = reread();
  EXPECT_EQ(done.read, 1u);
  EXPECT_EQ(done.events, 2u);
  EXPECT_THAT(tasks(), ElementsAre("a", "c"));
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].body, "!b");
  EXPECT_EQ(dead()[0].attempts, 3);
}

TEST_F(IntakeTest, ReadingThemAllTakesManyWritesAndLosesNone) {
  std::string message;
  for (int i = 0; i < 1000; ++i) message += fmt::format("!{},", i);
  give(message);
  run_task(intake_->run());
  auto letters = run_task(ledger_->dead_letters({.limit = 10'000}));
  ASSERT_EQ(letters.size(), 1000u);
  source_.reads_exclamations = true;
  EXPECT_EQ(run_task(intake_->reread(std::move(letters))).events, 1000u);
  EXPECT_THAT(dead(), IsEmpty());
  EXPECT_EQ(ledger_->counters()[table_.plans[0]->id].appended, 1000u);
}

TEST_F(IntakeTest, AStoreThatIsAwayLeavesTheDeadLettersAsTheyAre) {
  give("!b");
  run_task(intake_->run());
  source_.store_is_away = true;
  EXPECT_THROW(reread(), Error);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 1);
}

}  // namespace
}  // namespace headrace
