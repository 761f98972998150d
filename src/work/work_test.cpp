// Intake, dispatch and sinks on a ledger in memory, with time held still.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <deque>

#include "ledger/memory/memory_ledger.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "work/intake.h"
#include "work/route_worker.h"
#include "work/sink_plan.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

/// Does what the test says, and counts.
class ScriptedStep final : public Step {
 public:
  using Script = std::function<StepResult(TaskContext&)>;
  explicit ScriptedStep(Script script) : script_(std::move(script)) {}
  Task<StepResult> run(TaskContext& context) override { co_return script_(context); }

 private:
  Script script_;
};

/// A table of events in memory, with switches for what can go wrong.
struct FakeTable {
  std::vector<std::string> rows;
  std::string committed;  ///< The plan of the last batch.
  std::string app_id;     ///< That batches were prepared for.
  std::vector<std::size_t> batches;
  int lost_answers = 0;                       ///< Commits that happen but throw.
  int failed_commits = 0;                     ///< Commits that throw and do not happen.
  ErrorKind failure = ErrorKind::kTransient;  ///< What those throw.
  std::vector<DeadLine> bad_lines;
  std::size_t room = 1'000;  ///< Events that fit into a batch.
  std::vector<Bytes> resolved;
  /// Of resolve(); nullopt: throws kTransient. When there are none left: was it committed?
  std::deque<std::optional<bool>> answers;
  bool broken = false;  ///< resolve() throws kBug.
  std::vector<Bytes> forgotten;
  Outcome outcome = Outcome::kDone;  ///< Of each event.
};

class FakeSink final : public Sink {
 public:
  FakeSink(FakeTable& table, Limits limits) : table_(table), limits_(limits) {}

  struct Batch final : Prepared {
    std::vector<std::string> rows;
  };

  Limits limits() const override { return limits_; }
  std::string group_of(const Event& event) override { return event.object.bucket; }
  Task<std::unique_ptr<Prepared>> prepare(std::string, std::string app_id,
                                          std::vector<Event> events) override {
    table_.app_id = app_id;
    auto batch = std::make_unique<Batch>();
    for (const Event& event : events) {
      Item& item = batch->items.emplace_back();
      item.later = batch->rows.size() == table_.room;
      if (item.later) continue;
      batch->rows.push_back(event.object.path);
      item.dead_lines = table_.bad_lines;
      item.result.outcome = table_.outcome;
    }
    batch->plan = "plan of " + batch->rows.at(0);
    co_return batch;
  }
  Task<std::string> commit(Prepared& prepared) override {
    if (table_.failed_commits-- > 0) throw Error(table_.failure, "not now");
    auto& batch = static_cast<Batch&>(prepared);
    table_.committed = batch.plan;
    table_.batches.push_back(batch.rows.size());
    std::ranges::copy(batch.rows, std::back_inserter(table_.rows));
    if (table_.lost_answers-- > 0) throw Error(ErrorKind::kTransient, "answer lost");
    co_return "ok";
  }
  Task<bool> resolve(Bytes plan) override {
    table_.resolved.push_back(plan);
    if (table_.broken) throw Error(ErrorKind::kBug, "what is this?");
    if (table_.answers.empty()) co_return plan == table_.committed;
    const std::optional<bool> answer = table_.answers.front();
    table_.answers.pop_front();
    if (!answer) throw Error(ErrorKind::kInvalid, "half of it is there");
    co_return *answer;
  }
  void forget(const Bytes& plan) override { table_.forgotten.push_back(plan); }

 private:
  FakeTable& table_;
  Limits limits_;
};

class WorkTest : public testing::Test {
 protected:
  WorkTest() : ledger_(make_memory_ledger({}, clock_)) {
    stores_.add("lake", make_memory_store(clock_));
    plan_.name = "route";
    plan_.writer = "id/stack/route";
    plan_.retry = {3, {1s, 8s}};
  }
  ~WorkTest() override {
    stop();
    ledger_->close();
    loop_.restart();
    loop_.poll();
  }

  StepServices services() {
    return {loop_.get_executor(), stores_, cpu_, clock_, random_, self_writes_};
  }

