#include "ledger/rocksdb/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::rocks {
namespace {

PageDraft draft() {
  PageDraft page{.due = Time(std::chrono::seconds(1'800'000'000)), .attempt = 3, .error = "503"};
  page.bodies = {"a", "", Bytes("\0\xff", 2)};
  page.shards = {1, 0, 255};
  page.routes[RouteId(1)] = {0, 1, 2};
  page.routes[RouteId(2)] = {1};
  page.routes[RouteId(3)] = {0, 1, 2};
  page.routes[RouteId(900)] = {0, 2};
  return page;
}

TEST(PageCodec, ReadsWhatItWrites) {
  const PageDraft made = draft();
  const Bytes payload = encode_payload(made);
  const PageContent page = decode_payload(payload);
  EXPECT_EQ(page.due, made.due);
  EXPECT_EQ(page.attempt, 3);
  EXPECT_EQ(page.error, "503");
  EXPECT_THAT(page.bodies, testing::ElementsAreArray(made.bodies));
  EXPECT_EQ(page.shards, BytesView("\1\0\377", 3));
  const std::vector<RouteMembers> routes{
      {RouteId(1), {}}, {RouteId(2), {1}}, {RouteId(3), {}}, {RouteId(900), {0, 2}}};
  EXPECT_EQ(page.routes, routes);
}

TEST(PageCodec, RefusesEveryCutOfAPage) {
  const Bytes payload = encode_payload(draft());
  for (std::size_t length = 0; length < payload.size(); ++length) {
    EXPECT_THROW(decode_payload(BytesView(payload).substr(0, length)), Error) << length;
  }
  EXPECT_THROW(decode_payload(payload + "x"), Error);
}

TEST(PageCodec, PacksWhatRepeatsAndLeavesTheRestAlone) {
  const Bytes repeats(10'000, 'x');
  EXPECT_LT(pack(repeats).size(), 200u);
  EXPECT_EQ(unpack(pack(repeats)), repeats);
  EXPECT_EQ(pack("abc").size(), 4u);
  EXPECT_EQ(unpack(pack("abc")), "abc");
  EXPECT_EQ(unpack(pack("")), "");
}

TEST(PageCodec, RefusesDamagedPacking) {
  EXPECT_THROW(unpack(""), Error);
  EXPECT_THROW(unpack("\7abc"), Error);
  Bytes packed = pack(Bytes(10'000, 'x'));
  EXPECT_THROW(unpack(BytesView(packed).substr(0, packed.size() - 1)), Error);
  EXPECT_THROW(unpack(Bytes("\1\xff\xff\xff\xff\x0f", 6)), Error) << "a size out of all proportion";
}

TEST(PageCodec, TellsAThousandRoutesInAFewBytes) {
  PageDraft page;
  page.bodies = {"event"};
  page.shards = {0};
  for (std::uint32_t i = 1; i <= 1000; ++i) page.routes[RouteId(i)] = {0};
  const Bytes payload = encode_payload(page);
  EXPECT_LT(payload.size(), 40u);
  EXPECT_EQ(decode_payload(payload).routes.size(), 1000u);
}

TEST(PageCodec, RefusesNumbersThatWouldTakeAllMemory) {
  Bytes routes;  // One run of nearly all route numbers there are.
  put_varint(routes, UINT32_MAX - 2);
  put_varint(routes, 1);
  put_varint(routes, UINT32_MAX - 4ull);
  EXPECT_THROW(decode_deltas(routes + Bytes(1, '\0')), Error);
}

TEST(DeltaCodec, ReadsOperandsOneAfterTheOther) {
  const PageDelta first{{RouteId(1), {}}, {RouteId(2), {}}, {RouteId(7), {3, 4, 250}}};
  const PageDelta second{{RouteId(7), {0}}};
  std::vector<RouteMembers> both = first;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(decode_deltas(encode_delta(first) + encode_delta(second)), both);
  EXPECT_TRUE(decode_deltas("").empty());
}

TEST(CountCodec, SumsOperands) {
  CountDeltas first;
  for (std::uint32_t i = 1; i <= 1000; ++i) first[RouteId(i)] = {1, 0, 0, 0, 0, -2};
  CountDeltas second;
  second[RouteId(5)] = {10, 3, 0, 0, 0, 7};
  EXPECT_LT(encode_counts(first).size(), 20u);
  CountDeltas sums;
  add_counts(encode_counts(first) + encode_counts(second), sums);
  EXPECT_EQ(sums[RouteId(4)], (std::array<std::int64_t, kCounts>{1, 0, 0, 0, 0, -2}));
  EXPECT_EQ(sums[RouteId(5)], (std::array<std::int64_t, kCounts>{11, 3, 0, 0, 0, 5}));
}

TEST(DeadCodec, ReadsWhatItWrites) {
  const DeadRow made{RouteId(3), Time(Duration(12)), 5, ErrorKind::kBug, 9, "why", "body"};
  const Bytes bytes = encode_dead(made);
  const DeadRow row = decode_dead(bytes);
  EXPECT_EQ(row.route, made.route);
  EXPECT_EQ(row.at, made.at);
  EXPECT_EQ(row.attempts, 5);
  EXPECT_EQ(row.kind, ErrorKind::kBug);
  EXPECT_EQ(row.shard, 9);
  EXPECT_EQ(row.error, "why");
  EXPECT_EQ(row.body, "body");
  EXPECT_THROW(decode_dead("\1"), Error);
}

TEST(KeyCodec, OrdersKeysAsPositions) {
  const Position early{5, 3};
  const Position same_time{5, 301};
  const Position late{300, 1};
  EXPECT_LT(page_key(Lane::kLater, early), page_key(Lane::kLater, same_time));
  EXPECT_LT(page_key(Lane::kLater, same_time), page_key(Lane::kLater, late));
  EXPECT_EQ(page_position(Lane::kLater, page_key(Lane::kLater, late)), late);
  EXPECT_EQ(page_position(Lane::kReady, page_key(Lane::kReady, {0, 258})), (Position{0, 258}));
  EXPECT_THROW(page_position(Lane::kReady, "short"), Error);
  EXPECT_EQ(micros(Time(Duration(-5))), 0u) << "before 1970 is long ago";
}

}  // namespace
}  // namespace headrace::rocks
