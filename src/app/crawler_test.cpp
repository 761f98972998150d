#include "app/crawler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "app/dataset_files.h"
#include "app/resolver.h"
#include "store/file/file_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using testing::IsNull;
using testing::NotNull;

class CrawlerTest : public testing::Test {
 protected:
  CrawlerTest() {
    stores_.add("lake", make_file_store({.path = folder_ / "lake"}, io_, clock_));
    add("often", 1h);
    add("never", std::nullopt);
    folder_.write("lake/often/a.jsonl", "{\"id\":1}\n");
    folder_.write("lake/never/a.jsonl", "{\"id\":1}\n");
  }

  static StackFile stack_in(const TempFolder& folder) {
    StackFile stack;
    stack.state = folder / "state";
    stack.stores["lake"].value = FileStoreStanza{.path = folder / "lake"};
    return stack;
  }
  void add(const std::string& name, std::optional<Duration> every) {
    stack_.datasets[name].value = {
        .store = "lake", .bucket = name, .prefix = "", .crawl = {.every = every}};
  }
  auto kept(const std::string& name) { return load_dataset_state(stack_, name); }
  std::optional<Time> run_due() { return run_task(crawler_.run_due()); }

  TempFolder folder_;
  ManualClock clock_;
  SeededRandom random_{1};
  boost::asio::thread_pool io_{1};
  Stores stores_;
  StackFile stack_ = stack_in(folder_);
  StackResolver resolver_{&stack_, nullptr, stores_};
  Crawler crawler_{stack_, {resolver_, clock_, random_, silent_log(), {.threads = 1}}};
};

TEST_F(CrawlerTest, KeepsTheColumnsOfDatasetsThatSayHowOften) {
  EXPECT_EQ(run_due(), clock_.now() + 1h);
  ASSERT_THAT(kept("often"), NotNull());
  EXPECT_EQ(kept("often")->columns.size(), 1u);
  EXPECT_THAT(kept("never"), IsNull());
}

TEST_F(CrawlerTest, CountsFromTheLastCrawlWhoeverMadeIt) {
  run_due();
  folder_.write("lake/often/b.jsonl", "{\"id\":1,\"n\":2}\n");
  clock_.advance(59min);
  run_due();
  EXPECT_EQ(kept("often")->columns.size(), 1u);
  DatasetState again = *kept("often");
  again.crawled = clock_.now();
  save_dataset_state(stack_, "often", again);
  clock_.advance(2min);
  EXPECT_EQ(run_due(), clock_.now() + 58min);
  EXPECT_EQ(kept("often")->columns.size(), 1u);
  clock_.advance(58min);
  run_due();
  EXPECT_EQ(kept("often")->columns.size(), 2u);
}

TEST_F(CrawlerTest, TriesAgainLaterWhatFailed) {
  folder_.write("lake/often/a.jsonl", "{\"id\":\n{");
  EXPECT_EQ(run_due(), clock_.now() + 1h);
  EXPECT_THAT(kept("often"), IsNull());
  folder_.write("lake/often/a.jsonl", "{\"id\":1}\n");
  clock_.advance(1h);
  run_due();
  EXPECT_THAT(kept("often"), NotNull());
}

TEST_F(CrawlerTest, EndsWhereNoDatasetSaysHowOften) {
  add("often", std::nullopt);
  EXPECT_EQ(run_due(), std::nullopt);
  run_task(crawler_.run());
}

}  // namespace
}  // namespace headrace
