#pragma once

#include "testing/ledger_fixture.h"

namespace headrace {

// What every Ledger promises, as tests. Include this in one test file and instantiate
// LedgerConformance, and DurableLedgerConformance where a reopen keeps everything:
//   INSTANTIATE_TEST_SUITE_P(Memory, LedgerConformance, testing::Values(LedgerBackend{...}));

TEST_P(LedgerConformance, GivesEachRouteNameItsOwnNumberAndKeepsIt) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  EXPECT_NE(load, copy);
  EXPECT_EQ(route("load"), load);
  const std::map<RouteId, std::string> expected{{load, "load"}, {copy, "copy"}};
  EXPECT_EQ(ledger_->route_names(), expected);
}

TEST_P(LedgerConformance, HandsOutWhatWasAppended) {
  const RouteId load = route("load");
  EXPECT_EQ(append(event("hello", {load})), Appended::kStored);
  const auto tasks = take(load, 10);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].body, "hello");
  EXPECT_EQ(tasks[0].attempt, 1);
  EXPECT_EQ(tasks[0].id.route, load);
  EXPECT_LE(tasks[0].due, clock_.now());
}

TEST_P(LedgerConformance, MakesOneTaskPerRouteOfAnEvent) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  append({event("both", {load, copy}), event("copy only", {copy})});
  EXPECT_THAT(bodies(take_all(load, 1)), testing::ElementsAre("both"));
  EXPECT_THAT(bodies(take_all(copy, 2)), testing::ElementsAre("both", "copy only"));
}

TEST_P(LedgerConformance, KeepsEmptyAndBinaryBodies) {
  const RouteId load = route("load");
  const Bytes binary("\0\xff\n\0", 4);
  append({event("", {load}), event(binary, {load})});
  EXPECT_THAT(bodies(take_all(load, 2)), testing::ElementsAre("", binary));
}

TEST_P(LedgerConformance, AppendsNothingForNoEventsAndForEventsNobodyWants) {
  EXPECT_TRUE(append(std::vector<NewEvent>()).empty());
  EXPECT_EQ(append(event("unwanted", {})), Appended::kStored);
  EXPECT_TRUE(tasks().empty());
}

TEST_P(LedgerConformance, RefusesABodyAboveTheLimit) {
  open({.body_bytes = 10});
  const RouteId load = route("load");
  try {
    append(event("eleven bytes", {load}));
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  }
  EXPECT_TRUE(idle(load));
}

TEST_P(LedgerConformance, TakesAtMostTheLimitAndInOrder) {
  const RouteId load = route("load");
  std::vector<NewEvent> events;
  for (int i = 0; i < 7; ++i) events.push_back(event(std::to_string(i), {load}));
  append(std::move(events));
  EXPECT_THAT(bodies(take(load, 3)), testing::ElementsAre("0", "1", "2"));
  EXPECT_THAT(bodies(take(load, 3)), testing::ElementsAre("3", "4", "5"));
  EXPECT_THAT(bodies(take(load, 3)), testing::ElementsAre("6"));
}

TEST_P(LedgerConformance, TakeWaitsUntilThereIsWork) {
  const RouteId load = route("load");
  WaitingTake waiting(*ledger_, load, 10);
  EXPECT_FALSE(waiting.poll());
  append(event("late", {load}));
  EXPECT_THAT(bodies(waiting.result()), testing::ElementsAre("late"));
}

TEST_P(LedgerConformance, TakeOfOneRouteDoesNotSeeAnother) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  WaitingTake waiting(*ledger_, load, 10);
  append(event("for copy", {copy}));
  EXPECT_THAT(bodies(take(copy)), testing::ElementsAre("for copy"));
  EXPECT_FALSE(waiting.poll());
}

TEST_P(LedgerConformance, CancellingTakeThrowsCancelledAndLosesNothing) {
  const RouteId load = route("load");
  {
    WaitingTake waiting(*ledger_, load, 10);
    waiting.cancel();
    EXPECT_EQ(waiting.failure(), ErrorKind::kCancelled);
  }
  append(event("kept", {load}));
  EXPECT_THAT(bodies(take(load)), testing::ElementsAre("kept"));
}

