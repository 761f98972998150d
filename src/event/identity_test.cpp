#include "event/identity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace headrace {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// As the ledger does it.
class Memory {
 public:
  /// False if the event is a duplicate.
  bool takes(const Event& event, std::uint64_t audience = 0) {
    const Identity identity = identity_of(event, audience);
    const auto is_seen = [this](std::uint64_t name) { return seen_.contains(name); };
    if (is_seen(identity.change) || std::ranges::any_of(identity.same_as, is_seen)) return false;
    seen_.insert(identity.change);
    seen_.insert(identity.also.begin(), identity.also.end());
    return true;
  }
  void writes(const Event& event, Time time) {
    for (const auto name : own_write_names(event.store, event.object, *event.etag, time)) {
      seen_.insert(name);
    }
  }

 private:
  std::set<std::uint64_t> seen_;
};

/// A PUT, as AWS's records tell it.
Event a_put(std::string_view sequencer = "6B02F5D6396ABA38") {
  Event event;
  event.id = "0123-uuid";
  event.detail_type = "Object Created";
  event.time = *parse_time("2026-01-31T09:08:07.123Z");
  event.store = "lake";
  event.origin = "queue";
  event.object = {"mydataset", "dataset/a.json"};
  event.size = 5;
  event.etag = Etag{"5d41402abc4b2a76b9719d911017c592"};
  event.sequencer = sequencer;
  event.producer = "aws";
  return event;
}

Event at(Event event, std::string_view time) {
  event.time = *parse_time(time);
  return event;
}

/// The same object in a listing, which has times of whole seconds on AWS.
Event listed(Event event, std::string_view modified) {
  event.version_id = event.sequencer = "";
  event.producer = event.origin = "listing";
  return at(std::move(event), modified);
}

Event deleted(Event event, std::string_view sequencer) {
  event.kind = EventKind::kDeleted;
  event.detail_type = "Object Deleted";
  event.etag.reset();
  event.size.reset();
  event.sequencer = sequencer;
  return event;
}

TEST(Identity, IsOneForOneChangeToldByTwoSources) {
  Memory memory;
  EXPECT_TRUE(memory.takes(a_put()));
  Event again = a_put();
  again.id = "another";
  again.origin = "webhook";
  again.producer = "eventbridge";
  again.time = *parse_time("2026-01-31T09:08:07Z");  // EventBridge tells whole seconds.
  again.key_fields = {{"name", "a"}};
  again.size.reset();
  EXPECT_FALSE(memory.takes(again));
}

// radosgw 16 sent these to the topics of two rules for one PUT, and then for one DELETE.
TEST(Identity, IsOneForOneChangeThatCephToldTwoTopics) {
  Memory memory;
  Event put = at(a_put("6B0AF2482F063992"), "2026-11-28T15:24:56.787569Z");
  put.producer = "ceph";
  EXPECT_TRUE(memory.takes(put));
  put.sequencer = "6B0AF2482F7F217B";
  EXPECT_FALSE(memory.takes(put));
  EXPECT_TRUE(memory.takes(at(put, "2026-11-28T15:24:56.850065Z"))) << "the same bytes again";
  Event removal = at(deleted(put, "6B0AF2483607CBA0"), "2026-11-28T15:24:56.906474Z");
  EXPECT_TRUE(memory.takes(removal));
  removal.sequencer = "6B0AF2483618054E";
  EXPECT_FALSE(memory.takes(removal));
}

TEST(Identity, KeepsAPutAndADeletionAndAPutOfTheSameBytes) {
  Memory memory;
  EXPECT_TRUE(memory.takes(a_put("6B02F5D600000001")));
  EXPECT_TRUE(memory.takes(deleted(a_put(), "6B02F5D600000002")));
  EXPECT_TRUE(memory.takes(a_put("6B02F5D600000003"))) << "within the same millisecond";
  EXPECT_FALSE(memory.takes(a_put("6B02F5D600000003")));
}

