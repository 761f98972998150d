#include <gtest/gtest.h>

#include "ledger/memory/memory_ledger.h"
#include "ledger/rocksdb/rocks_ledger.h"
#include "testing/ledger_conformance.h"

namespace headrace {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, LedgerConformance,
                         testing::Values(LedgerBackend{
                             "memory", false,
                             [](const std::filesystem::path&, LedgerLimits limits, Clock& clock) {
                               return make_memory_ledger(limits, clock);
                             }}));

const LedgerBackend kRocks{
    "rocksdb", true, [](const std::filesystem::path& folder, LedgerLimits limits, Clock& clock) {
      return open_rocks_ledger(folder, limits, clock, silent_log());
    }};
INSTANTIATE_TEST_SUITE_P(Rocks, LedgerConformance, testing::Values(kRocks));
INSTANTIATE_TEST_SUITE_P(Rocks, DurableLedgerConformance, testing::Values(kRocks));

TEST(TaskIdTest, ReadsWhatItWrites) {
  const TaskId id{.seq = 0x1f, .member = 3, .route = RouteId(2)};
  EXPECT_EQ(id.text(), "1f-3-2");
  EXPECT_EQ(TaskId::parse("1f-3-2"), id);
}

TEST(TaskIdTest, RefusesWhatIsNoId) {
  for (const char* text :
       {"", "1f", "1f-3", "1f-3-", "1f-3-2x", "-1-3-2", "1f-70000-2", "1f 3 2"}) {
    EXPECT_EQ(TaskId::parse(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace headrace
