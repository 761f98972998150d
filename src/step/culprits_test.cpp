#include "step/culprits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Search {
  std::vector<std::size_t> found;
  std::size_t tries = 0;
};

/// Among the numbers below `size`; `bad` says of some whether they fail.
Search search(std::size_t size, const std::function<bool(const std::vector<std::size_t>&)>& bad) {
  std::vector<std::size_t> all(size);
  std::iota(all.begin(), all.end(), 0);
  Search search;
  const auto culprits =
      run_task(find_culprits(all, [&](std::vector<std::size_t> some) -> Task<std::optional<Error>> {
        ++search.tries;
        if (!bad(some)) co_return std::nullopt;
        co_return Error(ErrorKind::kInvalid, std::to_string(some.front()));
      }));
  for (const Culprit& culprit : culprits) {
    search.found.push_back(culprit.index);
    EXPECT_EQ(culprit.error.what(), std::to_string(culprit.index));
  }
  return search;
}

bool holds(const std::vector<std::size_t>& some, std::size_t one) {
  return std::ranges::find(some, one) != some.end();
}

TEST(FindCulprits, FindsOneAmongManyWithFewTries) {
  for (const std::size_t culprit : {0u, 1u, 777u, 99'999u}) {
    const Search found = search(100'000, [&](const auto& some) { return holds(some, culprit); });
    EXPECT_THAT(found.found, ElementsAre(culprit));
    EXPECT_LE(found.tries, 34u);
  }
}

TEST(FindCulprits, FindsAllInTheirOrder) {
  const Search found = search(
      1000, [](const auto& some) { return holds(some, 998) || holds(some, 3) || holds(some, 4); });
  EXPECT_THAT(found.found, ElementsAre(3, 4, 998));
  EXPECT_LE(found.tries, 60u);
}

TEST(FindCulprits, FindsNoneWhereTheyFailOnlyTogether) {
  const Search found = search(64, [](const auto& some) { return some.size() > 32; });
  EXPECT_THAT(found.found, IsEmpty());
  EXPECT_EQ(found.tries, 2u);
}

TEST(FindCulprits, OneSuspectIsTriedForItsError) {
  EXPECT_THAT(search(1, [](const auto&) { return true; }).found, ElementsAre(0));
  EXPECT_THAT(search(1, [](const auto&) { return false; }).found, IsEmpty());
  EXPECT_EQ(search(0, [](const auto&) { return true; }).tries, 0u);
}

TEST(FindCulprits, EndsWithWhatATryThrows) {
  const auto fails = [](std::vector<std::size_t>) -> Task<std::optional<Error>> {
    throw Error(ErrorKind::kTransient, "store is away");
    co_return std::nullopt;
  };
  EXPECT_THROW(run_task(find_culprits({1, 2}, fails)), Error);
}

}  // namespace
}  // namespace headrace