TEST(Identity, KeepsThemAlsoWhereThereAreOnlyTimes) {
  Memory memory;
  const Event put = a_put("");
  EXPECT_TRUE(memory.takes(put));
  EXPECT_TRUE(memory.takes(at(deleted(put, ""), "2026-01-31T09:08:07.124Z")));
  EXPECT_TRUE(memory.takes(at(put, "2026-01-31T09:08:07.125Z")));
  EXPECT_FALSE(memory.takes(put)) << "delivered again";
}

TEST(Identity, UsesTheFirstOfVersionSequencerEtagAndTime) {
  const auto change = [](const Event& event) { return identity_of(event).change; };
  Event event = a_put();
  event.version_id = "v7";
  Event again = event;
  again.sequencer = "7";
  EXPECT_EQ(change(event), change(again)) << "the version decides";
  event.version_id = again.version_id = "";
  EXPECT_NE(change(event), change(again)) << "the sequencer decides";
  again.sequencer = event.sequencer;
  again.etag = Etag{"other"};
  EXPECT_EQ(change(event), change(again)) << "the sequencer is enough";
  event.sequencer = again.sequencer = "";
  EXPECT_NE(change(event), change(again)) << "etag and time decide";
  event.etag = again.etag = std::nullopt;
  EXPECT_EQ(change(event), change(again)) << "the time decides";
  again.time += seconds(1);
  EXPECT_NE(change(event), change(again));
}

TEST(Identity, DiffersForAnotherObjectKindOrLine) {
  const auto changed = [](auto change) {
    Event other = a_put();
    change(other);
    return identity_of(other).change;
  };
  const std::uint64_t same = identity_of(a_put()).change;
  EXPECT_NE(same, changed([](Event& e) { e.store = "other"; }));
  EXPECT_NE(same, changed([](Event& e) { e.object.path += "x"; }));
  EXPECT_NE(same, changed([](Event& e) { e.detail_type = "Object Deleted"; }));
  EXPECT_NE(same, changed([](Event& e) { e.line = Event::Line{1, "a"}; }));
  EXPECT_NE(changed([](Event& e) { e.object = {"a/b", "c"}; }),
            changed([](Event& e) { e.object = {"a", "b/c"}; }));
  EXPECT_NE(changed([](Event& e) { e.line = Event::Line{1, "a"}; }),
            changed([](Event& e) { e.line = Event::Line{2, "a"}; }));
}

TEST(Identity, TellsTwoTagChangesOfOneVersionApart) {
  Event event = a_put();
  event.kind = EventKind::kTagsChanged;
  event.detail_type = "Object Tags Added";
  event.version_id = "v7";
  Event later = event;
  later.time += seconds(1);
  EXPECT_NE(identity_of(event).change, identity_of(later).change);
}

TEST(Identity, IsOneForAnAnnouncementAndAListingWhicheverComesFirst) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"2026-01-31T09:08:07.123Z", "2026-01-31T09:08:07Z"},         // AWS
      {"2026-01-31T09:08:07.123Z", "2026-01-31T09:08:07.123Z"},     // MinIO
      {"2026-01-31T09:08:07.123456Z", "2026-01-31T09:08:07.123Z"},  // Ceph
  };
  for (const auto& [told, modified] : rows) {
    for (const bool versioned : {false, true}) {
      Event announced = at(a_put(), told);
      if (versioned) announced.version_id = "v7";
      const Event in_listing = listed(announced, modified);
      Memory announced_first;
      EXPECT_TRUE(announced_first.takes(announced));
      EXPECT_FALSE(announced_first.takes(in_listing)) << told << " " << modified;
      Memory listed_first;
      EXPECT_TRUE(listed_first.takes(in_listing));
      EXPECT_FALSE(listed_first.takes(announced)) << told << " " << modified;
      EXPECT_FALSE(listed_first.takes(in_listing));
    }
  }
}

