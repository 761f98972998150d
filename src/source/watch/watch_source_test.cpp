#include "source/watch/watch_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <filesystem>
#include <set>
#include <thread>

#include "core/error.h"
#include "source/watch/inotify.h"
#include "store/file/file_store.h"
#include "testing/fake_source_memory.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// The manual clock stands long after the files' real times, so that they are settled at once;
/// `set_fresh` makes one that is not.
class WatchSourceTest : public testing::Test {
 protected:
  WatchSourceTest() { restart(); }

  void restart(std::string prefix = "in/") {
    WatchOptions options;
    options.name = "landing";
    options.store = "lake";
    options.root = folder_.path();
    options.bucket = "bucket";
    options.prefix = std::move(prefix);
    const KeyMatcher matcher = [](std::string_view key) -> std::optional<KeyFields> {
      if (key.ends_with(".tmp")) return std::nullopt;
      return KeyFields{{"key", std::string(key)}};
    };
    source_ = make_watch_source(options, matcher, memory_, io_, clock_, random_, silent_log());
  }

  static std::string text_of(const Event& event) {
    return (event.kind == EventKind::kDeleted ? "-" : "+") + event.object.path;
  }
  /// Waits for the next batch and acknowledges it.
  std::vector<std::string> next() {
    std::vector<std::string> texts;
    const auto batch = run_task(next_and_ack());
    if (!batch) return {"(end)"};
    for (const Event& event : batch->events) texts.push_back(text_of(event));
    return texts;
  }
  /// All that is there, until the source ends.
  std::vector<std::string> drain() {
    source_->drain();
    std::vector<std::string> texts;
    while (const auto batch = run_task(next_and_ack())) {
      for (const Event& event : batch->events) texts.push_back(text_of(event));
    }
    return texts;
  }
  /// Starts the watch without waiting for an event: a first file is given.
  void start() {
    folder_.write("bucket/in/start", "x");
    EXPECT_THAT(next(), ElementsAre("+in/start"));
  }
  void set_fresh(std::string_view name) {
    const auto now = clock_.now().time_since_epoch();
    const timespec time = {std::chrono::duration_cast<std::chrono::seconds>(now).count(), 0};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ / name).c_str(), times, 0), 0);
  }

  // The source lives on one loop, as in the engine: its descriptor is bound to it.
  Task<std::optional<EventBatch>> next_and_ack() {
    auto batch = co_await source_->next();
    if (batch) co_await source_->ack(batch->receipt);
    co_return batch;
  }
  template <class T>
  T run_task(Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      result.emplace(std::move(value));
      loop_.stop();
    });
    loop_.restart();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }

  const TempFolder folder_;
  boost::asio::io_context loop_;
  ManualClock clock_;
  SeededRandom random_{1};
  FakeSourceMemory memory_;
  CpuPool io_{2};
  std::unique_ptr<Source> source_;
};

TEST_F(WatchSourceTest, GivesWhatIsThere) {
  folder_.write("bucket/in/a", "12345");
  folder_.write("bucket/in/deep/er/b", "");
  folder_.write("bucket/in/c.tmp", "x");
  folder_.write("bucket/out/d", "x");
  folder_.write("bucket/in/.headrace-tmp-1", "x");
  EXPECT_THAT(drain(), UnorderedElementsAre("+in/a", "+in/deep/er/b"));
}

TEST_F(WatchSourceTest, DescribesAnObjectAsTheStoreDoes) {
  folder_.write("bucket/in/a", "12345");
  const auto batch = run_task(next_and_ack());
  ASSERT_TRUE(batch);
  const Event& event = batch->events.at(0);
  const auto store = make_file_store({folder_.path()}, io_, clock_);
  const auto info = headrace::run_task(store->head({"bucket", "in/a"}));
  EXPECT_EQ(event.kind, EventKind::kCreated);
  EXPECT_EQ(event.object, info->key);
  EXPECT_EQ(event.size, 5u);
  EXPECT_EQ(event.etag, info->etag);
  EXPECT_EQ(event.time, info->modified);
  EXPECT_EQ(event.producer, "watch");
  EXPECT_EQ(event.origin, "landing");
  EXPECT_EQ(event.store, "lake");
  EXPECT_EQ(event.key_fields, (KeyFields{{"key", "in/a"}}));
}

TEST_F(WatchSourceTest, MakesTheFolderItWatches) {
  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_TRUE(fs::is_directory(folder_ / "bucket/in"));
  EXPECT_FALSE(fs::exists(folder_ / ".headrace"));
}