  template <class T>
  T await(Task<T> task) {
    std::exception_ptr failure;
    bool ended = false;
    std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> result;
    if constexpr (std::is_void_v<T>) {
      boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr e) {
        failure = e;
        ended = true;
      });
    } else {
      boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr e, T value) {
        failure = e;
        if (!e) result.emplace(std::move(value));
        ended = true;
      });
    }
    loop_.restart();
    while (!ended && loop_.run_one() > 0) {
    }
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  void start(Task<> task) {
    boost::asio::co_spawn(loop_, std::move(task),
                          boost::asio::bind_cancellation_slot(signals_.emplace_back().slot(),
                                                              [](std::exception_ptr) {}));
  }
  /// Lets everything happen that can happen without time passing.
  void settle() {
    loop_.restart();
    for (int quiet = 0; quiet < 50;) quiet = loop_.poll() == 0 ? quiet + 1 : 0;
  }
  void advance(Duration span) {
    clock_.advance(span);
    settle();
  }
  void stop() {
    for (auto& signal : signals_) signal.emit(boost::asio::cancellation_type::terminal);
    settle();
  }

  void use_step(ScriptedStep::Script script) {
    plan_.steps.push_back(std::make_unique<ScriptedStep>(std::move(script)));
  }
  /// The route ends in a table, which takes what came within a second.
  void use_table(FakeTable& table) {
    plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.every = 1s});
  }
  RouteWorker& worker() {
    if (!worker_) {
      plan_.id = await(ledger_->route_id(plan_.name));
      worker_ = std::make_unique<RouteWorker>(plan_, *ledger_, services(), batches_, silent_log());
    }
    return *worker_;
  }
  void append(const std::string& key, std::uint64_t size = 1) {
    worker();
    Event event;
    event.store = "lake";
    event.object = {"b", key};
    event.size = size;
    event.detail_type = "Object Created";
    NewEvent made;
    made.body = to_json(event);
    made.wants.push_back({plan_.id, clock_.now()});
    std::vector<NewEvent> events;
    events.push_back(std::move(made));
    await(ledger_->append(std::move(events)));
  }
  /// What an earlier process left of a batch with the only task there is.
  void leave_plan(const Bytes& sink, std::vector<NewDeadLetter> dead) {
    SinkPlan plan{.group = "b", .tasks = {await(ledger_->tasks({})).at(0).id}, .dead = {}};
    plan.dead = std::move(dead);
    plan.sink = sink;
    LedgerWrite write;
    write.notes.push_back({"plan/route/b", encode_plan(plan)});
    await(ledger_->write(write));
  }
  RouteCounters counters() { return ledger_->counters()[plan_.id]; }
  std::vector<DeadLetter> dead() { return await(ledger_->dead_letters({})); }

  boost::asio::io_context loop_;
  ManualClock clock_;
  SeededRandom random_{7};
  CpuPool cpu_{1};
  Stores stores_;
  std::unique_ptr<Ledger> ledger_;
  LedgerSelfWrites self_writes_{*ledger_, stores_, clock_, random_, silent_log()};
  Slots batches_{2};
  RoutePlan plan_;
  std::unique_ptr<RouteWorker> worker_;
  std::list<boost::asio::cancellation_signal> signals_;
};

TEST_F(WorkTest, ADoneTaskIsSettled) {
  std::vector<std::string> ran;
  use_step([&](TaskContext& context) {
    ran.push_back(context.object.path);
    return StepResult{};
  });
  append("a");
  start(worker().run());
  settle();
  EXPECT_THAT(ran, ElementsAre("a"));
  EXPECT_EQ(counters().done, 1u);
  EXPECT_EQ(counters().pending(), 0u);
  EXPECT_EQ(worker().running(), 0u) << "to wait for tasks is not to run any";
}

TEST_F(WorkTest, AConflictIsTriedAgainWithBackoffThenBecomesADeadLetter) {
  int tries = 0;
  use_step([&](TaskContext& context) -> StepResult {
    EXPECT_EQ(context.attempt, ++tries);
    throw Error(ErrorKind::kConflict, "someone was faster");
  });
  append("a");
  start(worker().run());
  settle();
  EXPECT_EQ(tries, 1);
  advance(1s);
  EXPECT_EQ(tries, 2);
  advance(2s);
  EXPECT_EQ(tries, 3);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 3);
  EXPECT_EQ(dead()[0].error, "someone was faster");
  EXPECT_EQ(counters().retried, 2u);
}

