#include "store/file/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <filesystem>

#include "core/error.h"
#include "store/file/folder_tree.h"
#include "store/file_layout.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

class FileStoreTest : public testing::Test {
 protected:
  std::optional<Etag> put(std::string path, Bytes body, PutOptions options = {}) {
    return run_task(store_->put(key(std::move(path)), std::move(body), std::move(options)));
  }
  std::string get(std::string path) {
    return run_task(read_object(*store_, key(std::move(path)), 1u << 30)).value_or("(none)");
  }
  std::optional<ObjectInfo> head(std::string path) {
    return run_task(store_->head(key(std::move(path))));
  }
  std::vector<std::string> list(ListOptions options = {}) {
    std::vector<std::string> keys;
    while (true) {
      const ListPage page = run_task(store_->list("bucket", options));
      for (const auto& object : page.objects) keys.push_back(object.key.path);
      if (!page.next) return keys;
      options.start_after = *page.next;
    }
  }
  /// The message of the kInvalid that a put of this key throws.
  std::string refusal(std::string path) {
    try {
      put(std::move(path), "x");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      return error.what();
    }
    return "(no failure)";
  }
  static ObjectKey key(std::string path) { return {"bucket", std::move(path)}; }

  /// How many files are below a folder of the store.
  std::size_t files_in(std::string_view name) const {
    std::error_code missing;
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name, missing)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  const TempFolder folder_;
  ManualClock clock_;
  CpuPool io_{2};
  std::unique_ptr<Store> store_ = make_file_store({folder_.path()}, io_, clock_);
};

TEST_F(FileStoreTest, TakesFilesOfOtherProgramsAsObjects) {
  folder_.write("bucket/a/b.json", "hello");
  EXPECT_EQ(get("a/b.json"), "hello");
  EXPECT_EQ(head("a/b.json")->size, 5u);
  EXPECT_EQ(head("a/b.json")->metadata, Metadata{});
  EXPECT_THAT(list(), testing::ElementsAre("a/b.json"));
  struct stat status = {};
  ASSERT_EQ(::stat((folder_ / "bucket/a/b.json").c_str(), &status), 0);
  EXPECT_EQ(head("a/b.json")->etag, etag_of(status));
}

TEST_F(FileStoreTest, WritesFilesForOtherPrograms) {
  put("a/b.json", "hello");
  std::ifstream file(folder_ / "bucket/a/b.json");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "hello");
  EXPECT_EQ(head("a/b.json")->modified, clock_.now());
  EXPECT_EQ(files_in(".headrace/tmp"), 0u);
  EXPECT_EQ(files_in(".headrace/meta"), 0u);
}

TEST_F(FileStoreTest, MakesNothingBeforeTheFirstWrite) {
  const auto store = make_file_store({folder_ / "later"}, io_, clock_);
  EXPECT_EQ(run_task(store->head(key("a"))), std::nullopt);
  EXPECT_FALSE(run_task(store->remove(key("a"))));
  EXPECT_FALSE(run_task(store->set_tags(key("a"), {})));
  EXPECT_EQ(run_task(store->put_if_match(key("b/c"), "x", Etag{"none"})), std::nullopt);
  EXPECT_THAT(run_task(store->list("bucket", {})).objects, testing::IsEmpty());
  EXPECT_THAT(run_task(store->list_buckets()), testing::IsEmpty());
  EXPECT_EQ(get("a"), "(none)");
  EXPECT_FALSE(fs::exists(folder_ / ".headrace"));
  run_task(store->put(key("a"), "x"));
  EXPECT_TRUE(fs::exists(folder_ / "later/bucket/a"));
}

TEST_F(FileStoreTest, SaysThatAFileIsNoStoreFolder) {
  folder_.write("file", "x");
  const auto store = make_file_store({folder_ / "file"}, io_, clock_);
  EXPECT_THROW(run_task(store->head(key("a"))), Error);
}

