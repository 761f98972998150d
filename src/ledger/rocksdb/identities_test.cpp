#include "ledger/rocksdb/identities.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace headrace::rocks {
namespace {

TEST(IdentitySet, KnowsWhatWasInsertedAndNothingElse) {
  IdentitySet set;
  EXPECT_FALSE(set.contains(0));
  EXPECT_FALSE(set.contains(7));
  for (std::uint64_t i = 0; i < 10'000; i += 2) set.insert(i);
  set.insert(4);
  for (std::uint64_t i = 0; i < 10'000; ++i) ASSERT_EQ(set.contains(i), i % 2 == 0) << i;
}

TEST(IdentitySet, IsEmptyAfterClearHoweverLargeItWas) {
  IdentitySet set;
  for (const std::uint64_t count : {10u, 100'000u, 10u}) {
    for (std::uint64_t i = 0; i < count; ++i) set.insert(i);
    set.clear();
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_FALSE(set.contains(i)) << i;
  }
}

TEST(IdentityFilter, NeverDeniesWhatWasAddedAndTakesFewOthersForIt) {
  constexpr int kMany = 200'000;
  IdentityFilter filter;
  EXPECT_FALSE(filter.may_contain(42));
  SeededRandom added(1);
  for (int i = 0; i < kMany; ++i) filter.add(added.next());
  SeededRandom again(1);
  for (int i = 0; i < kMany; ++i) ASSERT_TRUE(filter.may_contain(again.next())) << i;
  SeededRandom others(2);
  int mistaken = 0;
  for (int i = 0; i < kMany; ++i) mistaken += filter.may_contain(others.next()) ? 1 : 0;
  EXPECT_LT(mistaken, kMany / 100);
}

TEST(IdentityFilter, WorksForIdentitiesThatAreNotRandom) {
  IdentityFilter filter;
  for (std::uint64_t i = 0; i < 50'000; ++i) filter.add(i);
  int mistaken = 0;
  for (std::uint64_t i = 50'000; i < 100'000; ++i) mistaken += filter.may_contain(i) ? 1 : 0;
  EXPECT_LT(mistaken, 50'000 / 100);
}

TEST(IdentityFilter, TellsHowMuchItGrowsBeforeItDoes) {
  IdentityFilter filter;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::size_t expected = filter.bytes() + filter.growth();
    filter.add(i);
    ASSERT_EQ(filter.bytes(), expected) << i;
  }
  EXPECT_LE(filter.bytes(), 4u * 100'000);
}

}  // namespace
}  // namespace headrace::rocks