TEST_F(WatchSourceTest, TakesWhatLands) {
  start();
  folder_.write("bucket/in/written", "x");
  EXPECT_THAT(next(), ElementsAre("+in/written"));
  folder_.write("bucket/elsewhere", "x");
  fs::rename(folder_ / "bucket/elsewhere", folder_ / "bucket/in/moved");
  EXPECT_THAT(next(), ElementsAre("+in/moved"));
  fs::create_hard_link(folder_ / "bucket/in/moved", folder_ / "bucket/in/linked");
  EXPECT_THAT(next(), ElementsAre("+in/linked"));
}

TEST_F(WatchSourceTest, TakesWhatTheStoreWrites) {
  start();
  const auto store = make_file_store({folder_.path()}, io_, clock_);
  headrace::run_task(store->put({"bucket", "in/put"}, "x", {.metadata = {{"a", "b"}}}));
  headrace::run_task(store->put_if_absent({"bucket", "in/absent"}, "x"));
  EXPECT_THAT(drain(), ElementsAre("+in/put", "+in/absent"));
}

TEST_F(WatchSourceTest, DoesNotTakeAFileThatIsBeingWritten) {
  start();
  const int fd = ::open((folder_ / "bucket/in/slow").c_str(), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::write(fd, "half", 4), 4);
  folder_.write("bucket/in/quick", "x");
  EXPECT_THAT(next(), ElementsAre("+in/quick"));
  ASSERT_EQ(::write(fd, "whole", 5), 5);
  ::close(fd);
  const auto batch = run_task(next_and_ack());
  ASSERT_EQ(text_of(batch->events.at(0)), "+in/slow");
  EXPECT_EQ(batch->events[0].size, 9u);
}