TEST_F(WorkTest, AStoreThatIsAwayForHoursCostsNoTaskAnAttempt) {
  bool away = true;
  int tries = 0;
  plan_.concurrency = 4;
  plan_.retry.attempts = 1;
  use_step([&](TaskContext& context) {
    ++tries;
    EXPECT_EQ(context.attempt, 1);
    if (away) throw Error(ErrorKind::kTransient, "no space left");
    return StepResult{};
  });
  for (int i = 0; i < 50; ++i) append(std::to_string(i));
  start(worker().run());
  settle();
  for (int minute = 0; minute < 120; ++minute) advance(60s);
  ASSERT_TRUE(worker().outage().now().has_value());
  EXPECT_EQ(worker().outage().now()->error, "no space left");
  EXPECT_GE(tries, 120);
  EXPECT_LE(tries, 140) << "one task at a time looks whether it is over";
  away = false;
  advance(60s);
  EXPECT_EQ(counters().done, 50u);
  EXPECT_FALSE(worker().outage().now().has_value());
  EXPECT_THAT(dead(), IsEmpty());
}

TEST_F(WorkTest, WhoAloneFailsWhileOthersGetThroughEndsAsADeadLetter) {
  use_step([&](TaskContext& context) {
    if (context.object.path == "bad") throw Error(ErrorKind::kTransient, "no answer");
    return StepResult{};
  });
  append("bad");
  start(worker().run());
  settle();
  for (int i = 0; i < 20; ++i) {
    advance(30s);
    append("good");
    advance(30s);
  }
  EXPECT_EQ(counters().done, 20u);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 3);
}

TEST_F(WorkTest, WhileDrainingEveryFailureCostsAnAttempt) {
  use_step([&](TaskContext&) -> StepResult { throw Error(ErrorKind::kTransient, "away"); });
  append("a");
  start(worker().run());
  settle();
  advance(60s);
  EXPECT_THAT(dead(), IsEmpty());
  worker().drain();
  for (int i = 0; i < 4; ++i) advance(8s);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 3);
}

TEST_F(WorkTest, BadBytesAreADeadLetterAtOnce) {
  use_step([&](TaskContext&) -> StepResult { throw Error(ErrorKind::kCorrupt, "no gzip"); });
  append("a");
  start(worker().run());
  settle();
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].kind, ErrorKind::kCorrupt);
  EXPECT_EQ(dead()[0].attempts, 1);
}

TEST_F(WorkTest, ASkippedStepEndsTheTaskWell) {
  int second = 0;
  use_step([&](TaskContext&) { return StepResult{Outcome::kGone, "gone"}; });
  use_step([&](TaskContext&) {
    ++second;
    return StepResult{};
  });
  append("a");
  start(worker().run());
  settle();
  EXPECT_EQ(second, 0);
  EXPECT_EQ(counters().done, 1u);
}

TEST_F(WorkTest, ObjectsThatAreGoneOrOverwrittenMeanwhileAreSkippedAndCounted) {
  use_step([&](TaskContext& context) {
    if (context.object.path == "deleted") return StepResult{Outcome::kGone, "gone"};
    if (context.object.path == "overwritten") return StepResult{Outcome::kSuperseded, "newer"};
    if (context.object.path == "empty") return StepResult{Outcome::kSkipped, "nothing to do"};
    return StepResult{};
  });
  for (const char* key : {"good", "deleted", "overwritten", "deleted", "empty"}) append(key);
  start(worker().run());
  settle();
  EXPECT_EQ(counters().done, 5u);
  EXPECT_TRUE(dead().empty());
  EXPECT_EQ(worker().outcomes().gone, 2u);
  EXPECT_EQ(worker().outcomes().superseded, 1u);
  EXPECT_EQ(worker().outcomes().skipped, 1u);
}

TEST_F(WorkTest, WhatASinkFindsGoneIsCountedToo) {
  FakeTable table;
  table.outcome = Outcome::kGone;
  plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.bytes = 20, .every = 1h});
  start(worker().run());
  for (int i = 0; i < 2; ++i) append(std::to_string(i), 10);
  settle();
  EXPECT_EQ(counters().done, 2u);
  EXPECT_EQ(worker().outcomes().gone, 2u);
}