TEST_P(LedgerConformance, ClosingEndsAWaitingTake) {
  const RouteId load = route("load");
  WaitingTake waiting(*ledger_, load, 10);
  ledger_->close();
  EXPECT_EQ(waiting.failure(), ErrorKind::kCancelled);
}

TEST_P(LedgerConformance, HandsOutADelayedTaskWhenItIsDueAndNotBefore) {
  const RouteId load = route("load");
  const Time due = clock_.now() + std::chrono::minutes(5);
  append({event("later", {load}, std::chrono::minutes(5)), event("now", {load})});
  EXPECT_THAT(bodies(take(load, 10)), testing::ElementsAre("now"));
  WaitingTake waiting(*ledger_, load, 10);
  clock_.advance(std::chrono::minutes(5) - Duration(1));
  EXPECT_FALSE(waiting.poll());
  clock_.advance(Duration(1));
  const auto tasks = waiting.result();
  EXPECT_THAT(bodies(tasks), testing::ElementsAre("later"));
  EXPECT_EQ(tasks.at(0).due, due);
}

TEST_P(LedgerConformance, GivesEachRouteOfOneEventItsOwnDueTime) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  NewEvent both = event("both", {load});
  both.wants.push_back({copy, clock_.now() + std::chrono::seconds(1)});
  append(std::move(both));
  EXPECT_THAT(bodies(take(load)), testing::ElementsAre("both"));
  WaitingTake waiting(*ledger_, copy, 10);
  EXPECT_FALSE(waiting.poll());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(bodies(waiting.result()), testing::ElementsAre("both"));
}

TEST_P(LedgerConformance, HandsOutDelayedTasksInDueOrder) {
  const RouteId load = route("load");
  for (const int minute : {3, 1, 4, 2, 5}) {
    append(event(std::to_string(minute), {load}, std::chrono::minutes(minute)));
  }
  clock_.advance(std::chrono::minutes(4));
  EXPECT_THAT(bodies(take_all(load, 4)), testing::ElementsAre("1", "2", "3", "4"));
}

TEST_P(LedgerConformance, HandsOutWhatWasGivenBackAgainUntouched) {
  const RouteId load = route("load");
  append({event("a", {load}), event("b", {load})});
  const auto tasks = take_all(load, 2);
  ledger_->give_back({tasks[0].id, tasks[1].id});
  const auto again = take_all(load, 2);
  EXPECT_THAT(bodies(again), testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(again[0].attempt, 1);
  EXPECT_EQ(counters(load).retried, 0u);
}

TEST_P(LedgerConformance, BringsARetryBackWhenDueWithOneMoreAttempt) {
  const RouteId load = route("load");
  append({event("shaky", {load}), event("fine", {load})});
  const auto tasks_taken = take_all(load, 2);
  settle({retry(tasks_taken[0], std::chrono::seconds(30), "503 from the store"),
          {.id = tasks_taken[1].id}});
  const auto pending = tasks();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].last_error, "503 from the store");
  EXPECT_EQ(pending[0].attempt, 2);
  EXPECT_EQ(pending[0].due, clock_.now() + std::chrono::seconds(30));
  WaitingTake waiting(*ledger_, load, 10);
  EXPECT_FALSE(waiting.poll());
  clock_.advance(std::chrono::seconds(30));
  const auto again = waiting.result();
  EXPECT_THAT(bodies(again), testing::ElementsAre("shaky"));
  EXPECT_EQ(again.at(0).attempt, 2);
  settle({retry(again.at(0), Duration(0), "again")});
  EXPECT_EQ(take(load).at(0).attempt, 3);
}

TEST_P(LedgerConformance, BringsARetryThatCostsNothingBackWithTheSameAttempt) {
  const RouteId load = route("load");
  append(event("a", {load}));
  const TakenTask first = take(load).at(0);
  EXPECT_FALSE(first.failed_before);
  Settled settled = retry(first, Duration(0), "disk full");
  settled.costs_attempt = false;
  settle({settled});
  EXPECT_EQ(tasks().at(0).last_error, "disk full");
  const TakenTask again = take(load).at(0);
  EXPECT_EQ(again.attempt, 1);
  EXPECT_TRUE(again.failed_before);
  EXPECT_EQ(counters(load).retried, 1u);
}

