#include "step/repartition.h"

#include <gmock/gmock.h>

#include <fmt/format.h>
#include <map>

#include "stack/document.h"
#include "stack/spec.h"
#include "step/step_config.h"
#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using step_kit::packed;
using step_kit::unpacked;
using step_kit::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kGroup = "lake://out";

RepartitionConfig config_to(std::string to) {
  RepartitionConfig config;
  config.to = std::move(to);
  return config;
}

class RepartitionTest : public testing::Test {
 protected:
  std::unique_ptr<Sink> sink(const RepartitionConfig& config) {
    return make_repartition_sink(config, "route", rows_wanted(config.rows), folder.path(),
                                 world.services);
  }

  /// Brings a batch through as the work room does, if nothing fails.
  std::vector<Sink::Item> bring(Sink& sink, std::vector<Event> events) {
    const std::string group = sink.group_of(events.at(0));
    auto prepared = world.await(sink.prepare(group, "app", std::move(events)));
    left_out = prepared->left_out;
    if (!prepared->empty) {
      world.await(sink.commit(*prepared));
      sink.forget(prepared->plan);
    }
    return std::move(prepared->items);
  }

  Event put(const std::string& name, Bytes body, KeyFields fields = {}) {
    Event event = world.put({"in", name}, std::move(body));
    event.key_fields = std::move(fields);
    return event;
  }

  /// What is in a bucket, keys without their uuids.
  std::map<std::string, std::string> out(const std::string& bucket = "out") {
    std::map<std::string, std::string> all;
    for (const ObjectInfo& info : run_task(world.lake->list(bucket, {})).objects) {
      std::string key = info.key.path;
      const std::size_t name = key.rfind('/') + 1;
      EXPECT_TRUE(all.emplace(key.replace(name, 36, "*"), unpacked(world.body(info.key))).second);
    }
    return all;
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      names.push_back(entry.path().extension());
    }
    return names;
  }

  World world;
  TempFolder folder;
  std::uint64_t left_out = 0;
};

