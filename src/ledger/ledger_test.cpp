#include <gtest/gtest.h>

#include "ledger/memory/memory_ledger.h"
#include "ledger/rocksdb/rocks_ledger.h"
#include "testing/ledger_conformance.h"

#if __has_feature(thread_sanitizer)
// The libraries are not instrumented: how RocksDB's threads synchronise cannot be seen, nor the
// count of those who hold an exception.
extern "C" const char* __tsan_default_suppressions() {
  return "race:librocksdb.so\nrace:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

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