TEST_P(LedgerConformance, KeepsADeadTaskAsADeadLetter) {
  const RouteId load = route("load");
  append(event("broken", {load}));
  const auto first = take(load);
  settle({retry(first.at(0), Duration(0), "once")});
  settle({dead(take(load).at(0), ErrorKind::kCorrupt, "not JSON")});
  const auto letters = dead_letters({});
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].route, load);
  EXPECT_EQ(letters[0].body, "broken");
  EXPECT_EQ(letters[0].error, "not JSON");
  EXPECT_EQ(letters[0].kind, ErrorKind::kCorrupt);
  EXPECT_EQ(letters[0].attempts, 2);
  EXPECT_EQ(letters[0].at, clock_.now());
  EXPECT_TRUE(idle(load));
}

TEST_P(LedgerConformance, CutsLongErrors) {
  const RouteId load = route("load");
  append(event("broken", {load}));
  settle({dead(take(load).at(0), ErrorKind::kBug, std::string(10'000, 'x'))});
  EXPECT_EQ(dead_letters({}).at(0).error.size(), kErrorBytes);
}

TEST_P(LedgerConformance, SettlingTwiceCountsOnce) {
  const RouteId load = route("load");
  append({event("a", {load}), event("b", {load})});
  const auto taken = take_all(load, 2);
  settle({{.id = taken[0].id}, {.id = taken[0].id}});
  settle({{.id = taken[0].id}});
  EXPECT_EQ(counters(load).done, 1u);
  EXPECT_FALSE(idle(load));
  done({taken[1]});
  EXPECT_TRUE(idle(load));
}

TEST_P(LedgerConformance, SettlesWhatIsNotTaken) {
  const RouteId load = route("load");
  append({event("a", {load}), event("b", {load}), event("c", {load}, std::chrono::hours(1))});
  for (const PendingTask& task : tasks()) {
    if (task.body != "b") settle({{.id = task.id}});
  }
  clock_.advance(std::chrono::hours(1));
  EXPECT_THAT(bodies(take(load, 10)), testing::ElementsAre("b"));
  EXPECT_EQ(tasks().size(), 1u);
}

TEST_P(LedgerConformance, WritesSettleDeadLettersAndNotesTogether) {
  const RouteId load = route("load");
  append(event("whole", {load}));
  const auto taken = take(load);
  run_task(ledger_->write({.settle = {{.id = taken.at(0).id}},
                           .dead = {{load, "line 3", ErrorKind::kCorrupt, "bad line", 2}},
                           .notes = {{"plan/load", Bytes("v1")}}}));
  EXPECT_TRUE(idle(load));
  EXPECT_EQ(run_task(ledger_->note("plan/load")), Bytes("v1"));
  const auto letters = dead_letters({});
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].body, "line 3");
  EXPECT_EQ(letters[0].attempts, 2);
  EXPECT_EQ(counters(load).dead, 1u);
  EXPECT_EQ(counters(load).died, 0u);
}

TEST_P(LedgerConformance, KeepsNotesByNameAndPrefix) {
  run_task(ledger_->write({.notes = {{"plan/b", Bytes("2")},
                                     {"plan/a", Bytes("1")},
                                     {"plao", Bytes("x")},
                                     {"cursor", Bytes("")}}}));
  run_task(ledger_->write({.notes = {{"plan/b", Bytes("3")}, {"plao", std::nullopt}}}));
  EXPECT_EQ(run_task(ledger_->note("cursor")), Bytes(""));
  EXPECT_EQ(run_task(ledger_->note("plao")), std::nullopt);
  const auto plans = run_task(ledger_->notes("plan/"));
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].key, "plan/a");
  EXPECT_EQ(plans[1].key, "plan/b");
  EXPECT_EQ(plans[1].value, Bytes("3"));
}

TEST_P(LedgerConformance, AppendsOneIdentityOnceWithinTheWindow) {
  const RouteId load = route("load");
  NewEvent first = event("first", {load});
  first.identity = 42;
  EXPECT_THAT(append({first, first}),
              testing::ElementsAre(Appended::kStored, Appended::kDuplicate));
  clock_.advance(std::chrono::hours(23));
  EXPECT_EQ(append(first), Appended::kDuplicate);
  first.identity = 43;
  EXPECT_EQ(append(first), Appended::kStored);
  EXPECT_EQ(counters(load).appended, 2u);
}