TEST_F(WorkTest, BadLinesBecomeDeadLettersThatCarryTheLine) {
  use_step([&](TaskContext& context) {
    context.dead_lines.push_back({4, "no JSON", "oops"});
    return StepResult{};
  });
  append("a");
  start(worker().run());
  settle();
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(event_from_json(dead()[0].body).line, (Event::Line{4, "oops"}));
  EXPECT_THAT(dead()[0].error, HasSubstr("line 4"));
  EXPECT_EQ(dead()[0].attempts, 1);
}

TEST_F(WorkTest, BadLinesTellInWhichAttemptOfTheTaskTheyWereParked) {
  use_step([&](TaskContext& context) {
    if (context.attempt == 1) throw Error(ErrorKind::kConflict, "someone was faster");
    context.dead_lines.push_back({4, "no JSON", "oops"});
    return StepResult{};
  });
  append("a");
  start(worker().run());
  settle();
  for (int i = 0; i < 3; ++i) advance(1s);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 2);
}

TEST_F(WorkTest, TaggedObjectsAreSkipped) {
  int ran = 0;
  plan_.unless_tagged = {"processed"};
  use_step([&](TaskContext&) {
    ++ran;
    return StepResult{};
  });
  await(stores_.at("lake").put({"b", "a"}, "x", {.tags = {{"processed", "true"}}}));
  await(stores_.at("lake").put({"b", "c"}, "x"));
  append("a");
  append("c");
  start(worker().run());
  settle();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(counters().done, 2u);
}

TEST_F(WorkTest, ARateHoldsTasksBack) {
  int ran = 0;
  plan_.rate_per_second = 2;
  use_step([&](TaskContext&) {
    ++ran;
    return StepResult{};
  });
  for (int i = 0; i < 5; ++i) append(std::to_string(i));
  start(worker().run());
  settle();
  EXPECT_EQ(ran, 2);
  advance(500ms);
  EXPECT_EQ(ran, 3);
  advance(1s);
  EXPECT_EQ(ran, 5);
}

TEST_F(WorkTest, ASinkCommitsWhenTheBatchIsFull) {
  FakeTable table;
  plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.bytes = 30, .every = 1h});
  start(worker().run());
  for (int i = 0; i < 3; ++i) append(std::to_string(i), 10);
  settle();
  EXPECT_THAT(table.batches, ElementsAre(3u));
  EXPECT_EQ(counters().done, 3u);
}

TEST_F(WorkTest, ASinkCommitsWhenTheOldestIsOldEnough) {
  FakeTable table;
  plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.every = 10s});
  start(worker().run());
  append("a");
  settle();
  advance(9s);
  EXPECT_EQ(table.rows.size(), 0u);
  advance(1s);
  EXPECT_THAT(table.rows, ElementsAre("a"));
}

TEST_F(WorkTest, ALostAnswerToACommitDoublesNothing) {
  FakeTable table;
  table.lost_answers = 1;
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  append("b");
  advance(1s);
  EXPECT_THAT(table.rows, ElementsAre("a", "b"));
  EXPECT_EQ(counters().done, 2u);
  EXPECT_EQ(counters().retried, 0u);
}

TEST_F(WorkTest, AFailedCommitIsDoneAgain) {
  FakeTable table;
  table.failed_commits = 1;
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  EXPECT_EQ(counters().retried, 1u);
  advance(1s);
  advance(1s);
  EXPECT_THAT(table.rows, ElementsAre("a"));
  EXPECT_EQ(counters().pending(), 0u);
}

