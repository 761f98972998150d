#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <regex>
#include <set>

namespace headrace {
namespace {

TEST(SeededRandom, GivesTheSameSequenceForEver) {
  // The first values of splitmix64 for this seed, as its author published them.
  SeededRandom random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(Random, BelowIsUniformAndInRange) {
  SeededRandom random(1);
  std::array<int, 7> seen{};
  constexpr int kRounds = 70'000;
  for (int i = 0; i < kRounds; ++i) ++seen.at(random.below(seen.size()));
  for (const int count : seen) EXPECT_NEAR(count, kRounds / 7, 400);
  EXPECT_EQ(random.below(0), 0);
  EXPECT_EQ(random.below(1), 0);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below((1ULL << 63) + 1), (1ULL << 63) + 1);
}

TEST(Random, UnitIsFromZeroToBelowOne) {
  SeededRandom random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, UuidsAreOfVersion4AndDiffer) {
  const std::regex shape("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = random.uuid();
    ASSERT_TRUE(std::regex_match(uuid, shape)) << uuid;
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000);
  EXPECT_NE(real_random().uuid(), real_random().uuid());
}

}  // namespace
}  // namespace headrace
