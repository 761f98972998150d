#include "app/object_cache.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

class ObjectCacheTest : public testing::Test {
 protected:
  ReadableObject fetch(const std::string& key, bool parts) {
    return run_task(cache_.fetch(*store_, "far", {{"b", key}}, parts)).at(0);
  }
  void put(const std::string& key, std::size_t size) {
    run_task(store_->put({"b", key}, Bytes(size, 'x')));
  }
  static std::size_t size_of(const ReadableObject& found) {
    return std::filesystem::file_size(found.path);
  }

  static constexpr std::size_t kMost = ObjectCache::kMostCopied;
  TempFolder folder_;
  std::unique_ptr<Store> store_ = make_memory_store(real_clock());
  ObjectCache cache_{folder_.path(), 1u << 30};
};

TEST_F(ObjectCacheTest, CopiesWhatCannotBeReadInParts) {
  put("large.csv", kMost + 1);
  const ReadableObject found = fetch("large.csv", false);
  EXPECT_FALSE(found.by_ranges);
  EXPECT_EQ(size_of(found), kMost + 1);
}

TEST_F(ObjectCacheTest, CopiesASmallObjectThoughItCouldBeReadInParts) {
  put("small.parquet", kMost);
  const ReadableObject found = fetch("small.parquet", true);
  EXPECT_FALSE(found.by_ranges);
  EXPECT_EQ(size_of(found), kMost);
}

TEST_F(ObjectCacheTest, LeavesALargerOneWhereItIs) {
  put("large.parquet", kMost + 1);
  const ReadableObject found = fetch("large.parquet", true);
  ASSERT_TRUE(found.by_ranges);
  EXPECT_EQ(found.path, "far://b/large.parquet");
  EXPECT_EQ(found.by_ranges->size, kMost + 1);
  EXPECT_EQ(found.by_ranges->etag, run_task(store_->head({"b", "large.parquet"}))->etag);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ObjectCacheTest, UsesACopyThatIsThere) {
  put("large.parquet", kMost + 1);
  const ReadableObject copy = fetch("large.parquet", false);
  EXPECT_EQ(fetch("large.parquet", true).path, copy.path);
  put("large.parquet", kMost + 2);
  EXPECT_TRUE(fetch("large.parquet", true).by_ranges);
}

TEST_F(ObjectCacheTest, SaysThatAnObjectIsGone) {
  try {
    fetch("none", true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
    EXPECT_STREQ(error.what(), "far://b/none was removed or replaced while it was read; ask again");
  }
}

}  // namespace
}  // namespace headrace
