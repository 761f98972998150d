#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "store/store.h"
#include "testing/run_task.h"

// What every Store promises, as one suite. A backend's test includes this once and says
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(...), store_name);
namespace headrace {

/// A backend with everything it stands on.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  virtual Store& store() = 0;
};

struct StoreMaker {
  std::string name;
  /// Null if what the backend stands on is not here: its tests are skipped and say `missing`.
  std::function<std::unique_ptr<StoreFixture>()> make;
  /// Answers get lost and calls are tried again: after that nobody can tell whether a remove found
  /// something, or whether a conditional write that was overwritten since had happened.
  bool loses_answers = false;
  std::string missing = "";
  /// The same bytes have the same etag again.
  bool etags_are_of_content = false;
  /// Stand-ins for a real store may check and then write, without a lock: their races prove
  /// nothing.
  bool conditions_race = false;
  /// The same of removals alone, on stores that know no condition for them.
  bool removals_race = false;
  /// "a//b" is taken for "a/b" without a word.
  bool mends_paths = false;
  /// Keys that look like odd paths ("a//b", "../a") are kept like any others.
  bool any_path = false;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.name; }

inline std::string store_name(const testing::TestParamInfo<StoreMaker>& info) {
  return info.param.name;
}

class StoreConformance : public testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override {
    if (!fixture_) GTEST_SKIP() << GetParam().missing;
  }

  std::optional<Etag> put(const ObjectKey& key, Bytes body, PutOptions options = {}) {
    return run_task(store().put(key, std::move(body), std::move(options)));
  }
  /// The bytes, or "(none)".
  Bytes get(const ObjectKey& key, GetOptions options = {}) {
    return run_task([](Store& store, ObjectKey k, GetOptions o) -> Task<Bytes> {
      auto object = co_await store.get(std::move(k), std::move(o));
      if (!object) co_return "(none)";
      co_return co_await read_all(*object->body, 1u << 30);
    }(store(), key, std::move(options)));
  }
  std::optional<ObjectInfo> head(const ObjectKey& key) { return run_task(store().head(key)); }
  std::optional<Tags> tags(const ObjectKey& key) { return run_task(store().tags(key)); }

  void expect_removed(const ObjectKey& key, bool was_there) {
    const bool removed = run_task(store().remove(key));
    if (was_there || !GetParam().loses_answers) {
      EXPECT_EQ(removed, was_there) << key.text();
    }
  }

  /// All keys and folded prefixes (marked by "> ") in the order of the pages.
  std::vector<std::string> list(const std::string& bucket, ListOptions options = {}) {
    std::vector<std::string> names;
    for (int page_number = 0; page_number < 1000; ++page_number) {
      const ListPage page = run_task(store().list(bucket, options));
      EXPECT_LE(page.objects.size() + page.prefixes.size(), options.limit);
      std::vector<std::string> here;
      for (const auto& object : page.objects) here.push_back(object.key.path);
      for (const auto& prefix : page.prefixes) here.push_back("> " + prefix);
      const auto plain = [](const std::string& name) {
        return name.starts_with("> ") ? name.substr(2) : name;
      };
      std::sort(here.begin(), here.end(),
                [&](const auto& a, const auto& b) { return plain(a) < plain(b); });
      names.insert(names.end(), here.begin(), here.end());
      if (!page.next) return names;
      options.start_after = *page.next;
    }
    ADD_FAILURE() << "the listing does not end";
    return names;
  }

  Store& store() { return fixture_->store(); }

  const ObjectKey key_{"bucket", "folder/name.json"};

 private:
  std::unique_ptr<StoreFixture> fixture_ = GetParam().make();
};

/// `size` bytes that differ from place to place.
inline Bytes test_bytes(std::size_t size, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  Bytes bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

/// The bytes, or nullopt if the object was replaced while it was read.
inline Task<std::optional<Bytes>> read_unless_replaced(ByteSource& body) {
  try {
    co_return co_await read_all(body, 1u << 30);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConflict) throw;
    co_return std::nullopt;
  }
}

/// Gives some pieces and then fails.
class BrokenSource final : public ByteSource {
 public:
  explicit BrokenSource(int pieces) : pieces_(pieces) {}
  Task<Bytes> read() override {
    if (pieces_-- <= 0) throw Error(ErrorKind::kCorrupt, "the source broke");
    co_return Bytes(1u << 20, 'x');
  }