TEST_F(RepartitionTest, SortsTheRowsOfManyObjectsByWhatTheySay) {
  const auto to = sink(config_to("lake://out/{type}/dt={date}/{uuid}.jsonl"));
  bring(*to, {put("1", "{\"type\":\"push\", \"n\" : 1.0}\r\n{\"type\":\"star\",\"n\":2}\n",
                  {{"date", "2026-01-01"}}),
              put("2", packed(Compression::kGzip, "{\"n\":3,\"type\":\"push\"}"),
                  {{"date", "2026-01-01"}}),
              put("3", packed(Compression::kZstd, "{\"type\":\"push\",\"date\":\"2026-02-02\"}\n"),
                  {{"date", "2026-01-01"}})});
  EXPECT_THAT(out(), UnorderedElementsAre(
                         Pair("push/dt=2026-01-01/*.jsonl",
                              "{\"type\":\"push\", \"n\" : 1.0}\n{\"n\":3,\"type\":\"push\"}\n"),
                         Pair("push/dt=2026-02-02/*.jsonl",
                              "{\"type\":\"push\",\"date\":\"2026-02-02\"}\n"),
                         Pair("star/dt=2026-01-01/*.jsonl", "{\"type\":\"star\",\"n\":2}\n")));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(RepartitionTest, PacksAsTheNameOrTheCodecSays) {
  struct Case {
    const char* to;
    std::optional<Compression> codec;
    Compression expected;
  };
  for (const Case& row : {Case{"a/{uuid}.gz", {}, Compression::kGzip},
                          Case{"b/{uuid}.jsonl.zst", {}, Compression::kZstd},
                          Case{"c/{uuid}.jsonl", {}, Compression::kNone},
                          Case{"d/{uuid}", Compression::kZstd, Compression::kZstd}}) {
    RepartitionConfig config = config_to(row.to);
    config.bucket = "out";
    config.codec = row.codec;
    bring(*sink(config), {put("1", "{}\n")});
    const auto found =
        run_task(world.lake->list("out", {.prefix = std::string(row.to, 2), .start_after = {}}));
    ASSERT_EQ(found.objects.size(), 1u);
    EXPECT_EQ(detect_compression(world.body(found.objects[0].key)), row.expected) << row.to;
  }
}

TEST_F(RepartitionTest, ReachesIntoNestedFieldsAndStaysInTheObjectsBucketIfNoneIsNamed) {
  bring(*sink(config_to("by/{actor.login}/{uuid}.jsonl")),
        {put("1", "{\"actor\":{\"login\":\"ada\",\"id\":1}}\n{\"actor\":{\"login\":7}}\n")});
  EXPECT_THAT(out("in"), testing::Contains(Pair("by/ada/*.jsonl", testing::_)));
  EXPECT_THAT(out("in"), testing::Contains(Pair("by/7/*.jsonl", testing::_)));
}

TEST_F(RepartitionTest, MakesDaysAndHoursOfMomentsInUtc) {
  const auto to = sink(config_to("lake://out/dt={at:%Y-%m-%d}/{key_at:%H%%}/{uuid}.jsonl"));
  const std::vector<std::pair<std::string, std::string>> days = {
      {"2026-01-31T09:08:07Z", "2026-01-31"},
      {"2026-01-31T23:30:00.123456789-02:00", "2026-02-01"},
      {"2026-01-31 09:08:07", "2026-01-31"},
      {"1969-12-31T23:59:59.9Z", "1969-12-31"},
      {"2026-03-04", "2026-03-04"}};
  std::string rows;
  for (const auto& [at, day] : days) rows += "{\"at\":\"" + at + "\"}\n";
  rows += "{\"at\":\"yesterday\"}\n{\"at\":1769850487}\n";
  const auto items = bring(*to, {put("1", rows, {{"key_at", "2026-01-31T21:00:00Z"}})});
  std::map<std::string, std::string> expected;
  for (const auto& [at, day] : days) {
    expected["dt=" + day + "/21%/*.jsonl"] += "{\"at\":\"" + at + "\"}\n";
  }
  EXPECT_EQ(out(), expected);
  ASSERT_EQ(items.at(0).dead_lines.size(), 2u);
  EXPECT_THAT(items[0].dead_lines[0].reason, HasSubstr("field `at` cannot be `yesterday`"));
}

/// 2026-02-01 in a format that has the day before the month is the second of January.
TEST_F(RepartitionTest, LeavesATimeThatHasTheFormatAlready) {
  const auto to = sink(config_to("lake://out/{at:%Y-%d-%m}/{uuid}.jsonl"));
  bring(*to, {put("1", "{\"at\":\"2026-02-01\"}\n{\"at\":\"2026-02-01T00:00:00Z\"}\n")});
  EXPECT_THAT(out(), ElementsAre(Pair("2026-01-02/*.jsonl", "{\"at\":\"2026-02-01T00:00:00Z\"}\n"),
                                 Pair("2026-02-01/*.jsonl", "{\"at\":\"2026-02-01\"}\n")));
}

TEST_F(RepartitionTest, WhatCannotBeSortedIsADeadLine) {
  const auto items = bring(*sink(config_to("lake://out/{type}/{uuid}.jsonl")),
                           {put("1",
                                "{\"type\":\"a\"}\nbroken\n{\"n\":1}\n{\"type\":null}\n"
                                "{\"type\":\"x/y\"}\n{\"type\":\"..\"}\n{\"type\":{}}\n")});
  EXPECT_THAT(out(), ElementsAre(Pair("a/*.jsonl", "{\"type\":\"a\"}\n")));
  const auto& dead = items.at(0).dead_lines;
  ASSERT_EQ(dead.size(), 6u);
  EXPECT_EQ(dead[0].text, "broken");
  EXPECT_EQ(dead[1].text, "{\"n\":1}");
  EXPECT_EQ(dead[1].number, 3u);
  EXPECT_THAT(dead[1].reason, HasSubstr("the field `type`"));
  EXPECT_THAT(dead[3].reason, HasSubstr("no key can hold the field `type`"));
}

TEST_F(RepartitionTest, OrGoesToTheNamedPlace) {
  RepartitionConfig config = config_to("lake://out/{type}/{uuid}.jsonl");
  config.missing = "_unknown";
  const auto items = bring(*sink(config), {put("1", "{\"n\":1}\n{\"type\":\"x/y\"}\nbroken\n")});
  EXPECT_THAT(out(), ElementsAre(Pair("_unknown/*.jsonl", "{\"n\":1}\n{\"type\":\"x/y\"}\n")));
  EXPECT_EQ(items.at(0).dead_lines.size(), 1u);
}

TEST_F(RepartitionTest, RowsThatAreNotWantedAreCountedAndNotDead) {
  RepartitionConfig config = config_to("lake://out/{type}/{uuid}.jsonl");
  config.rows = stack::Json{R"({"type":[{"prefix":"pu"}]})", {}};
  const auto items =
      bring(*sink(config), {put("1", "{\"type\":\"push\"}\n{\"type\":\"star\"}\n{}\n")});
  EXPECT_THAT(out(), ElementsAre(Pair("push/*.jsonl", "{\"type\":\"push\"}\n")));
  EXPECT_EQ(left_out, 2u);
  EXPECT_THAT(items.at(0).dead_lines, IsEmpty());
}

TEST_F(RepartitionTest, ADeadLineThatIsRedrivenBringsItselfAlone) {
  Event event = put("1", "{\"n\":1}\n{\"n\":2}\n");
  event.line = Event::Line{.number = 2, .text = "{\"n\":2}"};
  bring(*sink(config_to("lake://out/{n}/{uuid}.jsonl")), {event});
  EXPECT_THAT(out(), ElementsAre(Pair("2/*.jsonl", "{\"n\":2}\n")));
}

TEST_F(RepartitionTest, LeavesAloneWhatItMadeItself) {
  const auto to = sink(config_to("{type}/{uuid}.jsonl"));
  bring(*to, {put("1", "{\"type\":\"push\"}\n")});
  std::vector<Event> events;
  for (const ObjectInfo& info : run_task(world.lake->list("in", {.prefix = "push/"})).objects) {
    events.push_back(world.announce(info.key));
  }
  ASSERT_EQ(events.size(), 1u);
  const auto before = world.all();
  EXPECT_EQ(bring(*to, events).at(0).result.outcome, Outcome::kSkipped);
  EXPECT_EQ(world.all(), before);

  // Another route may want it: it is new to it.
  RepartitionConfig config = config_to("lake://out/{type}/{uuid}.jsonl");
  const auto other = make_repartition_sink(config, "other", {}, folder / "other", world.services);
  EXPECT_EQ(bring(*other, events).at(0).result.outcome, Outcome::kDone);
  EXPECT_EQ(out().size(), 1u);
}

TEST_F(RepartitionTest, GoneChangedAndEmptyObjectsCostNoOther) {
  const Event gone = put("gone", "{\"t\":1}\n");
  run_task(world.lake->remove(gone.object));
  const Event changed = put("changed", "{\"t\":1}\n");
  world.put(changed.object, "{\"t\":2}\n");
  const auto items = bring(*sink(config_to("lake://out/{t}/{uuid}.jsonl")),
                           {gone, changed, put("empty", ""), put("good", "{\"t\":3}\n")});
  EXPECT_EQ(items[0].result.outcome, Outcome::kGone);
  EXPECT_EQ(items[1].result.outcome, Outcome::kSuperseded);
  EXPECT_EQ(items[2].result.outcome, Outcome::kSkipped);
  EXPECT_THAT(out(), ElementsAre(Pair("3/*.jsonl", "{\"t\":3}\n")));
}

TEST_F(RepartitionTest, AnObjectThatBreaksInTheMiddleLeavesNoRow) {
  // Too large to be read whole before it is sorted.
  std::string lines;
  while (lines.size() < (5u << 20)) lines += "{\"t\":\"broken\",\"x\":\"0123456789012345\"}\n";
  const Event broken = put("broken", lines);
  world.faults.add({.kind = StoreFault::Kind::kCut, .call = StoreCall::kGet, .key = "in/broken"});
  const auto items = bring(*sink(config_to("lake://out/{t}/{uuid}.jsonl")),
                           {broken, put("good", "{\"t\":\"good\"}\n")});
  ASSERT_TRUE(items[0].failed);
  EXPECT_EQ(items[0].failed->kind(), ErrorKind::kTransient);
  EXPECT_THAT(out(), ElementsAre(Pair("good/*.jsonl", "{\"t\":\"good\"}\n")));
}

TEST_F(RepartitionTest, WhatDoesNotFitIntoABatchComesLater) {
  RepartitionConfig config = config_to("lake://out/{t}/{uuid}.jsonl");
  config.objects = 2;
  const auto items =
      bring(*sink(config), {put("1", "{\"t\":1}\n"), put("2", "{\"t\":2}\n{\"t\":1}\n"),
                            put("3", "{\"t\":1}\n{\"t\":3}\n"), put("4", "{\"t\":1}\n")});
  EXPECT_FALSE(items[0].later || items[1].later);
  EXPECT_TRUE(items[2].later && items[3].later);
  EXPECT_FALSE(items[2].failed || items[3].failed);
  EXPECT_THAT(out(), UnorderedElementsAre(Pair("1/*.jsonl", "{\"t\":1}\n{\"t\":1}\n"),
                                          Pair("2/*.jsonl", "{\"t\":2}\n")));

  const auto alone = bring(*sink(config), {put("5", "{\"t\":1}\n{\"t\":2}\n{\"t\":3}\n")});
  ASSERT_TRUE(alone[0].failed);
  EXPECT_EQ(alone[0].failed->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(alone[0].failed->what(), HasSubstr("this object alone"));
}

TEST_F(RepartitionTest, MoreRowsThanFitIntoMemoryComeThroughTheSame) {
  RepartitionConfig config = config_to("lake://out/{t}/{uuid}.jsonl.zst");
  config.memory = 1u << 20;
  std::map<std::string, std::string> expected;
  std::vector<Event> events;
  for (int object = 0; object < 8; ++object) {
    std::string lines;
    for (int i = 0; i < 10'000; ++i) {
      const int type = (i * 7 + object) % 13;
      const std::string line =
          fmt::format("{{\"t\":{},\"o\":{},\"i\":{},\"pad\":\"abcdefgh\"}}\n", type, object, i);
      expected[fmt::format("{}/*.jsonl.zst", type)] += line;
      lines += line;
    }
    events.push_back(put(std::to_string(object), lines));
  }
  bring(*sink(config), events);
  EXPECT_EQ(out(), expected);
  EXPECT_THAT(files(), IsEmpty());
}

/// A process dies at each call of the store in turn, before or after the call did its work; the
/// next one finds the plan (if it was written by then) and the files, and goes on. Each row is in
/// exactly one object afterwards, under the keys of the plan if there was one.
TEST_F(RepartitionTest, ARowIsInOneObjectWhereverTheProcessDied) {
  const RepartitionConfig config = config_to("lake://out/{t}/{uuid}.jsonl");
  bool failed = true;
  for (const auto kind : {StoreFault::Kind::kFailBefore, StoreFault::Kind::kFailAfter}) {
    failed = true;
    for (std::uint64_t n = 1; failed; ++n) {
      for (const ObjectInfo& info : run_task(world.lake->list("out", {})).objects) {
        run_task(world.lake->remove(info.key));
      }
      std::string lines;
      for (int i = 0; i < 12; ++i) lines += fmt::format("{{\"t\":{}}}\n", i);
      const std::vector<Event> events = {put("1", lines), put("2", lines)};
      std::unique_ptr<Sink> now;
      const auto process = [&]() -> Sink& { return *(now = sink(config)); };
      const World::CutShort cut = world.cut_short({.kind = kind, .call = {}, .key = {}, .first = n},
                                                  kGroup, events, process);
      failed = cut.died;
      if (!cut.again.empty()) bring(*now, cut.again);
      std::map<std::string, int> rows;
      for (const ObjectInfo& info : run_task(world.lake->list("out", {})).objects) {
        const Bytes body = world.body(info.key);
        for (std::size_t at = 0; at < body.size(); at = body.find('\n', at) + 1) {
          ++rows[body.substr(at, body.find('\n', at) - at)];
        }
      }
      EXPECT_EQ(rows.size(), 12u) << n;
      for (const auto& [row, count] : rows) EXPECT_EQ(count, 2) << row << " after call " << n;
      EXPECT_THAT(files(), IsEmpty()) << n;
      ASSERT_LT(n, 60u);
    }
  }
}

TEST_F(RepartitionTest, APlanIsFinishedOnlyOnceAllOfItIsThere) {
  const auto to = sink(config_to("lake://out/{t}/{uuid}.jsonl"));
  const Event event = put("1", "{\"t\":1}\n{\"t\":2}\n{\"t\":3}\n");
  const auto prepared = world.await(to->prepare(kGroup, "app", {event}));
  world.faults.add({.call = StoreCall::kPut, .key = "out/2", .error = ErrorKind::kInvalid});
  EXPECT_THROW(world.await(to->commit(*prepared)), Error);
  try {
    world.await(to->resolve(prepared->plan));
    ADD_FAILURE() << "a part of it is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_THAT(error.what(), HasSubstr("2 of 3 objects"));
  }
  world.faults.clear();
  EXPECT_TRUE(world.await(to->resolve(prepared->plan)));
  EXPECT_EQ(out().size(), 3u);
}

TEST_F(RepartitionTest, ABatchThatTheStoreRefusesFailsAsAWhole) {
  const auto to = sink(config_to("lake://out/{t}/{uuid}.jsonl"));
  const auto prepared =
      world.await(to->prepare(kGroup, "app", {put("1", "{\"t\":1}\n{\"t\":2}\n")}));
  world.faults.add({.call = StoreCall::kPut, .key = "out/", .error = ErrorKind::kInvalid});
  EXPECT_THROW(world.await(to->commit(*prepared)), Error);
  EXPECT_FALSE(world.await(to->resolve(prepared->plan)));
}

TEST_F(RepartitionTest, WithoutItsFileAHalfDonePlanIsTakenBack) {
  const auto to = sink(config_to("lake://out/{t}/{uuid}.jsonl"));
  const auto prepared =
      world.await(to->prepare(kGroup, "app", {put("1", "{\"t\":1}\n{\"t\":2}\n")}));
  world.faults.add({.call = StoreCall::kPut, .key = "out/2"});
  EXPECT_THROW(world.await(to->commit(*prepared)), Error);
  world.faults.clear();
  EXPECT_EQ(out().size(), 1u);
  to->forget(prepared->plan);
  EXPECT_FALSE(world.await(to->resolve(prepared->plan)));
  EXPECT_TRUE(out().empty());
}

TEST_F(RepartitionTest, APlanOfSomethingElseIsNoPlanOfIts) {
  const auto to = sink(config_to("lake://out/{t}/{uuid}.jsonl"));
  EXPECT_FALSE(world.await(to->resolve("")));
  EXPECT_FALSE(world.await(to->resolve(R"({"kind":"tables"})")));
  EXPECT_THROW(world.await(to->resolve(R"({"kind":"objects"})")), Error);
}

std::string errors_of(std::string yaml) {
  stack::Document document("headrace.yaml", std::move(yaml), stack::machine_environment());
  document.read(repartition_spec());
  return document.diagnostics().text();
}

TEST(RepartitionSpec, TellsWhatCannotWork) {
  EXPECT_EQ(errors_of("to: \"lake://out/{type}/{uuid}.jsonl\"\ncodec: zstd\nevery: 5m\n"), "");
  EXPECT_THAT(errors_of("to: \"{type}/all.jsonl\"\n"), HasSubstr("needs {uuid}"));
  EXPECT_THAT(errors_of("to: \"lake://out\"\n"), HasSubstr("expected store://bucket/"));
  EXPECT_THAT(errors_of("to: \"lake://{type}/{uuid}\"\n"), HasSubstr("expected store://bucket/"));
  EXPECT_THAT(errors_of("to: \"lake://out/{uuid}\"\nbucket: b\n"), HasSubstr("leave out"));
  EXPECT_THAT(errors_of("to: \"{type}{uuid}\"\n"), HasSubstr("nothing tells where"));
  EXPECT_THAT(errors_of("to: \"{uuid}\"\ncodec: brotli\n"), HasSubstr("none of"));
}

}  // namespace
}  // namespace headrace
