#include "ledger/ledger_id.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "ledger/memory/memory_ledger.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

class LedgerIdTest : public testing::Test {
 protected:
  std::string id(const std::string& place) { return run_task(ledger_id(*ledger, random, place)); }

  ManualClock clock;
  SeededRandom random{3};
  std::unique_ptr<Ledger> ledger = make_memory_ledger({}, clock);
};

TEST_F(LedgerIdTest, StaysWithALedgerThatStays) {
  const std::string first = id("here");
  EXPECT_EQ(id("here"), first);
  auto other = make_memory_ledger({}, clock);
  EXPECT_NE(run_task(ledger_id(*other, random, "here")), first);
  other->close();
  ledger->close();
}

TEST_F(LedgerIdTest, ACopyGetsOneOfItsOwn) {
  const std::string first = id("here");
  const std::string copy = id("there");
  EXPECT_NE(copy, first);
  EXPECT_EQ(id("there"), copy);
  ledger->close();
}

TEST(PlaceOf, TellsAFolderFromItsCopyAndKnowsItAfterARename) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "ledger");
  const std::string place = place_of(folder / "ledger");
  std::filesystem::copy(folder / "ledger", folder / "copy",
                        std::filesystem::copy_options::recursive);
  EXPECT_NE(place_of(folder / "copy"), place);
  std::filesystem::rename(folder / "ledger", folder / "renamed");
  EXPECT_EQ(place_of(folder / "renamed"), place);
  EXPECT_THROW(place_of(folder / "ledger"), Error);
}

}  // namespace
}  // namespace headrace