 private:
  int pieces_;
};

TEST_P(StoreConformance, GivesBackTheBytesThatWerePut) {
  for (const std::size_t size :
       {0u, 1u, 4096u, (1u << 20) - 1, 1u << 20, (1u << 20) + 1, (3u << 20) + 12345}) {
    const Bytes bytes = test_bytes(size);
    const auto etag = put(key_, bytes);
    ASSERT_TRUE(etag) << size;
    EXPECT_TRUE(get(key_) == bytes) << size;
    const auto info = head(key_);
    ASSERT_TRUE(info) << size;
    EXPECT_EQ(info->size, size);
    EXPECT_EQ(info->etag, *etag);
    EXPECT_EQ(info->key, key_);
  }
}

TEST_P(StoreConformance, AnswersForAMissingKeyAndAMissingBucket) {
  put(ObjectKey{"bucket", "other"}, "x");
  for (const ObjectKey& key : {key_, ObjectKey{"nowhere", "name"}}) {
    EXPECT_EQ(get(key), "(none)");
    EXPECT_EQ(head(key), std::nullopt);
    EXPECT_EQ(tags(key), std::nullopt);
    EXPECT_FALSE(run_task(store().set_tags(key, {{"a", "b"}})));
    expect_removed(key, false);
    EXPECT_EQ(run_task(store().copy(key, key_, {})), std::nullopt);
    EXPECT_EQ(run_task(read_object(store(), key, 10)), std::nullopt);
  }
  EXPECT_THAT(list("nowhere"), testing::IsEmpty());
}

TEST_P(StoreConformance, ReadsARange) {
  const Bytes bytes = test_bytes((2u << 20) + 7);
  put(key_, bytes);
  const std::uint64_t all = bytes.size();
  const std::uint64_t rest = ByteRange{}.length;
  const std::vector<ByteRange> ranges = {
      {0, 0},          {0, 1},   {5, 10},         {all - 3, 3}, {all - 3, 9},
      {all - 3, rest}, {all, 1}, {all + 5, rest}, {7, rest},    {1, (1u << 20) + 1}};
  for (const auto& range : ranges) {
    GetOptions options;
    options.range = range;
    const Bytes expected = range.offset >= all ? Bytes{} : bytes.substr(range.offset, range.length);
    EXPECT_TRUE(get(key_, options) == expected) << range.offset << "+" << range.length;
    const auto object = run_task(store().get(key_, options));
    EXPECT_EQ(object->info.size, all);
  }
}

TEST_P(StoreConformance, ReadsOnlyTheContentAskedFor) {
  const auto first = put(key_, "one");
  const auto second = put(key_, "two");
  ASSERT_NE(first, second);
  GetOptions options;
  options.if_match = second;
  EXPECT_EQ(get(key_, options), "two");
  options.if_match = first;
  EXPECT_EQ(get(key_, options), "(none)");
}

TEST_P(StoreConformance, NeverUsesAnEtagTwice) {
  if (GetParam().etags_are_of_content) GTEST_SKIP() << "this store makes etags of the content";
  std::set<std::string> etags;
  for (int i = 0; i < 50; ++i) {
    etags.insert(put(key_, i % 2 == 0 ? "even" : "odd!")->value);
    if (i % 10 == 9) expect_removed(key_, true);
  }
  EXPECT_EQ(etags.size(), 50u);
}

TEST_P(StoreConformance, ReplacesMetadataAndTagsWithTheBytes) {
  PutOptions options;
  options.metadata = {{"color", "blue"}, {"odd", "a b=%\n\xc3\xa9"}, {"empty", ""}};
  options.tags = {{"processed", "true"}, {"with space", ""}};
  put(key_, "one", options);
  EXPECT_EQ(head(key_)->metadata, options.metadata);
  EXPECT_EQ(run_task(store().get(key_))->info.metadata, options.metadata);
  EXPECT_EQ(tags(key_), options.tags);
  put(key_, "two");
  EXPECT_EQ(head(key_)->metadata, Metadata{});
  EXPECT_EQ(tags(key_), Tags{});
}