TEST_F(WorkTest, ATableThatIsAwayForHoursCostsNoTaskAnAttempt) {
  FakeTable table;
  table.failed_commits = 1'000'000;
  use_table(table);
  start(worker().run());
  for (int i = 0; i < 5; ++i) append(std::to_string(i));
  for (int minute = 0; minute < 120; ++minute) advance(60s);
  EXPECT_TRUE(worker().outage().now().has_value());
  table.failed_commits = 0;
  for (int i = 0; i < 4; ++i) advance(60s);
  EXPECT_THAT(table.rows, UnorderedElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(dead(), IsEmpty());
  EXPECT_FALSE(worker().outage().now().has_value());
}

TEST_F(WorkTest, BadLinesFoundByASinkTellTheAttemptThatWasCommitted) {
  FakeTable table;
  table.failed_commits = 1;
  table.failure = ErrorKind::kConflict;
  table.bad_lines = {{7, "no JSON", "oops"}};
  use_table(table);
  start(worker().run());
  append("a");
  for (int i = 0; i < 3; ++i) advance(1s);
  ASSERT_EQ(dead().size(), 1u);
  EXPECT_EQ(dead()[0].attempts, 2);
}

TEST_F(WorkTest, WhatABatchHasNoRoomForComesWithTheNextAndCostsNoAttempt) {
  FakeTable table;
  table.room = 2;
  plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.bytes = 50, .every = 1h});
  start(worker().run());
  for (int i = 0; i < 5; ++i) append(std::to_string(i), 10);
  settle();
  EXPECT_THAT(table.batches, ElementsAre(2u, 2u, 1u));
  EXPECT_THAT(table.rows, ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(counters().done, 5u);
  EXPECT_EQ(counters().retried, 0u);
  EXPECT_EQ(worker().sink()->counters().gathered, 0u);
}

TEST_F(WorkTest, ABatchThatWasCommittedInPartIsBroughtToItsEnd) {
  FakeTable table;
  table.failed_commits = 1;
  table.answers = {std::nullopt, true};
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  ASSERT_THAT(worker().sink()->waiting(), SizeIs(1));
  EXPECT_EQ(worker().sink()->waiting().at("b").error, "half of it is there");
  advance(1s);  // The pause before it is asked again.
  EXPECT_THAT(worker().sink()->waiting(), IsEmpty());
  EXPECT_THAT(table.resolved, ElementsAre("plan of a", "plan of a"));
  EXPECT_EQ(counters().done, 1u);
  EXPECT_EQ(counters().retried, 0u);
  EXPECT_THAT(table.forgotten, ElementsAre("plan of a"));
  EXPECT_TRUE(await(ledger_->notes("plan/")).empty());
}

TEST_F(WorkTest, ABatchOfWhichNothingIsThereIsDoneAgain) {
  FakeTable table;
  table.failed_commits = 1;
  table.answers = {false};
  use_table(table);
  start(worker().run());
  append("a");
  for (int i = 0; i < 3; ++i) advance(1s);
  EXPECT_EQ(counters().retried, 1u);
  EXPECT_THAT(table.rows, ElementsAre("a"));
}

TEST_F(WorkTest, ABatchIsMadeInTheNameOfItsRoute) {
  FakeTable table;
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  EXPECT_EQ(table.app_id, "id/stack/route/b");
}

TEST_F(WorkTest, APlanThatCameToItsEndIsSettledAfterARestart) {
  FakeTable table;
  use_table(table);
  append("a");
  leave_plan("keys and \"places\"", {{plan_.id, "{}", ErrorKind::kCorrupt, "line 3: broken"}});
  table.answers = {true};
  start(worker().run());
  advance(1s);
  EXPECT_THAT(table.resolved, ElementsAre("keys and \"places\""));
  EXPECT_THAT(table.forgotten, ElementsAre("keys and \"places\""));
  EXPECT_EQ(counters().done, 1u);
  EXPECT_EQ(dead().size(), 1u);
  EXPECT_TRUE(await(ledger_->notes("plan/")).empty());
  EXPECT_EQ(table.rows.size(), 0u);
}

TEST_F(WorkTest, APlanOfWhichNothingIsThereIsDoneAgainAfterARestart) {
  FakeTable table;
  use_table(table);
  append("a");
  leave_plan("old", {{plan_.id, "{}", ErrorKind::kCorrupt, "line 3: broken"}});
  table.answers = {false};
  start(worker().run());
  settle();
  advance(1s);
  EXPECT_THAT(table.rows, ElementsAre("a"));
  EXPECT_EQ(counters().done, 1u);
  EXPECT_EQ(dead().size(), 0u);
}