TEST_F(FileStoreTest, FollowsNoLink) {
  const TempFolder outside;
  outside.write("secret", "secret");
  put("real", "x");
  fs::create_symlink(outside / "secret", folder_ / "bucket/link");
  fs::create_directory_symlink(outside.path(), folder_ / "bucket/folder");
  fs::create_directory_symlink(outside.path(), folder_ / "elsewhere");
  EXPECT_EQ(get("link"), "(none)");
  EXPECT_EQ(get("folder/secret"), "(none)");
  EXPECT_EQ(run_task(store_->head({"elsewhere", "secret"})), std::nullopt);
  EXPECT_THAT(list(), testing::ElementsAre("real"));
  EXPECT_THAT(run_task(store_->list("elsewhere", {})).objects, testing::IsEmpty());
  EXPECT_THAT(run_task(store_->list_buckets()), testing::ElementsAre("bucket"));
  EXPECT_FALSE(run_task(store_->remove(key("link"))));
  EXPECT_FALSE(run_task(store_->remove(key("folder/secret"))));
  EXPECT_THAT(refusal("link"), testing::HasSubstr("no regular file"));
  EXPECT_THAT(refusal("folder/new"), testing::HasSubstr("symbolic link"));
  EXPECT_FALSE(fs::exists(outside / "new"));
  EXPECT_TRUE(fs::exists(outside / "secret"));
}

TEST_F(FileStoreTest, TakesAPipeForNothing) {
  put("real", "x");
  ASSERT_EQ(::mkfifo((folder_ / "bucket/pipe").c_str(), 0600), 0);
  EXPECT_EQ(get("pipe"), "(none)");
  EXPECT_THAT(list(), testing::ElementsAre("real"));
  EXPECT_THAT(refusal("pipe"), testing::HasSubstr("no regular file"));
}

TEST_F(FileStoreTest, SkipsFilesWhoseNamesAreNoKeys) {
  put("real", "x");
  folder_.write("bucket/\xff\xfe", "x");
  folder_.write("bucket/.headrace-tmp-1", "x");
  folder_.write("bucket/sub/.headrace/x", "x");
  EXPECT_THAT(list(), testing::ElementsAre("real"));
}

TEST_F(FileStoreTest, RefusesAKeyThatCollidesWithAFolder) {
  put("a/b", "x");
  EXPECT_THAT(refusal("a"), testing::HasSubstr("can't be both \"a\" and \"a/b\""));
  EXPECT_THAT(refusal("a/b/c"), testing::HasSubstr("can't be both \"a\" and \"a/b\""));
  EXPECT_THROW(run_task(store_->put_if_absent(key("a"), "x")), Error);
  EXPECT_EQ(get("a/b/c"), "(none)");
  EXPECT_EQ(get("a"), "(none)");
  EXPECT_FALSE(run_task(store_->remove(key("a"))));
}

TEST_F(FileStoreTest, LetsAnEmptyFolderGiveWay) {
  put("a/b/c", "x");
  EXPECT_TRUE(run_task(store_->remove(key("a/b/c"))));
  put("a", "now an object");
  EXPECT_EQ(get("a"), "now an object");
  fs::create_directories(folder_ / "bucket/d/e/f");
  EXPECT_TRUE(run_task(store_->put_if_absent(key("d"), "x")));
  EXPECT_THAT(list(), testing::ElementsAre("a", "d"));
}

TEST_F(FileStoreTest, DropsMetadataWhenAnotherProgramReplacesTheFile) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  options.tags = {{"a", "1"}};
  put("one", "mine", options);
  folder_.write("bucket/one", "theirs");
  EXPECT_EQ(head("one")->metadata, Metadata{});
  EXPECT_EQ(run_task(store_->tags(key("one"))), Tags{});
  put("two", "mine", options);
  fs::rename(folder_ / "bucket/two", folder_ / "bucket/three");
  EXPECT_EQ(head("three")->metadata, Metadata{});
}