/// Captured from MinIO: eventTime is that of the announcement.
TEST(Identity, TakesMiniosTimeOfTheObjectFromItsSequencer) {
  Event announced = at(a_put("18BA5E7A3F0B5A40"), "2026-01-31T09:08:07.125Z");
  announced.producer = "minio";
  const auto nanoseconds = std::chrono::nanoseconds(0x18BA5E7A3F0B5A40);
  const Time modified(std::chrono::floor<milliseconds>(nanoseconds));
  Memory memory;
  EXPECT_TRUE(memory.takes(announced));
  EXPECT_FALSE(memory.takes(listed(announced, format_time(modified))));
  EXPECT_TRUE(memory.takes(listed(announced, "2026-01-31T09:08:07.125Z")));
}

TEST(Identity, TellsAListingOfANewerPutApart) {
  Memory memory;
  EXPECT_TRUE(memory.takes(a_put()));
  EXPECT_TRUE(memory.takes(listed(a_put(), "2026-01-31T09:08:09Z")));
  EXPECT_FALSE(memory.takes(at(a_put("6B02F5D7"), "2026-01-31T09:08:09.5Z")));
}

TEST(Identity, IsOneForAWatchAndAListingOfOneFolder) {
  Event watched = at(a_put(""), "2026-01-31T09:08:07.123456Z");
  watched.producer = "watch";
  Memory memory;
  EXPECT_TRUE(memory.takes(watched));
  EXPECT_FALSE(memory.takes(listed(watched, "2026-01-31T09:08:07.123456Z")));
  EXPECT_TRUE(memory.takes(listed(watched, "2026-01-31T09:08:07.123457Z")));
}

TEST(Identity, KnowsOurOwnWrites) {
  const Event event = a_put();
  for (const auto skew : {minutes(-15), minutes(0), minutes(15)}) {
    Memory memory;
    memory.writes(event, event.time + skew);
    EXPECT_FALSE(memory.takes(event)) << skew.count();
    EXPECT_FALSE(memory.takes(listed(event, "2026-01-31T09:08:07Z")));
    Event other = event;
    other.etag = Etag{"other"};
    EXPECT_TRUE(memory.takes(other));
    EXPECT_TRUE(memory.takes(deleted(event, "7")));
  }
}

TEST(Identity, IsAnotherForEachAudience) {
  Memory memory;
  const Event in_listing = listed(a_put(), "2026-01-31T09:08:07Z");
  EXPECT_TRUE(memory.takes(a_put(), 1));
  EXPECT_TRUE(memory.takes(in_listing, 2));
  EXPECT_TRUE(memory.takes(a_put(), 3));
  EXPECT_FALSE(memory.takes(in_listing, 3));
  EXPECT_FALSE(memory.takes(a_put(), 1));
  EXPECT_FALSE(memory.takes(a_put(), 2));
}

TEST(Identity, OfOurOwnWritesIsEverybodys) {
  Memory memory;
  memory.writes(a_put(), a_put().time);
  EXPECT_FALSE(memory.takes(a_put(), 1));
  EXPECT_FALSE(memory.takes(a_put(), 2));
}

TEST(Identity, LetsTheSameBytesBeWrittenAgainByOthersLater) {
  const Event event = a_put();
  Memory memory;
  memory.writes(event, event.time);
  EXPECT_TRUE(memory.takes(at(a_put("6B02F5D7"), "2026-01-31T09:54:00Z")));
}

TEST(Identity, NeverChangesSinceTheLedgerKeepsIt) {
  Event event = a_put();
  EXPECT_EQ(identity_of(event).change, 13397675781485556170u);
  event.sequencer.clear();
  EXPECT_EQ(identity_of(event).change, 11298809145711124488u);
  EXPECT_EQ(own_write_names(event.store, event.object, *event.etag, event.time)[0],
            7062585927833906626u);
}

}  // namespace
}  // namespace headrace
