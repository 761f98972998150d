// What the conformance suite does not see: that the filters in memory change no answer.
#include "ledger/rocksdb/dedupe.h"

#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace headrace::rocks {
namespace {

using std::chrono::hours;

constexpr Time kStart{std::chrono::seconds(1'800'000'000)};
constexpr Duration kDay = hours(24);

/// The parameter is the filters' bound: none at all, one that is soon reached, and plenty.
class DedupeTest : public testing::TestWithParam<std::size_t> {
 protected:
  DedupeTest() : database_(folder_.path(), nullptr) {}

  Dedupe dedupe() { return {database_, kDay, GetParam()}; }
  /// One commit.
  void add(Dedupe& dedupe, Time now, std::uint64_t first, std::uint64_t end) {
    Batch batch = database_.batch();
    dedupe.begin(batch, now);
    for (std::uint64_t identity = first; identity < end; ++identity) {
      ASSERT_FALSE(dedupe.has(identity)) << identity;
      dedupe.add(identity, batch);
      ASSERT_TRUE(dedupe.has(identity)) << identity;
    }
    database_.write(batch);
    dedupe.committed();
  }
  void expect_has(Dedupe& dedupe, Time now, std::uint64_t first, std::uint64_t end, bool has) {
    Batch batch = database_.batch();
    dedupe.begin(batch, now);
    for (std::uint64_t i = first; i < end; ++i) ASSERT_EQ(dedupe.has(i), has) << i;
    if (!batch.empty()) database_.write(batch);
    dedupe.committed();
  }

  TempFolder folder_;
  Database database_;
};

TEST_P(DedupeTest, KnowsAllThatWasAddedInAnySpanOfTheWindow) {
  Dedupe seen = dedupe();
  constexpr std::uint64_t kEach = 20'000;
  for (std::uint64_t span = 0; span < 3; ++span) {
    add(seen, kStart + hours(4 * span), span * kEach, (span + 1) * kEach);
  }
  expect_has(seen, kStart + hours(12), 0, 3 * kEach, true);
  expect_has(seen, kStart + hours(12), 3 * kEach, 4 * kEach, false);
}

TEST_P(DedupeTest, KnowsWhatAnEarlierProcessAdded) {
  Dedupe before = dedupe();
  add(before, kStart, 0, 100);
  Dedupe after = dedupe();
  expect_has(after, kStart, 0, 100, true);
  add(after, kStart, 100, 200);
  expect_has(after, kStart, 0, 200, true);
  expect_has(after, kStart, 200, 300, false);
}

TEST_P(DedupeTest, ForgetsWholeSpansAfterTheWindow) {
  Dedupe seen = dedupe();
  add(seen, kStart, 0, 100);
  add(seen, kStart + hours(12), 100, 200);
  expect_has(seen, kStart + hours(23), 0, 200, true);
  expect_has(seen, kStart + hours(28), 0, 100, false);
  expect_has(seen, kStart + hours(28), 100, 200, true);
}

TEST_P(DedupeTest, WhatAFailedCommitAddedWasNotSeen) {
  Dedupe seen = dedupe();
  Batch lost = database_.batch();
  seen.begin(lost, kStart);
  for (std::uint64_t i = 0; i < 100; ++i) seen.add(i, lost);
  seen.failed();
  expect_has(seen, kStart, 0, 100, false);
  add(seen, kStart, 0, 100);
  expect_has(seen, kStart, 0, 100, true);
}

INSTANTIATE_TEST_SUITE_P(Bounds, DedupeTest,
                         testing::Values(std::size_t{0}, std::size_t{200'000},
                                         std::size_t{64} << 20));

}  // namespace
}  // namespace headrace::rocks