TEST_F(FileStoreTest, KeepsOneSidecarPerObjectThatNeedsOne) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  for (int i = 0; i < 3; ++i) put("one", "x", options);
  EXPECT_EQ(files_in(".headrace/meta"), 1u);
  run_task(store_->put_if_absent(key("one"), "lost", {{"a", "b"}}));
  run_task(store_->put_if_match(key("one"), "lost", Etag{"none"}, {{"a", "b"}}));
  EXPECT_THROW(run_task(store_->put(key("one/two"), "x", options)), Error);
  EXPECT_EQ(files_in(".headrace/meta"), 1u);
  run_task(store_->set_tags(key("one"), {{"a", "1"}}));
  EXPECT_EQ(files_in(".headrace/meta"), 1u);
  run_task(store_->remove(key("one")));
  EXPECT_EQ(files_in(".headrace/meta"), 0u);
  EXPECT_EQ(files_in(".headrace/tmp"), 0u);
}

/// A crash after the sidecar was written and before the file got its name.
TEST_F(FileStoreTest, KeepsTheOldMetadataWhenAWriteStoppedHalfWay) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  put("one", "old", options);
  const file::Fd root(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  file::write_sidecar(root.get(), key("one"), Etag{"1-2-3"}, {{{"color", "red"}}, {}});
  EXPECT_EQ(head("one")->metadata, options.metadata);
  EXPECT_EQ(get("one"), "old");
}

void set_age(const std::string& path, std::chrono::hours age) {
  fs::last_write_time(path, fs::last_write_time(path) - age);
}

TEST_F(FileStoreTest, SweepsSidecarsWhoseObjectIsGone) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  put("stays", "x", options);
  put("goes", "x", options);
  put("young", "x", options);
  fs::remove(folder_ / "bucket/goes");
  const file::Fd root(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto sweep = [&] {
    std::size_t removed = 0;
    for (unsigned i = 0; i < 256; ++i) removed += file::sweep_sidecars(root.get(), i, 100);
    return removed;
  };
  EXPECT_EQ(sweep(), 0u) << "an hour has to pass";
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / ".headrace/meta")) {
    if (entry.is_regular_file()) set_age(entry.path(), std::chrono::hours(2));
  }
  fs::remove(folder_ / "bucket/young");
  put("young", "x", options);
  EXPECT_EQ(sweep(), 2u);
  EXPECT_EQ(head("stays")->metadata, options.metadata);
  EXPECT_EQ(head("young")->metadata, options.metadata);
}

TEST_F(FileStoreTest, RemovesTemporaryFilesOfACrashWhenTheyAreOld) {
  folder_.write(".headrace/tmp/object-old", "x");
  folder_.write(".headrace/tmp/object-new", "x");
  set_age(folder_ / ".headrace/tmp/object-old", std::chrono::hours(25));
  put("a", "x");
  EXPECT_FALSE(fs::exists(folder_ / ".headrace/tmp/object-old"));
  EXPECT_TRUE(fs::exists(folder_ / ".headrace/tmp/object-new"));
}

TEST_F(FileStoreTest, NoticesAChangeInPlaceWhileReading) {
  folder_.write("bucket/big", Bytes(3u << 20, 'x'));
  set_age(folder_ / "bucket/big", std::chrono::hours(1));
  auto object = run_task(store_->get(key("big")));
  EXPECT_EQ(run_task(object->body->read()).size(), 1u << 20);
  folder_.write("bucket/big", Bytes(3u << 20, 'y'));
  try {
    run_task(object->body->read());
    ADD_FAILURE() << "read two contents as one";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
  }
}

TEST_F(FileStoreTest, ListsALargeFolderPageByPage) {
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(fmt::format("{:04}{}", i, i % 3 == 0 ? "/x" : ""));
    folder_.write("bucket/" + expected.back(), "");
  }
  std::sort(expected.begin(), expected.end());
  ListOptions options;
  options.limit = 97;
  EXPECT_THAT(list(options), testing::ElementsAreArray(expected));
}

