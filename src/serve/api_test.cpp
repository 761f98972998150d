#include "serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/memory/memory_ledger.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::Not;

struct GlobCase {
  const char* glob;
  const char* text;
  bool matches;
};

class GlobTest : public testing::TestWithParam<GlobCase> {};

TEST_P(GlobTest, StarIsAnyRunAndQuestionMarkOneByte) {
  EXPECT_EQ(glob_match(GetParam().glob, GetParam().text), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    Globs, GlobTest,
    testing::Values(GlobCase{"", "", true}, GlobCase{"", "a", false}, GlobCase{"*", "", true},
                    GlobCase{"a/*", "a/b/c", true}, GlobCase{"a/*", "b/a/c", false},
                    GlobCase{"*.json", "x.json", true}, GlobCase{"*.json", "x.json.gz", false},
                    GlobCase{"a?c", "abc", true}, GlobCase{"a?c", "ac", false},
                    GlobCase{"*a*b*", "xxaxxbxx", true}, GlobCase{"*a*b*", "xxbxxa", false},
                    GlobCase{"a*a*a*a*b", "aaaaaaaaaaaaaaaa", false}));

class ApiTest : public testing::Test {
 protected:
  ApiTest() : ledger_(make_memory_ledger({}, clock_)), api_(*ledger_, clock_) {
    route_ = run_task(ledger_->route_id("load"));
  }
  ~ApiTest() override { ledger_->close(); }

  void bury(const std::string& key, ErrorKind kind) {
    Event event;
    event.store = "lake";
    event.object = {"inbox", key};
    event.detail_type = "Object Created";
    LedgerWrite write;
    write.dead.push_back({route_, to_json(event), kind, "broken"});
    run_task(ledger_->write(std::move(write)));
  }
  void schedule(Duration after) {
    NewEvent event;
    event.body = "{}";
    event.wants.push_back({route_, clock_.now() + after});
    std::vector<NewEvent> events;
    events.push_back(std::move(event));
    run_task(ledger_->append(std::move(events)));
  }
  ApiResponse call(ApiRequest request) { return run_task(api_.handle(std::move(request))); }
  std::string post(const std::string& path, const std::string& body) {
    return call({.method = "POST", .path = "/api/v1/" + path, .body = body}).body;
  }

  ManualClock clock_;
  std::unique_ptr<Ledger> ledger_;
  Api api_;
  RouteId route_{};
};

TEST_F(ApiTest, UnknownCallsAreRefusedWithAMessage) {
  const ApiResponse answer = call({.path = "/api/v1/nothing"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("no such call: GET /api/v1/nothing"));
}

TEST_F(ApiTest, AReloadIsForARunningEngineAndNamesTheRoutesItChanged) {
  EXPECT_THAT(post("reload", ""), HasSubstr("headrace run"));
  Api engine(*ledger_, clock_,
             {.reload = []() -> Task<Reloaded> { co_return Reloaded{3, {"a"}, {"b", "c"}}; }});
  const ApiResponse answer = run_task(engine.handle({.method = "POST", .path = "/api/v1/reload"}));
  EXPECT_EQ(answer.body, R"({"routes":3,"changed":["a"],"added":["b","c"]})");
}

TEST_F(ApiTest, DeadLettersAreFilteredByKeyAndKind) {
  bury("a/1.json", ErrorKind::kCorrupt);
  bury("b/2.json", ErrorKind::kInvalid);
  const auto by_key = call({.path = "/api/v1/dead", .query = {{"key", "inbox/a/*"}}}).body;
  EXPECT_THAT(by_key, HasSubstr("a/1.json"));
  EXPECT_THAT(by_key, Not(HasSubstr("b/2.json")));
  const auto by_kind = call({.path = "/api/v1/dead", .query = {{"kind", "invalid"}}}).body;
  EXPECT_THAT(by_kind, Not(HasSubstr("a/1.json")));
  EXPECT_THAT(by_kind, HasSubstr("b/2.json"));
}

TEST_F(ApiTest, AnActionChangesJustWhatTheListShows) {
  bury("a/1.json", ErrorKind::kCorrupt);
  bury("b/2.json", ErrorKind::kCorrupt);
  EXPECT_EQ(post("dead/redrive", R"({"all":true,"key":"inbox/b/*","dry_run":true})"),
            R"({"matched":1,"changed":0})");
  EXPECT_EQ(post("dead/redrive", R"({"all":true,"key":"inbox/b/*"})"),
            R"({"matched":1,"changed":1})");
  EXPECT_THAT(call({.path = "/api/v1/dead"}).body, Not(HasSubstr("b/2.json")));
  EXPECT_THAT(call({.path = "/api/v1/tasks"}).body, HasSubstr("b/2.json"));
}

TEST_F(ApiTest, AnActionWantsToKnowWhatItIsFor) {
  bury("a", ErrorKind::kCorrupt);
  EXPECT_THAT(post("dead/drop", "{}"), HasSubstr("ids, a route, or all"));
  EXPECT_THAT(post("tasks/cancel", "{}"), HasSubstr("ids or a route"));
  EXPECT_THAT(post("dead/drop", R"({"route":"laod"})"), HasSubstr("no route 'laod'"));
  EXPECT_THAT(post("dead/drop", "nonsense"), HasSubstr("no JSON object"));
}

TEST_F(ApiTest, ScheduledTasksAreCancelledAndMadeDue) {
  schedule(std::chrono::hours(1));
  schedule(std::chrono::hours(2));
  EXPECT_THAT(call({.path = "/api/v1/tasks"}).body, HasSubstr(R"("state":"scheduled")"));
  EXPECT_EQ(post("tasks/run-now", R"({"route":"load"})"), R"({"matched":2,"changed":2})");
  EXPECT_THAT(call({.path = "/api/v1/tasks"}).body, Not(HasSubstr(R"("state":"scheduled")")));
  EXPECT_EQ(post("tasks/cancel", R"({"route":"load"})"), R"({"matched":2,"changed":2})");
  EXPECT_EQ(ledger_->counters()[route_].cancelled, 2u);
}

TEST_F(ApiTest, EventsCanBeSentOnlyToAnEngine) {
  EXPECT_THAT(post("events", "{}"), HasSubstr("running engine"));
}

TEST_F(ApiTest, ManyDeadLettersAreRedrivenAPageAtATime) {
  for (int i = 0; i < 2500; ++i) bury(fmt::format("{}/{:04}.json", i % 2, i), ErrorKind::kCorrupt);
  EXPECT_EQ(post("dead/redrive", R"({"route":"load","limit":3,"rate":1})"),
            R"({"matched":3,"changed":3})");
  EXPECT_EQ(post("dead/redrive", R"({"route":"load","key":"inbox/1/*","rate":1000})"),
            R"({"matched":1249,"changed":1249})");
  EXPECT_EQ(post("dead/drop", R"({"all":true})"), R"({"matched":1248,"changed":1248})");
  EXPECT_EQ(ledger_->counters()[route_].dead, 0u);
  // One a millisecond, over all pages.
  const auto due_until = [&](Duration after) {
    Find find;
    find.until = clock_.now() + after;
    find.limit = 10'000;
    return run_task(ledger_->tasks(find)).size();
  };
  EXPECT_EQ(due_until(std::chrono::milliseconds(0)), 2u);
  EXPECT_EQ(due_until(std::chrono::milliseconds(999)), 1001u);
  EXPECT_EQ(due_until(std::chrono::milliseconds(1248)), 1251u);
  EXPECT_EQ(due_until(std::chrono::hours(1)), 1252u);
}

TEST_F(ApiTest, IdsThatAreNotThereAreMatchedAndNotChanged) {
  bury("a", ErrorKind::kCorrupt);
  const auto id = run_task(ledger_->dead_letters({})).at(0).id;
  EXPECT_EQ(post("dead/redrive", fmt::format(R"({{"ids":[{},"{}",999999,0]}})", id, id)),
            R"({"matched":4,"changed":1})");
}

class RereadTest : public ApiTest {
 protected:
  RereadTest() {
    bury("of-a-route", ErrorKind::kInvalid);
    route_ = run_task(ledger_->route_id("source:queue"));
    bury("of-a-source", ErrorKind::kCorrupt);
    bury("of-a-source too", ErrorKind::kCorrupt);
  }
  Reread read(const std::string& source, const std::vector<DeadLetter>& letters) {
    asked_ += fmt::format("{} x {};", source, letters.size());
    std::vector<std::uint64_t> ids{letters.at(0).id};
    run_task(ledger_->drop_dead(ids));
    return {.read = 1, .unreadable = 1, .events = 2, .duplicates = 3, .last_error = "no JSON"};
  }
  std::string asked_;
};

TEST_F(RereadTest, WhatASourceCouldNotReadStaysWithoutAnEngine) {
  EXPECT_EQ(post("dead/redrive", R"({"all":"true"})"),
            R"({"matched":3,"changed":1,"note":"what a source could not read is read again by )"
            R"(a running engine: `headrace run`"})");
  const std::string left = call({.path = "/api/v1/dead"}).body;
  EXPECT_THAT(left, HasSubstr("of-a-source"));
  EXPECT_THAT(left, Not(HasSubstr("of-a-route")));
}

TEST_F(RereadTest, WhatASourceCouldNotReadIsReadByItOnceMore) {
  Api api(*ledger_, clock_,
          {.reread = [&](std::string source, std::vector<DeadLetter> letters)
               -> Task<std::optional<Reread>> { co_return read(source, letters); }});
  const auto redrive = [&](const std::string& body) {
    return run_task(api.handle({.method = "POST", .path = "/api/v1/dead/redrive", .body = body}))
        .body;
  };
  EXPECT_EQ(redrive(R"({"all":"true","dry_run":true})"), R"({"matched":3,"changed":0})");
  EXPECT_EQ(asked_, "");
  EXPECT_EQ(redrive(R"({"all":"true"})"),
            R"({"matched":3,"changed":2,"reread":{"read":1,"unreadable":1,"events":2,)"
            R"("duplicates":3,"last_error":"no JSON"}})");
  EXPECT_EQ(asked_, "queue x 2;");
}

TEST_F(RereadTest, SaysThatTheSourceIsNotInTheStackAnyMore) {
  Api api(*ledger_, clock_,
          {.reread = [](std::string, std::vector<DeadLetter>) -> Task<std::optional<Reread>> {
            co_return std::nullopt;
          }});
  EXPECT_THAT(run_task(api.handle({.method = "POST",
                                   .path = "/api/v1/dead/redrive",
                                   .body = R"({"route":"source:queue"})"}))
                  .body,
              HasSubstr("the stack has no source 'queue'"));
  EXPECT_EQ(ledger_->counters()[route_].dead, 2u);
}

}  // namespace
}  // namespace headrace