TEST_P(LedgerConformance, ForgetsIdentitiesAfterTheWindow) {
  const RouteId load = route("load");
  NewEvent first = event("first", {load});
  first.identity = 42;
  append(first);
  clock_.advance(std::chrono::hours(24 + 4));
  EXPECT_EQ(append(first), Appended::kStored);
  EXPECT_EQ(append(first), Appended::kDuplicate);
}

TEST_P(LedgerConformance, TreatsIdentitiesWrittenAsSeenAsDuplicates) {
  const RouteId load = route("load");
  run_task(ledger_->write({.seen = {7}}));
  NewEvent own = event("own write", {load});
  own.identity = 7;
  EXPECT_EQ(append(own), Appended::kDuplicate);
}

TEST_P(LedgerConformance, IsIdleWhenNothingOfTheRoutesIsPending) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  EXPECT_TRUE(idle(load));
  append(event("x", {load}));
  EXPECT_FALSE(idle(load));
  EXPECT_TRUE(idle(copy));
  const auto taken = take(load);
  EXPECT_FALSE(idle(load)) << "a running task is not done";
  done(taken);
  EXPECT_TRUE(idle(load));
}

TEST_P(LedgerConformance, IdleCanLeaveOutWhatIsDueLater) {
  const RouteId load = route("load");
  append({event("x", {load}, std::chrono::minutes(2)), event("y", {load}, std::chrono::hours(2))});
  const Time now = clock_.now();
  EXPECT_FALSE(idle(load));
  EXPECT_TRUE(idle(load, now + std::chrono::minutes(1)));
  EXPECT_FALSE(idle(load, now + std::chrono::minutes(2)));
  clock_.advance(std::chrono::minutes(3));
  EXPECT_FALSE(idle(load, clock_.now()));
  done(take(load));
  EXPECT_TRUE(idle(load, clock_.now()));
}

TEST_P(LedgerConformance, ListsPendingTasksPageByPage) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  std::set<Bytes> expected;
  for (int i = 0; i < 10; ++i) {
    const Bytes body = std::to_string(i);
    append(event(body, {load, copy}, i % 2 == 0 ? Duration(0) : std::chrono::seconds(i)));
    expected.insert(body);
  }
  std::set<Bytes> seen;
  Find find{.route = load, .limit = 3};
  for (auto page = tasks(find); !page.empty(); page = tasks(find)) {
    EXPECT_LE(page.size(), 3u);
    for (const PendingTask& task : page) {
      EXPECT_TRUE(seen.insert(task.body).second) << task.body << " listed twice";
      EXPECT_EQ(task.id.route, load);
    }
    find.after_task = page.back().id;
  }
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(tasks({.limit = 100}).size(), 20u);
}

TEST_P(LedgerConformance, ShowsWhichTasksRun) {
  const RouteId load = route("load");
  append({event("a", {load}), event("b", {load})});
  EXPECT_EQ(take(load).size(), 1u);
  std::map<Bytes, bool> running;
  for (const PendingTask& task : tasks()) running[task.body] = task.running;
  EXPECT_EQ(running, (std::map<Bytes, bool>{{"a", true}, {"b", false}}));
}

TEST_P(LedgerConformance, RestrictsTasksByDueTime) {
  const RouteId load = route("load");
  append({event("soon", {load}, std::chrono::minutes(1)),
          event("late", {load}, std::chrono::hours(1))});
  const auto found = tasks({.since = clock_.now() + std::chrono::minutes(30)});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].body, "late");
  EXPECT_EQ(tasks({.until = clock_.now() + std::chrono::minutes(30)}).at(0).body, "soon");
}

TEST_P(LedgerConformance, CancelsWhatDoesNotRun) {
  const RouteId load = route("load");
  append({event("running", {load}), event("ready", {load}),
          event("delayed", {load}, std::chrono::minutes(1))});
  const auto taken = take(load, 1);
  std::vector<TaskId> ids;
  for (const PendingTask& task : tasks()) ids.push_back(task.id);
  EXPECT_EQ(run_task(ledger_->cancel(ids)), 2u);
  EXPECT_EQ(run_task(ledger_->cancel(ids)), 0u);
  EXPECT_EQ(tasks().size(), 1u);
  EXPECT_EQ(counters(load).cancelled, 2u);
  done(taken);
  EXPECT_TRUE(idle(load));
  WaitingTake waiting(*ledger_, load, 10);
  clock_.advance(std::chrono::minutes(1));
  append(event("new", {load}));
  EXPECT_THAT(bodies(waiting.result()), testing::ElementsAre("new"));
}

