#include "upkeep/caretaker.h"

#include "testing/manual_clock.h"
#include "testing/upkeep_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// The table t of a stack whose small files are joined once there are more than three.
class CaretakerTest : public UpkeepTest {
 protected:
  CaretakerTest() {
    stores_.add("s", make_file_store({.path = folder_.path()}, io_, real_clock()));
    TableConfig config;
    config.name = "t";
    config.store = "s";
    config.location = "lake/t";
    config.optimize.small_files = 3;
    catalog_ = std::make_unique<Catalog>(stores_, std::vector<TableConfig>{config}, clock_,
                                         real_random(), silent_log(), nullptr);
    caretaker_ = std::make_unique<Caretaker>(Caretaker::Services{
        *catalog_, stores_, *this, clock_, real_random(), silent_log(), {}, folder_ / "scratch"});
  }
  /// One more small file, and what the caretaker makes of it.
  std::size_t files_after_one_more() {
    run_task(add(fmt::format("{{\"id\":{}}}\n", seq_)));
    caretaker_->committed("t", 1);
    run_task(caretaker_->run_due());
    return paths().size();
  }

  ManualClock clock_;
  Stores stores_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Caretaker> caretaker_;
};

TEST_F(CaretakerTest, JoinsFilesOnceThereAreTooMany) {
  std::vector<std::size_t> files;
  for (int i = 0; i < 8; ++i) files.push_back(files_after_one_more());
  EXPECT_THAT(files, ElementsAre(1, 2, 3, 1, 2, 3, 1, 2));
  EXPECT_THAT(rows("SELECT count(DISTINCT id) FROM t"), ElementsAre("8"));
}

TEST_F(CaretakerTest, CountsWhatWasThereBeforeItStarted) {
  for (int i = 0; i < 5; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", seq_)));
  EXPECT_EQ(files_after_one_more(), 1u);
}

TEST_F(CaretakerTest, PausesAfterAFailure) {
  for (int i = 0; i < 4; ++i) run_task(add(fmt::format("{{\"id\":{}}}\n", seq_)));
  before_reading_ = []() -> Task<> {
    throw Error(ErrorKind::kTransient, "no network");
    co_return;
  };
  EXPECT_EQ(files_after_one_more(), 5u);
  EXPECT_EQ(files_after_one_more(), 6u);
  clock_.advance(std::chrono::minutes(6));
  EXPECT_EQ(files_after_one_more(), 1u);
}

}  // namespace
}  // namespace headrace