TEST_F(FileStoreTest, WaitsForRoomWhenTheDiskIsFull) {
  const std::string mount = folder_ / "small";
  fs::create_directories(mount);
  if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "mounting a small file system is not allowed here";
  }
  const auto store = make_file_store({mount}, io_, clock_);
  run_task(store->put(key("small"), Bytes(1000, 'x')));
  for (const std::size_t size : {std::size_t{300} << 10, std::size_t{3} << 20}) {
    try {
      run_task(store->put(key("small"), Bytes(size, 'y')));
      ADD_FAILURE() << "there was room";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kTransient);
      EXPECT_THAT(error.what(), testing::HasSubstr("free some space"));
    }
  }
  EXPECT_EQ(run_task(read_object(*store, key("small"), 2000)), Bytes(1000, 'x'));
  EXPECT_TRUE(fs::is_empty(mount + "/.headrace/tmp"));
  ASSERT_EQ(::umount2(mount.c_str(), MNT_DETACH), 0);
}

TEST_F(FileStoreTest, LeavesNothingWhenAPutIsCancelled) {
  /// Gives two pieces and then waits for the end of days.
  class Endless final : public ByteSource {
   public:
    explicit Endless(Clock& clock) : clock_(clock) {}
    Task<Bytes> read() override {
      if (++pieces_ > 2) co_await clock_.sleep(std::chrono::hours(1));
      co_return Bytes(1000, 'x');
    }

   private:
    Clock& clock_;
    int pieces_ = 0;
  } body(clock_);
  boost::asio::io_context loop;
  boost::asio::cancellation_signal stop;
  std::exception_ptr failure;
  boost::asio::co_spawn(
      loop, store_->put_stream(key("a"), body, {}),
      boost::asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr e, std::optional<Etag>) { failure = e; }));
  while (clock_.sleepers() == 0) loop.run_one();
  EXPECT_EQ(files_in(".headrace/tmp"), 1u);
  stop.emit(boost::asio::cancellation_type::all);
  loop.run();
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_error(failure).kind(), ErrorKind::kCancelled);
  EXPECT_EQ(files_in(".headrace/tmp"), 0u);
  EXPECT_EQ(get("a"), "(none)");
}

class PlainFileStoreTest : public FileStoreTest {
 protected:
  PlainFileStoreTest() { store_ = make_file_store({folder_.path(), true}, io_, clock_); }
};

TEST_F(PlainFileStoreTest, PutsNothingBesideTheFiles) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  options.tags = {{"a", "1"}};
  put("a/one", "x", options);
  put("a/one", "y", options);
  EXPECT_EQ(get("a/one"), "y");
  EXPECT_EQ(head("a/one")->metadata, Metadata{});
  EXPECT_TRUE(run_task(store_->copy(key("a/one"), key("a/two"), options)));
  EXPECT_TRUE(run_task(store_->remove(key("a/two"))));
  EXPECT_FALSE(fs::exists(folder_ / ".headrace"));
  EXPECT_EQ(files_in(""), 1u);
  EXPECT_THROW(run_task(store_->set_tags(key("a/one"), {{"a", "1"}})), Error);
}

TEST_F(PlainFileStoreTest, HoldsConditions) {
  const auto first = run_task(store_->put_if_absent(key("one"), "1"));
  ASSERT_TRUE(first);
  EXPECT_EQ(run_task(store_->put_if_absent(key("one"), "2")), std::nullopt);
  EXPECT_TRUE(run_task(store_->put_if_match(key("one"), "3", *first)));
  EXPECT_EQ(run_task(store_->put_if_match(key("one"), "4", *first)), std::nullopt);
  EXPECT_EQ(get("one"), "3");
  EXPECT_EQ(files_in(""), 1u);
}

}  // namespace
}  // namespace headrace