TEST_P(LedgerConformance, ReschedulesWhatDoesNotRun) {
  const RouteId load = route("load");
  append({event("a", {load}, std::chrono::hours(5)), event("b", {load})});
  const auto taken = take(load);
  std::vector<TaskId> ids;
  for (const PendingTask& task : tasks()) ids.push_back(task.id);
  EXPECT_EQ(run_task(ledger_->reschedule(ids, clock_.now())), 1u);
  const auto moved = take(load);
  EXPECT_THAT(bodies(moved), testing::ElementsAre("a"));
  EXPECT_EQ(moved.at(0).attempt, 1);
  done(moved);
  done(taken);
  EXPECT_TRUE(idle(load));
}

TEST_P(LedgerConformance, FindsDeadLettersByRouteKindAndTime) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  const auto a = bury(load, "a", ErrorKind::kCorrupt);
  const auto b = bury(copy, "b", ErrorKind::kCorrupt);
  clock_.advance(std::chrono::hours(1));
  const auto c = bury(load, "c", ErrorKind::kInvalid);
  const auto ids = [&](Find find) {
    std::vector<std::uint64_t> all;
    for (const DeadLetter& letter : dead_letters(std::move(find))) all.push_back(letter.id);
    return all;
  };
  EXPECT_THAT(ids({}), testing::ElementsAre(a, b, c));
  EXPECT_THAT(ids({.route = load}), testing::ElementsAre(a, c));
  EXPECT_THAT(ids({.kind = ErrorKind::kCorrupt}), testing::ElementsAre(a, b));
  EXPECT_THAT(ids({.since = clock_.now()}), testing::ElementsAre(c));
  EXPECT_THAT(ids({.until = clock_.now() - Duration(1)}), testing::ElementsAre(a, b));
  EXPECT_THAT(ids({.after = a, .limit = 1}), testing::ElementsAre(b));
}

TEST_P(LedgerConformance, RedrivesDeadLettersSpacedInTime) {
  const RouteId load = route("load");
  const auto a = bury(load, "a");
  const auto b = bury(load, "b");
  const auto c = bury(load, "c");
  EXPECT_EQ(run_task(ledger_->redrive({a, b, 999'999}, clock_.now(), std::chrono::seconds(10))),
            2u);
  const auto first = take(load, 10);
  EXPECT_THAT(bodies(first), testing::ElementsAre("a"));
  EXPECT_EQ(first.at(0).attempt, 1);
  WaitingTake waiting(*ledger_, load, 10);
  EXPECT_FALSE(waiting.poll());
  clock_.advance(std::chrono::seconds(10));
  EXPECT_THAT(bodies(waiting.result()), testing::ElementsAre("b"));
  ASSERT_EQ(dead_letters({}).size(), 1u);
  EXPECT_EQ(dead_letters({})[0].id, c);
  EXPECT_EQ(counters(load).dead, 1u);
  EXPECT_EQ(counters(load).died, 3u);
  EXPECT_EQ(counters(load).pending(), 2u);
}

TEST_P(LedgerConformance, DropsAndExpiresDeadLetters) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  const auto a = bury(load, "a");
  bury(load, "b");
  bury(copy, "c");
  clock_.advance(std::chrono::hours(1));
  const auto d = bury(load, "d");
  EXPECT_EQ(run_task(ledger_->drop_dead({a, a})), 1u);
  EXPECT_EQ(run_task(ledger_->expire_dead(load, clock_.now())), 1u);
  EXPECT_EQ(dead_letters({.route = load}).at(0).id, d);
  EXPECT_EQ(dead_letters({.route = copy}).size(), 1u);
  EXPECT_EQ(counters(load).dead, 1u);
}

TEST_P(LedgerConformance, PagesOfDeadLettersAreBoundedInBytes) {
  const RouteId load = route("load");
  for (int i = 0; i < 5; ++i) bury(load, std::string(100, static_cast<char>('a' + i)));
  Find find{.limit = 10, .bytes = 200};
  std::vector<std::size_t> sizes;
  for (auto page = dead_letters(find); !page.empty(); page = dead_letters(find)) {
    sizes.push_back(page.size());
    find.after = page.back().id;
  }
  EXPECT_THAT(sizes, testing::ElementsAre(2u, 2u, 1u));
  EXPECT_EQ(dead_letters({.bytes = 1}).size(), 1u);
}

TEST_P(LedgerConformance, ADeadLetterMakesRoomForWhatCameOfIt) {
  const RouteId load = route("load");
  const RouteId source = route("source:queue");
  const auto a = bury(source, "a");
  const auto b = bury(source, "b");
  NewEvent known = event("known", {load});
  known.identity = 42;
  append(known);
  Revisit of_a{.id = a};
  of_a.events = {known, event("new", {load})};
  of_a.dead.push_back({source, "a's second record", ErrorKind::kCorrupt, "no key"});
  const Revisited done = run_task(ledger_->revisit({of_a}));
  EXPECT_EQ(done.left, 1u);
  EXPECT_EQ(done.stayed, 0u);
  EXPECT_THAT(done.events, testing::ElementsAre(Appended::kDuplicate, Appended::kStored));
  EXPECT_EQ(done.tasks, 1u);
  EXPECT_THAT(bodies(take(load, 10)), testing::UnorderedElementsAre("known", "new"));
  const auto letters = dead_letters({});
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].id, b);
  EXPECT_EQ(letters[1].body, "a's second record");
  EXPECT_EQ(counters(source).dead, 2u);
  // It has left: a second one who looked into it brings nothing.
  EXPECT_EQ(run_task(ledger_->revisit({of_a})).left, 0u);
  EXPECT_EQ(dead_letters({}).size(), 2u);
  EXPECT_EQ(counters(load).appended, 2u);
}