TEST_F(WatchSourceTest, GivesANewContentAndNotAnOldOne) {
  start();
  folder_.write("bucket/in/start", "changed");
  EXPECT_THAT(next(), ElementsAre("+in/start"));
  // Opened for writing, closed without a change.
  ::close(::open((folder_ / "bucket/in/start").c_str(), O_WRONLY));
  EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(WatchSourceTest, TellsOfDeletions) {
  start();
  folder_.write("bucket/in/moved", "x");
  EXPECT_THAT(next(), ElementsAre("+in/moved"));
  fs::remove(folder_ / "bucket/in/start");
  fs::rename(folder_ / "bucket/in/moved", folder_ / "bucket/away");
  const auto batch = run_task(next_and_ack());
  ASSERT_EQ(batch->events.size(), 2u);
  EXPECT_EQ(text_of(batch->events[0]), "-in/start");
  EXPECT_EQ(text_of(batch->events[1]), "-in/moved");
  EXPECT_EQ(batch->events[0].detail_type, "Object Deleted");
  EXPECT_EQ(batch->events[0].time, clock_.now());
  EXPECT_EQ(batch->events[0].etag, std::nullopt);
}

TEST_F(WatchSourceTest, TellsNoDeletionOfWhatItNeverGave) {
  start();
  folder_.write("bucket/in/temporary", "x");
  fs::rename(folder_ / "bucket/in/temporary", folder_ / "bucket/in/whole");
  EXPECT_THAT(drain(), ElementsAre("+in/whole"));
}

/// However the changes fall between two reads of them.
TEST_F(WatchSourceTest, PassesOverHiddenNames) {
  start();
  folder_.write("bucket/in/.whole.tmp", "x");
  folder_.write("bucket/in/seen", "x");
  EXPECT_THAT(next(), ElementsAre("+in/seen"));
  fs::rename(folder_ / "bucket/in/.whole.tmp", folder_ / "bucket/in/whole");
  folder_.write("bucket/in/.parts/one", "x");
  EXPECT_THAT(next(), ElementsAre("+in/whole"));
  fs::rename(folder_ / "bucket/in/.parts", folder_ / "bucket/in/parts");
  EXPECT_THAT(next(), ElementsAre("+in/parts/one"));
  // What is there at the start too.
  folder_.write("bucket/in/.left", "x");
  folder_.write("bucket/in/.parts/two", "x");
  restart();
  EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(WatchSourceTest, TakesTheHiddenNamesThatThePrefixNames) {
  restart("in/.d");
  folder_.write("bucket/in/.d.json", "x");
  folder_.write("bucket/in/.data/a", "x");
  folder_.write("bucket/in/.data/.b", "x");
  EXPECT_THAT(drain(), UnorderedElementsAre("+in/.d.json", "+in/.data/a"));
}

TEST_F(WatchSourceTest, GivesAnObjectThatComesBack) {
  start();
  const auto old = folder_ / "bucket/kept";
  fs::rename(folder_ / "bucket/in/start", old);
  EXPECT_THAT(next(), ElementsAre("-in/start"));
  fs::rename(old, folder_ / "bucket/in/start");
  EXPECT_THAT(next(), ElementsAre("+in/start"));
}

TEST_F(WatchSourceTest, FollowsNewFolders) {
  start();
  folder_.write("bucket/in/x/y/z/one", "1");
  EXPECT_THAT(next(), ElementsAre("+in/x/y/z/one"));
  folder_.write("bucket/in/x/y/z/two", "2");
  EXPECT_THAT(next(), ElementsAre("+in/x/y/z/two"));
  folder_.write("bucket/elsewhere/sub/three", "3");
  fs::rename(folder_ / "bucket/elsewhere", folder_ / "bucket/in/arrived");
  EXPECT_THAT(next(), ElementsAre("+in/arrived/sub/three"));
  folder_.write("bucket/in/arrived/sub/four", "4");
  EXPECT_THAT(next(), ElementsAre("+in/arrived/sub/four"));
}

TEST_F(WatchSourceTest, FollowsAFolderToItsNewName) {
  start();
  folder_.write("bucket/in/old/one", "1");
  EXPECT_THAT(next(), ElementsAre("+in/old/one"));
  fs::rename(folder_ / "bucket/in/old", folder_ / "bucket/in/new");
  EXPECT_THAT(next(), ElementsAre("+in/new/one"));
  folder_.write("bucket/in/new/two", "2");
  EXPECT_THAT(next(), ElementsAre("+in/new/two"));
  // And not out of the tree.
  fs::rename(folder_ / "bucket/in/new", folder_ / "bucket/gone");
  folder_.write("bucket/gone/three", "3");
  EXPECT_THAT(drain(), IsEmpty());
}

/// Files that land while folders appear around them: none may fall between watch and listing.
TEST_F(WatchSourceTest, LosesNoFileInNewFolders) {
  start();
  std::set<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    expected.insert(fmt::format("+in/{}/{}/{}", i % 7, i % 31, i));
  }
  std::thread writer([&] {
    for (const std::string& name : expected) folder_.write("bucket/" + name.substr(1), "x");
  });
  // A set: by the manual clock a file just made looks old, so it may be taken before its bytes are
  // in, and then again.
  std::set<std::string> got;
  while (got.size() < expected.size()) {
    for (auto& text : next()) got.insert(std::move(text));
  }
  writer.join();
  for (auto& text : drain()) got.insert(std::move(text));
  EXPECT_EQ(got, expected);
}

TEST_F(WatchSourceTest, GivesOnlyWhatIsNewAfterARestart) {
  folder_.write("bucket/in/a", "1");
  folder_.write("bucket/in/b", "1");
  EXPECT_EQ(drain().size(), 2u);
  folder_.write("bucket/in/b", "22");
  folder_.write("bucket/in/c", "1");
  restart();
  EXPECT_THAT(drain(), UnorderedElementsAre("+in/b", "+in/c"));
  restart();
  EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(WatchSourceTest, GivesAgainWhatWasNotAcknowledged) {
  folder_.write("bucket/in/a", "1");
  EXPECT_TRUE(run_task(source_->next()));
  restart();
  EXPECT_THAT(drain(), ElementsAre("+in/a"));
}

TEST_F(WatchSourceTest, WaitsUntilAnOldFileHasSettled) {
  folder_.write("bucket/in/fresh", "x");
  set_fresh("bucket/in/fresh");
  folder_.write("bucket/in/old", "x");
  EXPECT_THAT(next(), ElementsAre("+in/old"));
  bool given = false;
  boost::asio::co_spawn(loop_, source_->next(), [&](std::exception_ptr, std::optional<EventBatch>) {
    given = true;
    loop_.stop();
  });
  loop_.restart();
  while (clock_.sleepers() == 0) loop_.run_one();
  EXPECT_FALSE(given);
  clock_.advance(std::chrono::seconds(2));
  loop_.run();
  EXPECT_TRUE(given);
}

TEST_F(WatchSourceTest, LeavesAFileThatKeepsChangingForTheNextRun) {
  folder_.write("bucket/in/growing", "x");
  set_fresh("bucket/in/growing");
  source_->drain();
  bool ended = false;
  boost::asio::co_spawn(loop_, source_->next(),
                        [&](std::exception_ptr, std::optional<EventBatch> batch) {
                          ended = !batch;
                          loop_.stop();
                        });
  while (clock_.sleepers() == 0) loop_.run_one();
  // Still open: no close tells of the change.
  const int fd = ::open((folder_ / "bucket/in/growing").c_str(), O_WRONLY | O_APPEND);
  ASSERT_EQ(::write(fd, "more", 4), 4);
  clock_.advance(std::chrono::seconds(2));
  loop_.run();
  ::close(fd);
  EXPECT_TRUE(ended);
  restart();
  EXPECT_THAT(drain(), ElementsAre("+in/growing"));
}

TEST_F(WatchSourceTest, ListsAgainWhenTheKernelDroppedChanges) {
  start();
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  std::size_t most = 0;
  limit >> most;
  if (most == 0 || most > 50'000) GTEST_SKIP() << "the kernel's queue is too long to fill";
  // Each rename is two changes: far more than the queue holds.
  folder_.write("bucket/in/0", "x");
  for (std::size_t i = 0; i <= most / 2 + 100; ++i) {
    ASSERT_EQ(::rename((folder_ / fmt::format("bucket/in/{}", i)).c_str(),
                       (folder_ / fmt::format("bucket/in/{}", i + 1)).c_str()),
              0);
  }
  folder_.write("bucket/in/after", "x");
  const auto events = drain();
  EXPECT_THAT(events, testing::Contains("+in/after"));
  EXPECT_THAT(events, testing::Contains(fmt::format("+in/{}", most / 2 + 101)));
}

TEST_F(WatchSourceTest, ComesBackWhenItsFolderIsRemoved) {
  start();
  fs::remove_all(folder_ / "bucket");
  EXPECT_THAT(next(), ElementsAre("-in/start"));
  EXPECT_THAT(drain(), IsEmpty());
  folder_.write("bucket/in/again", "x");
  EXPECT_THAT(drain(), ElementsAre("+in/again"));
}

TEST_F(WatchSourceTest, WatchesPartOfAName) {
  restart("in/da");
  folder_.write("bucket/in/data/a", "x");
  folder_.write("bucket/in/day", "x");
  folder_.write("bucket/in/other/b", "x");
  folder_.write("bucket/in/d", "x");
  EXPECT_THAT(drain(), UnorderedElementsAre("+in/data/a", "+in/day"));
}

TEST_F(WatchSourceTest, WatchesAWholeBucket) {
  restart("");
  folder_.write("bucket/a", "x");
  folder_.write("bucket/b/c", "x");
  EXPECT_THAT(drain(), UnorderedElementsAre("+a", "+b/c"));
}

TEST_F(WatchSourceTest, FollowsNoLink) {
  folder_.write("secret/file", "x");
  folder_.write("bucket/in/a", "x");
  fs::create_directory_symlink(folder_ / "secret", folder_ / "bucket/in/folder");
  fs::create_symlink(folder_ / "secret/file", folder_ / "bucket/in/link");
  EXPECT_THAT(drain(), ElementsAre("+in/a"));
}

TEST_F(WatchSourceTest, GivesManyFilesInBatches) {
  for (int i = 0; i < 2000; ++i) folder_.write(fmt::format("bucket/in/{}", i), "x");
  source_->drain();
  std::set<std::string> keys;
  while (const auto batch = run_task(next_and_ack())) {
    EXPECT_LE(batch->events.size(), 256u);
    for (const Event& event : batch->events) keys.insert(event.object.path);
  }
  EXPECT_EQ(keys.size(), 2000u);
}

TEST_F(WatchSourceTest, CancellingLosesNothing) {
  start();
  boost::asio::cancellation_signal stop;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop_, source_->next(),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr e, std::optional<EventBatch>) {
                              failure = e;
                              loop_.stop();
                            }));
  loop_.restart();
  loop_.poll();
  stop.emit(boost::asio::cancellation_type::all);
  loop_.restart();
  loop_.run();
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_error(failure).kind(), ErrorKind::kCancelled);
  folder_.write("bucket/in/a", "x");
  EXPECT_THAT(next(), ElementsAre("+in/a"));
}

TEST(WatchSource, RefusesAFolderThatCannotBe) {
  ManualClock clock;
  FakeSourceMemory memory;
  CpuPool io(1);
  for (const char* prefix : {"a//b", "../", ".headrace/", "/"}) {
    WatchOptions options;
    options.bucket = "bucket";
    options.prefix = prefix;
    EXPECT_THROW(make_watch_source(options, {}, memory, io, clock, real_random(), silent_log()),
                 Error)
        << prefix;
  }
}

TEST(WatchSource, SaysHowToRaiseTheLimitOfWatches) {
  const Error error = watch::no_watch_left("8192");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), testing::HasSubstr("8192"));
  EXPECT_THAT(error.what(), testing::HasSubstr("sysctl fs.inotify.max_user_watches="));
}

}  // namespace
}  // namespace headrace