TEST_P(StoreConformance, SetsTagsWithoutTouchingTheRest) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  const auto etag = put(key_, "one", options);
  EXPECT_TRUE(run_task(store().set_tags(key_, {{"a", "1"}, {"b", "2"}})));
  EXPECT_EQ(tags(key_), (Tags{{"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(run_task(store().set_tags(key_, {{"c", "3"}})));
  EXPECT_EQ(tags(key_), (Tags{{"c", "3"}}));
  EXPECT_EQ(head(key_)->etag, etag);
  EXPECT_EQ(head(key_)->metadata, options.metadata);
  EXPECT_TRUE(run_task(store().set_tags(key_, {})));
  EXPECT_EQ(tags(key_), Tags{});
  EXPECT_EQ(get(key_), "one");
}

TEST_P(StoreConformance, RemovesAnObjectWithAllThatBelongsToIt) {
  PutOptions options;
  options.metadata = {{"color", "blue"}};
  options.tags = {{"a", "1"}};
  put(key_, "one", options);
  expect_removed(key_, true);
  expect_removed(key_, false);
  EXPECT_EQ(get(key_), "(none)");
  EXPECT_THAT(list("bucket"), testing::IsEmpty());
  put(key_, "two");
  EXPECT_EQ(head(key_)->metadata, Metadata{});
  EXPECT_EQ(tags(key_), Tags{});
}

TEST_P(StoreConformance, RemovesManyAtOnce) {
  std::vector<std::string> paths;
  for (int i = 0; i < 12; ++i) paths.push_back(fmt::format("k/{} & <{}>", i, i));
  for (const auto& path : paths) put(ObjectKey{"bucket", path}, "x");
  put(key_, "stays");
  paths.push_back("never there");
  run_task(store().remove_many("bucket", paths));
  EXPECT_THAT(list("bucket"), testing::ElementsAre(key_.path));
  run_task(store().remove_many("bucket", {}));
  run_task(store().remove_many("nowhere", paths));
}

TEST_P(StoreConformance, RemovesOnlyTheContentAskedFor) {
  if (!GetParam().loses_answers) {
    EXPECT_FALSE(run_task(store().remove(key_, Etag{"none"})));
  }
  const auto first = put(key_, "one");
  const auto second = put(key_, "two", {.metadata = {{"who", "second"}}});
  EXPECT_FALSE(run_task(store().remove(key_, *first)));
  EXPECT_EQ(get(key_), "two");
  EXPECT_EQ(head(key_)->metadata.at("who"), "second");
  EXPECT_TRUE(run_task(store().remove(key_, *second)));
  EXPECT_EQ(get(key_), "(none)");
  if (!GetParam().loses_answers) {
    EXPECT_FALSE(run_task(store().remove(key_, *second)));
  }
  EXPECT_FALSE(run_task(store().remove(ObjectKey{"nowhere", "name"}, *second)) &&
               !GetParam().loses_answers);
}

TEST_P(StoreConformance, PutIfAbsentWinsOnce) {
  const auto first = run_task(store().put_if_absent(key_, "one", {{"who", "first"}}));
  ASSERT_TRUE(first);
  EXPECT_EQ(run_task(store().put_if_absent(key_, "two", {{"who", "second"}})), std::nullopt);
  EXPECT_EQ(get(key_), "one");
  EXPECT_EQ(head(key_)->etag, first);
  EXPECT_EQ(head(key_)->metadata.at("who"), "first");
  expect_removed(key_, true);
  EXPECT_TRUE(run_task(store().put_if_absent(key_, "three")));
  EXPECT_EQ(get(key_), "three");
}

TEST_P(StoreConformance, PutIfMatchWritesOnlyOverThatContent) {
  EXPECT_EQ(run_task(store().put_if_match(key_, "x", Etag{"none"})), std::nullopt);
  EXPECT_EQ(get(key_), "(none)");
  const auto first = put(key_, "one");
  const auto second = run_task(store().put_if_match(key_, "two", *first, {{"who", "second"}}));
  ASSERT_TRUE(second);
  EXPECT_EQ(run_task(store().put_if_match(key_, "late", *first, {{"who", "late"}})), std::nullopt);
  EXPECT_EQ(get(key_), "two");
  EXPECT_EQ(head(key_)->etag, second);
  EXPECT_EQ(head(key_)->metadata.at("who"), "second");
  expect_removed(key_, true);
  EXPECT_EQ(run_task(store().put_if_match(key_, "gone", *second)), std::nullopt);
  EXPECT_EQ(get(key_), "(none)");
}

TEST_P(StoreConformance, WritesNothingWhenTheBodyBreaks) {
  put(key_, "old");
  for (const int pieces : {0, 1, 2, 3}) {
    BrokenSource body(pieces);
    EXPECT_THROW(run_task(store().put_stream(key_, body, {})), Error) << pieces;
    EXPECT_EQ(get(key_), "old") << pieces;
  }
  EXPECT_THAT(list("bucket"), testing::ElementsAre(key_.path));
}

TEST_P(StoreConformance, CopiesBytesMetadataAndTags) {
  const Bytes bytes = test_bytes((1u << 20) + 100);
  PutOptions options;
  options.metadata = {{"color", "blue"}, {"shape", "round"}};
  options.tags = {{"a", "1"}};
  const auto source = put(key_, bytes, options);
  const ObjectKey copy{"second", "place/of/copy"};
  PutOptions over;
  over.metadata = {{"color", "red"}};
  over.tags = {{"b", "2"}};
  const auto copied = run_task(store().copy(key_, copy, over));
  ASSERT_TRUE(copied);
  EXPECT_TRUE(get(copy) == bytes);
  EXPECT_EQ(head(copy)->etag, copied);
  EXPECT_EQ(head(copy)->metadata, (Metadata{{"color", "red"}, {"shape", "round"}}));
  EXPECT_EQ(tags(copy), (Tags{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(head(key_)->etag, source);

  PutOptions free;
  free.condition.if_absent = true;
  EXPECT_EQ(run_task(store().copy(key_, copy, free)), std::nullopt);
  PutOptions same;
  same.condition.if_match = copied;
  EXPECT_TRUE(run_task(store().copy(key_, copy, same)));
  if (!GetParam().etags_are_of_content) {
    EXPECT_EQ(run_task(store().copy(key_, copy, same)), std::nullopt);
  }
  same.condition.if_match = Etag{"none"};
  EXPECT_EQ(run_task(store().copy(key_, copy, same)), std::nullopt);
  // Onto itself: how metadata is changed without sending the bytes.
  EXPECT_TRUE(run_task(store().copy(key_, key_, over)));
  EXPECT_TRUE(get(key_) == bytes);
  EXPECT_EQ(head(key_)->metadata.at("color"), "red");
}

TEST_P(StoreConformance, ListsInBytewiseOrderOfTheWholeKey) {
  std::vector<std::string> keys = {
      "a!b",  "a-b", "a.b",     "a/b",     "a/c/d", "a0", "ab",
      "aa/x", "B",   "b/b/b/b", "b/b/b-b", "b/b0",  "z",  "\xc3\xa9/\xc3\xa9",
      "~"};
  for (const auto& key : keys) put(ObjectKey{"bucket", key}, "12345");
  std::sort(keys.begin(), keys.end());
  for (const std::size_t limit : {1u, 2u, 3u, 7u, 1000u}) {
    ListOptions options;
    options.limit = limit;
    EXPECT_THAT(list("bucket", options), testing::ElementsAreArray(keys)) << limit;
  }
  const ListPage page = run_task(store().list("bucket", {}));
  EXPECT_FALSE(page.next);
  EXPECT_EQ(page.objects[0].size, 5u);
  EXPECT_EQ(page.objects[0].etag, head(page.objects[0].key)->etag);
  EXPECT_EQ(page.objects[0].modified, head(page.objects[0].key)->modified);
}

TEST_P(StoreConformance, ListsWhatHasThePrefixAndComesAfter) {
  const std::vector<std::string> keys = {"log-1", "logs/1", "logs/10", "logs/2/a", "logs2", "m"};
  for (const auto& key : keys) put(ObjectKey{"bucket", key}, "x");
  struct Row {
    const char* prefix;
    const char* after;
    std::vector<std::string> expected;
  };
  const std::vector<Row> rows = {
      {"", "logs/10", {"logs/2/a", "logs2", "m"}},
      {"", "logs/2", {"logs/2/a", "logs2", "m"}},
      {"", "z", {}},
      {"logs", "", {"logs/1", "logs/10", "logs/2/a", "logs2"}},
      {"logs/", "", {"logs/1", "logs/10", "logs/2/a"}},
      {"logs/1", "", {"logs/1", "logs/10"}},
      {"logs/1", "logs/1", {"logs/10"}},
      {"logs/", "a", {"logs/1", "logs/10", "logs/2/a"}},
      {"logs/", "logs/2/a", {}},
      {"logs/2/a", "", {"logs/2/a"}},
      {"logs/2/a/", "", {}},
      {"logs//", "", {}},
      {"none/", "", {}},
  };
  for (const Row& row : rows) {
    for (const std::size_t limit : {1u, 2u, 1000u}) {
      ListOptions options;
      options.prefix = row.prefix;
      options.start_after = row.after;
      options.limit = limit;
      EXPECT_THAT(list("bucket", options), testing::ElementsAreArray(row.expected))
          << row.prefix << " after " << row.after << " by " << limit;
    }
  }
}

TEST_P(StoreConformance, FoldsByDelimiter) {
  for (const char* key : {"a-b", "a/1", "a/2", "a/b/3", "b", "c/d/e", "c/f"}) {
    put(ObjectKey{"bucket", key}, "x");
  }
  for (const std::size_t limit : {1u, 2u, 3u, 1000u}) {
    ListOptions options;
    options.delimiter = '/';
    options.limit = limit;
    EXPECT_THAT(list("bucket", options), testing::ElementsAre("a-b", "> a/", "b", "> c/")) << limit;
    options.prefix = "a/";
    EXPECT_THAT(list("bucket", options), testing::ElementsAre("a/1", "a/2", "> a/b/")) << limit;
    options.prefix = "c";
    EXPECT_THAT(list("bucket", options), testing::ElementsAre("> c/")) << limit;
    options.prefix = "";
    options.delimiter = '-';
    EXPECT_THAT(list("bucket", options),
                testing::ElementsAre("> a-", "a/1", "a/2", "a/b/3", "b", "c/d/e", "c/f"))
        << limit;
  }
}

TEST_P(StoreConformance, ListsBucketsInOrder) {
  EXPECT_THAT(run_task(store().list_buckets()), testing::IsEmpty());
  for (const char* bucket : {"zebra", "ant", "mid-dle"}) put(ObjectKey{bucket, "key"}, "x");
  EXPECT_THAT(run_task(store().list_buckets()), testing::ElementsAre("ant", "mid-dle", "zebra"));
}

struct OddKey {
  std::string path;
  bool looks_like_a_path = false;
};

inline std::vector<OddKey> odd_keys() {
  std::string longest;
  while (longest.size() < 1024) longest += longest.size() % 128 == 127 ? '/' : 'k';
  longest.back() = 'k';
  return {{"plus+percent%amp&eq=hash#question?"},
          {"with space/and  two"},
          {"%2F%41+%20"},
          {"\xc3\xbcml\xc3\xa4ut/\xe6\x97\xa5\xe6\x9c\xac/\xf0\x9f\x8e\x89"},
          {"quotes'\"<and>&lt;"},
          {";:@,$!*()[]{}|^~`"},
          {"back\\slash"},
          {"a...b/..c/d.."},
          {longest},
          {" space at both ends ", true},
          {"double//slash", true},
          {"up/../down", true},
          {"here/./there", true},
          {"/leading", true},
          {"trailing/", true},
          {"tab\tand control \x01", true}};
}

TEST_P(StoreConformance, OddKeysGoThroughEveryCall) {
  for (const auto& [path, looks_like_a_path] : odd_keys()) {
    if (looks_like_a_path && GetParam().mends_paths) continue;
    SCOPED_TRACE(path);
    const ObjectKey key{"bucket", path};
    std::optional<Etag> etag;
    try {
      etag = put(key, "one", {.metadata = {{"path", path}}, .tags = {{"a", "1"}}});
    } catch (const Error& error) {
      EXPECT_TRUE(looks_like_a_path && !GetParam().any_path) << error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.what();
      continue;
    }
    ASSERT_TRUE(etag);
    EXPECT_EQ(head(key)->etag, etag);
    EXPECT_EQ(head(key)->metadata.at("path"), path);
    EXPECT_EQ(get(key, {.range = {1, 1}, .if_match = {}}), "n");
    EXPECT_TRUE(run_task(store().set_tags(key, {{"b", "2"}})));
    EXPECT_EQ(tags(key), (Tags{{"b", "2"}}));
    EXPECT_THAT(list("bucket"), testing::ElementsAre(path));
    EXPECT_THAT(list("bucket", {.prefix = path, .start_after = "", .delimiter = {}}),
                testing::ElementsAre(path));
    EXPECT_THAT(list("bucket", {.prefix = "", .start_after = path, .delimiter = {}}),
                testing::IsEmpty());
    EXPECT_TRUE(run_task(store().copy(key, ObjectKey{"second", path}, {})));
    EXPECT_TRUE(run_task(store().copy(ObjectKey{"second", path}, key, {})));
    EXPECT_EQ(run_task(store().put_if_absent(key, "two")), std::nullopt);
    const auto now = head(key);
    ASSERT_TRUE(now);
    EXPECT_TRUE(run_task(store().put_if_match(key, "three", now->etag)));
    EXPECT_EQ(get(key), "three");
    EXPECT_TRUE(run_task(store().remove(key, head(key)->etag)));
    expect_removed(ObjectKey{"second", path}, true);
    EXPECT_THAT(list("bucket"), testing::IsEmpty());
  }
}

TEST_P(StoreConformance, RefusesAKeyThatIsNone) {
  for (const ObjectKey& key : {ObjectKey{"bucket", ""}, ObjectKey{"", "key"},
                               ObjectKey{"bucket", std::string(1025, 'x')}}) {
    try {
      put(key, "x");
      ADD_FAILURE() << key.text();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << key.text();
    }
  }
}

TEST_P(StoreConformance, AReaderGetsOneContentOrAConflict) {
  const Bytes old = test_bytes(5u << 20, 1);
  put(key_, old);
  auto object = run_task(store().get(key_));
  Bytes got = run_task(object->body->read());
  put(key_, test_bytes(5u << 20, 2));
  const auto rest = run_task(read_unless_replaced(*object->body));
  if (rest) {
    EXPECT_TRUE(got + *rest == old);
  }
}

/// Runs `work(i)` for each i below `count` at once, on several threads, and adds up what they give.
inline int sum_of_racers(int count, const std::function<Task<int>(int)>& work) {
  boost::asio::thread_pool threads(4);
  std::vector<std::future<int>> racers;
  for (int i = 0; i < count; ++i) {
    racers.push_back(boost::asio::co_spawn(threads, work(i), boost::asio::use_future));
  }
  int sum = 0;
  for (auto& racer : racers) sum += racer.get();
  threads.join();
  return sum;
}

TEST_P(StoreConformance, OneOfManyWinsAFreeKey) {
  if (GetParam().conditions_race) GTEST_SKIP() << "this stand-in's conditions are no atomic ones";
  for (int round = 0; round < 10; ++round) {
    const ObjectKey key{"bucket", fmt::format("race/{}", round)};
    const int winners = sum_of_racers(8, [&](int i) -> Task<int> {
      const auto won = co_await store().put_if_absent(key, fmt::format("by {}", i),
                                                      {{"who", fmt::format("by {}", i)}});
      co_return won ? 1 : 0;
    });
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(get(key), head(key)->metadata.at("who"));
  }
}

TEST_P(StoreConformance, NoIncrementIsLostUnderIfMatch) {
  if (GetParam().conditions_race) GTEST_SKIP() << "this stand-in's conditions are no atomic ones";
  put(key_, "0");
  const int lost = sum_of_racers(6, [&](int) -> Task<int> {
    int tries = 0;
    for (int done = 0; done < 5; ++tries) {
      const auto info = co_await store().head(key_);
      GetOptions options;
      options.if_match = info->etag;
      auto object = co_await store().get(key_, options);
      if (!object) continue;
      const auto text = co_await read_unless_replaced(*object->body);
      if (!text) continue;
      const std::string next = std::to_string(std::stoi(*text) + 1);
      const auto won = co_await store().put_if_match(key_, next, info->etag);
      if (won) ++done;
    }
    co_return tries - 5;
  });
  const int value = std::stoi(get(key_));
  EXPECT_GE(value, 30) << "after " << lost << " lost tries";
  if (!GetParam().loses_answers) {
    EXPECT_EQ(value, 30);
  }
}

/// Who removes a count alone puts the next one: a removal that took a newer count would lose it.
TEST_P(StoreConformance, ARemovalUnderIfMatchTakesNoNewerContent) {
  if (GetParam().removals_race) GTEST_SKIP() << "this store's removals know no condition";
  if (GetParam().conditions_race) GTEST_SKIP() << "this stand-in's conditions are no atomic ones";
  // A removal that is tried again finds nothing and says true, whoever it was that removed.
  if (GetParam().loses_answers) GTEST_SKIP() << "who removed can't be told when answers get lost";
  put(key_, "0");
  sum_of_racers(4, [&](int i) -> Task<int> {
    for (int done = 0; done < 5;) {
      auto object = co_await store().get(key_);
      if (!object) continue;
      const auto text = co_await read_unless_replaced(*object->body);
      if (!text) continue;
      const std::string next = std::to_string(std::stoi(*text) + 1);
      std::optional<Etag> won;
      if (i % 2 == 0) {
        won = co_await store().put_if_match(key_, next, object->info.etag);
      } else if (co_await store().remove(key_, object->info.etag)) {
        won = co_await store().put_if_absent(key_, next);
      }
      if (won) ++done;
    }
    co_return 0;
  });
  EXPECT_EQ(get(key_), "20");
}

TEST_P(StoreConformance, MetadataNeverMixesWithOtherBytes) {
  const auto write = [&](int i) -> Task<int> {
    for (int n = 0; n < 20; ++n) {
      const std::string value = fmt::format("{}-{}", i, n);
      PutOptions options;
      options.metadata = {{"same", value}};
      co_await store().put(key_, value, options);
      if (n % 7 == 6) co_await store().remove(key_);
    }
    co_return 0;
  };
  const auto check = [&]() -> Task<int> {
    int mixed = 0;
    for (int n = 0; n < 60; ++n) {
      auto object = co_await store().get(key_);
      if (!object) continue;
      const Metadata metadata = object->info.metadata;
      const auto same = metadata.find("same");
      const auto body = co_await read_unless_replaced(*object->body);
      if (!body) continue;
      if (same == metadata.end() || same->second != *body) ++mixed;
    }
    co_return mixed;
  };
  EXPECT_EQ(sum_of_racers(6, [&](int i) { return i < 3 ? write(i) : check(); }), 0);
}

/// Any order of calls ends as it would in a map.
TEST_P(StoreConformance, BehavesLikeAMap) {
  SeededRandom random(20);
  std::map<std::string, std::pair<Bytes, Etag>> model;
  const auto any_key = [&] {
    return fmt::format("{}/{}{}", "abc"[random.below(3)], random.below(2) == 0 ? "x/" : "",
                       random.below(4));
  };
  for (int step = 0; step < 300; ++step) {
    const std::string path = any_key();
    const ObjectKey key{"bucket", path};
    const auto known = model.find(path);
    const Bytes body = test_bytes(random.below(200), random.next());
    std::optional<Etag> etag;
    switch (random.below(6)) {
      case 0:
        etag = put(key, body);
        ASSERT_TRUE(etag);
        break;
      case 1:
        etag = run_task(store().put_if_absent(key, body));
        ASSERT_EQ(etag.has_value(), known == model.end());
        break;
      case 2: {
        const bool right = known != model.end() && random.below(2) == 0;
        etag = run_task(store().put_if_match(key, body, right ? known->second.second : Etag{"?"}));
        ASSERT_EQ(etag.has_value(), right);
        break;
      }
      case 3:
        expect_removed(key, known != model.end());
        model.erase(path);
        break;
      case 4: {
        const std::string to = any_key();
        const auto copied = run_task(store().copy(key, ObjectKey{"bucket", to}, {}));
        ASSERT_EQ(copied.has_value(), known != model.end());
        if (copied) model[to] = {known->second.first, *copied};
        break;
      }
      default:
        ASSERT_EQ(get(key), known == model.end() ? "(none)" : known->second.first);
    }
    if (etag) model[path] = {body, *etag};
  }
  std::vector<std::string> keys;
  for (const auto& [path, content] : model) {
    keys.push_back(path);
    EXPECT_EQ(get(ObjectKey{"bucket", path}), content.first);
    EXPECT_EQ(head(ObjectKey{"bucket", path})->etag, content.second);
  }
  EXPECT_THAT(list("bucket"), testing::ElementsAreArray(keys));
}

}  // namespace headrace