TEST_F(WorkTest, ARouteWaitsForItsPlanAndTakesNothingBefore) {
  FakeTable table;
  use_table(table);
  append("a");
  leave_plan("old", {});
  table.answers = {std::nullopt, std::nullopt, true};
  start(worker().run());
  settle();
  append("b");
  EXPECT_EQ(await(ledger_->tasks({})).size(), 2u);
  for (int i = 0; i < 6; ++i) advance(1s);
  EXPECT_EQ(table.resolved.size(), 3u);
  EXPECT_THAT(table.rows, ElementsAre("b"));
  EXPECT_EQ(counters().pending(), 0u);
}

TEST_F(WorkTest, ABatchThatWaitsForItsEndHoldsUpNoOther) {
  FakeTable table;
  table.lost_answers = 1;
  for (int i = 0; i < 20; ++i) table.answers.push_back(std::nullopt);
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  EXPECT_FALSE(table.resolved.empty());
  EXPECT_EQ(batches_.used(), 0u);
}

TEST_F(WorkTest, ABatchOfWhichNobodyCanTellIsLeftToTheNextStart) {
  FakeTable table;
  table.failed_commits = 1;
  table.broken = true;
  use_table(table);
  start(worker().run());
  append("a");
  advance(1s);
  append("b");
  advance(1s);
  EXPECT_EQ(table.rows.size(), 0u);
  EXPECT_EQ(counters().pending(), 2u);
  EXPECT_EQ(await(ledger_->notes("plan/")).size(), 1u);
}

TEST_F(WorkTest, StoppingGivesBackWhatIsOnlyGathered) {
  FakeTable table;
  plan_.sink = std::make_unique<FakeSink>(table, Sink::Limits{.every = 1h});
  start(worker().run());
  append("a");
  settle();
  stop();
  await(worker().finish());
  EXPECT_EQ(table.rows.size(), 0u);
  EXPECT_EQ(counters().pending(), 1u);
  EXPECT_EQ(await(ledger_->take(plan_.id, 10)).size(), 1u);
}

TEST(SinkPlan, ReadsBackWhatItWrote) {
  SinkPlan plan{.group = "a \"table\"", .tasks = {}, .dead = {}, .sink = {}};
  plan.tasks = {{1, 2, RouteId(3)}, {1ull << 60, 65535, RouteId(7)}};
  plan.dead.push_back({RouteId(3), "{\"x\":1}", ErrorKind::kCorrupt, "line 1: \xFF bad", 3});
  plan.sink = R"({"kind":"objects"})";
  const SinkPlan back = decode_plan(encode_plan(plan));
  EXPECT_EQ(back.group, plan.group);
  EXPECT_EQ(back.tasks, plan.tasks);
  ASSERT_EQ(back.dead.size(), 1u);
  EXPECT_EQ(back.dead[0].body, plan.dead[0].body);
  EXPECT_EQ(back.dead[0].attempts, 3);
  EXPECT_EQ(back.sink, plan.sink);
}

TEST(SinkPlan, ReadsPlansOfVersion1) {
  const SinkPlan plan =
      decode_plan(R"({"version":1,"group":"g","app_id":"s/r/g","seq":7,"tasks":[],)"
                  R"("dead":[{"route":2,"body":"{}","error":"line 1: bad"}]})");
  ASSERT_EQ(plan.dead.size(), 1u);
  EXPECT_EQ(plan.dead[0].attempts, 1);
  EXPECT_EQ(plan.sink, R"({"kind":"tables","rows":0,"tables":[)"
                       R"({"table":"g","app_id":"s/r/g","seq":7}]})");
  EXPECT_EQ(decode_plan(R"({"version":1,"group":"g","app_id":"a","seq":1,"tasks":[],"dead":[],)"
                        R"("sink":"its own"})")
                .sink,
            "its own");
}

TEST(SinkPlan, IsNotReadFromAVersionThatIsToCome) {
  EXPECT_THROW(decode_plan(R"({"version":3,"group":"g","tasks":[],"dead":[]})"), Error);
}

TEST(SinkPlan, DamagedBytesAreCorrupt) {
  for (const char* bytes : {"", "{", "[]", R"({"group":"g"})"}) {
    try {
      decode_plan(bytes);
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace headrace