TEST_P(LedgerConformance, ADeadLetterMayStayWithAnotherError) {
  const RouteId load = route("load");
  const auto a = bury(load, "a");
  const DeadLetter before = dead_letters({}).at(0);
  clock_.advance(std::chrono::hours(1));
  for (const char* error : {"still no JSON", "not yet"}) {
    Revisit again{.id = a};
    again.stays = error;
    Revisit gone{.id = 999'999};
    gone.stays = error;
    EXPECT_EQ(run_task(ledger_->revisit({again, gone})).stayed, 1u);
  }
  const DeadLetter after = dead_letters({}).at(0);
  EXPECT_EQ(after.id, a);
  EXPECT_EQ(after.at, before.at);
  EXPECT_EQ(after.attempts, before.attempts + 2);
  EXPECT_EQ(after.error, "not yet");
  EXPECT_EQ(after.body, "a");
  EXPECT_EQ(counters(load).dead, 1u);
  // And may leave as any other, and is not there any more then.
  EXPECT_EQ(run_task(ledger_->drop_dead({a})), 1u);
  EXPECT_EQ(dead_letters({}).size(), 0u);
}

TEST_P(LedgerConformance, CountsWhatHappensToARoute) {
  const RouteId load = route("load");
  append({event("done", {load}), event("retried", {load}), event("dead", {load})});
  const auto taken = take_all(load, 3);
  settle({{.id = taken[0].id},
          retry(taken[1], std::chrono::hours(1), "x"),
          dead(taken[2], ErrorKind::kBug, "y")});
  const RouteCounters seen = counters(load);
  EXPECT_EQ(seen.appended, 3u);
  EXPECT_EQ(seen.done, 1u);
  EXPECT_EQ(seen.retried, 1u);
  EXPECT_EQ(seen.died, 1u);
  EXPECT_EQ(seen.dead, 1u);
  EXPECT_EQ(seen.pending(), 1u);
}

TEST_P(LedgerConformance, ASlowRouteHoldsNobodyAndLosesNothing) {
  open({.page_members = 16, .ready_per_route = 20, .delayed = 10});
  const RouteId slow = route("slow");
  const RouteId fast = route("fast");
  append(event("first", {slow, fast}));
  done(take_all(slow, 1));
  done(take_all(fast, 1));
  constexpr std::size_t kCount = 500;
  std::vector<Bytes> expected;
  for (std::size_t i = 0; i < kCount; ++i) {
    expected.push_back(std::to_string(i));
    const Duration delay = std::chrono::milliseconds(i % 3 == 0 ? i : 0);
    append(event(expected.back(), {slow, fast}, delay));
  }
  clock_.advance(std::chrono::seconds(1));
  for (std::size_t left = kCount; left > 0;) {
    const auto tasks = take(fast, left);
    left -= tasks.size();
    done(tasks);
  }
  EXPECT_TRUE(idle(fast));
  EXPECT_EQ(counters(slow).pending(), kCount);
  auto late = take_all(slow, kCount);
  EXPECT_THAT(bodies(late), testing::UnorderedElementsAreArray(expected));
  done(late);
  EXPECT_TRUE(idle(slow));
}

TEST_P(LedgerConformance, KeepsTheOrderOfReadyWorkBeyondMemory) {
  open({.page_members = 8, .ready_per_route = 10});
  const RouteId load = route("load");
  std::vector<Bytes> expected;
  for (int i = 0; i < 200; ++i) expected.push_back(std::to_string(i));
  for (const Bytes& body : expected) append(event(body, {load}));
  std::vector<Bytes> seen;
  while (seen.size() < expected.size()) {
    const auto tasks = take(load, 7);
    std::ranges::move(bodies(tasks), std::back_inserter(seen));
    done(tasks);
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(LedgerConformance, BringsEverythingThroughLittleMemory) {
  open({.page_members = 4, .ready_bytes = 2000});
  const std::vector<RouteId> routes{route("a"), route("b"), route("c")};
  constexpr std::size_t kCount = 100;
  for (const RouteId id : routes) {
    WaitingTake asks(*ledger_, id, 1);  // From now on there is somebody who takes.
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    const Duration delay = std::chrono::seconds(i % 2);
    append(event(std::to_string(i) + Bytes(200, 'x'), routes, delay));
  }
  clock_.advance(std::chrono::seconds(1));
  for (const RouteId id : routes) {
    std::set<Bytes> seen;
    while (seen.size() < kCount) {
      const auto tasks = take(id, 10);
      for (const Bytes& body : bodies(tasks)) EXPECT_TRUE(seen.insert(body).second);
      done(tasks);
    }
    EXPECT_TRUE(idle(id));
  }
}

TEST_P(LedgerConformance, BringsOneEventToAThousandRoutes) {
  std::vector<RouteId> routes;
  for (int i = 0; i < 1000; ++i) routes.push_back(route("subscriber-" + std::to_string(i)));
  std::vector<std::unique_ptr<WaitingTake>> waiting;
  for (const RouteId id : routes) {
    waiting.push_back(std::make_unique<WaitingTake>(*ledger_, id, 10));
  }
  append(event("to all", routes));
  std::vector<TakenTask> taken;
  for (const auto& take : waiting) {
    auto tasks = take->result();
    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0].body, "to all");
    taken.push_back(std::move(tasks[0]));
  }
  done(taken);
  EXPECT_TRUE(run_task(ledger_->idle(routes, {})));
}

/// Only for ledgers that remember.
class DurableLedgerConformance : public LedgerConformance {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableLedgerConformance);

TEST_P(DurableLedgerConformance, KeepsPendingWorkAcrossAReopen) {
  const RouteId load = route("load");
  append({event("ready", {load}), event("taken", {load}),
          event("delayed", {load}, std::chrono::minutes(1))});
  EXPECT_EQ(take_all(load, 1).size(), 1u);
  open();
  EXPECT_EQ(route("load"), load);
  EXPECT_THAT(bodies(take_all(load, 2)), testing::ElementsAre("ready", "taken"));
  WaitingTake waiting(*ledger_, load, 10);
  EXPECT_FALSE(waiting.poll());
  clock_.advance(std::chrono::minutes(1));
  EXPECT_THAT(bodies(waiting.result()), testing::ElementsAre("delayed"));
}

TEST_P(DurableLedgerConformance, KeepsSettledTasksSettledAcrossReopens) {
  const RouteId load = route("load");
  const RouteId copy = route("copy");
  std::vector<NewEvent> events;
  for (int i = 0; i < 6; ++i) events.push_back(event(std::to_string(i), {load, copy}));
  append(std::move(events));
  auto taken = take_all(load, 6);
  done({taken[0], taken[2]});
  open();
  taken = take_all(load, 4);
  EXPECT_THAT(bodies(taken), testing::ElementsAre("1", "3", "4", "5"));
  done(take_all(copy, 6));
  done({taken[3]});
  open();
  EXPECT_TRUE(idle(copy));
  taken = take_all(load, 3);
  EXPECT_THAT(bodies(taken), testing::ElementsAre("1", "3", "4"));
  done(taken);
  open();
  EXPECT_TRUE(idle(load));
  EXPECT_TRUE(tasks().empty());
  EXPECT_EQ(counters(load).done, 6u);
}

TEST_P(DurableLedgerConformance, SettlesByTheIdsOfAnEarlierRun) {
  const RouteId load = route("load");
  append({event("a", {load}), event("b", {load}), event("c", {load}, std::chrono::seconds(1))});
  clock_.advance(std::chrono::seconds(1));
  const auto taken = take_all(load, 3);
  open();
  for (const TakenTask& task : taken) {
    if (task.body != "b") settle({{.id = task.id}});
  }
  EXPECT_THAT(bodies(take(load, 10)), testing::ElementsAre("b"));
  EXPECT_EQ(counters(load).done, 2u);
}

TEST_P(DurableLedgerConformance, KeepsRetriesWithTheirAttemptAndError) {
  const RouteId load = route("load");
  append(event("shaky", {load}));
  settle({retry(take(load).at(0), std::chrono::minutes(1), "503")});
  open();
  EXPECT_EQ(tasks().at(0).last_error, "503");
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(take(load).at(0).attempt, 2);
}

TEST_P(DurableLedgerConformance, KeepsDeadLettersNotesCountersAndIdentities) {
  const RouteId load = route("load");
  const auto id = bury(load, "broken");
  NewEvent known = event("known", {load}, std::chrono::hours(1));
  known.identity = 42;
  append(known);
  run_task(ledger_->write({.notes = {{"cursor", Bytes("at 7")}}}));
  const RouteCounters before = counters(load);
  open();
  EXPECT_EQ(dead_letters({}).at(0).id, id);
  EXPECT_EQ(dead_letters({}).at(0).body, "broken");
  EXPECT_EQ(run_task(ledger_->note("cursor")), Bytes("at 7"));
  EXPECT_EQ(append(known), Appended::kDuplicate);
  EXPECT_EQ(counters(load).appended, before.appended);
  EXPECT_EQ(counters(load).died, before.died);
  EXPECT_EQ(counters(load).dead, before.dead);
}

TEST_P(DurableLedgerConformance, KeepsWhatWasFoundOutAboutADeadLetter) {
  const RouteId load = route("load");
  const auto a = bury(load, "a");
  const auto b = bury(load, "b");
  for (int i = 0; i < 2; ++i) {
    Revisit of_a{.id = a};
    of_a.stays = "still no JSON";
    run_task(ledger_->revisit({of_a}));
    open();
  }
  EXPECT_EQ(dead_letters({}).at(0).attempts, 3);
  EXPECT_EQ(dead_letters({}).at(0).error, "still no JSON");
  Revisit of_b{.id = b};
  of_b.events = {event("came of b", {load})};
  run_task(ledger_->revisit({of_b}));
  EXPECT_EQ(run_task(ledger_->drop_dead({a})), 1u);
  open();
  EXPECT_EQ(dead_letters({}).size(), 0u);
  EXPECT_EQ(counters(load).dead, 0u);
  EXPECT_THAT(bodies(take(load, 10)), testing::ElementsAre("came of b"));
}

TEST_P(DurableLedgerConformance, NeverReusesTheIdsOfAnEarlierRun) {
  const RouteId load = route("load");
  std::set<std::uint64_t> seen;
  for (int run = 0; run < 3; ++run) {
    append({event("a", {load}), event("b", {load}, std::chrono::hours(1))});
    const auto taken = take(load);
    EXPECT_TRUE(seen.insert(taken.at(0).id.seq).second);
    done(taken);
    EXPECT_TRUE(seen.insert(bury(load, "c")).second);
    open();
  }
}

}  // namespace headrace
