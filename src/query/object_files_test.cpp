#include "query/object_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <optional>
#include <thread>

#include "core/random.h"
#include "query/test_lake.h"
#include "store/memory/memory_store.h"
#include "store/stores.h"
#include "testing/fault_store.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;

/// A store in memory that counts what is got of its objects, and does as a test says before.
class WatchedStore final : public Store {
 public:
  std::function<Task<>(const GetOptions&)> before_get;
  std::size_t gets = 0;
  std::uint64_t bytes = 0;

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    ++gets;
    if (before_get) co_await before_get(options);
    auto object = co_await inner_->get(std::move(key), std::move(options));
    if (object) object->body = std::make_unique<Counted>(std::move(object->body), bytes);
    co_return object;
  }
  Task<std::optional<ObjectInfo>> head(ObjectKey key) override { return inner_->head(key); }
  Task<ListPage> list(std::string bucket, ListOptions options) override {
    return inner_->list(std::move(bucket), std::move(options));
  }
  Task<std::vector<std::string>> list_buckets() override { return inner_->list_buckets(); }
  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body, PutOptions put) override {
    return inner_->put_stream(std::move(key), body, std::move(put));
  }
  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    return inner_->remove(std::move(key), std::move(if_match));
  }
  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    return inner_->copy(std::move(from), std::move(to), std::move(options));
  }
  Task<std::optional<Tags>> tags(ObjectKey key) override { return inner_->tags(std::move(key)); }
  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    return inner_->set_tags(std::move(key), std::move(tags));
  }

 private:
  struct Counted final : ByteSource {
    Counted(std::unique_ptr<ByteSource> body, std::uint64_t& bytes)
        : body(std::move(body)), bytes(bytes) {}
    Task<Bytes> read() override {
      Bytes piece = co_await body->read();
      bytes += piece.size();
      co_return piece;
    }
    std::unique_ptr<ByteSource> body;
    std::uint64_t& bytes;
  };

  std::unique_ptr<Store> inner_ = make_memory_store(real_clock());
};

/// Queries over objects that are read by ranges: a bucket `b` of a store `far`.
class ObjectFilesTest : public testing::Test, public TableResolver {
 protected:
  static constexpr std::uint64_t kRows = 60'000;
  static constexpr std::uint64_t kGroup = 10'000;

  ObjectFilesTest() { put("wide.parquet", wide()); }

  // TableResolver
  Task<std::optional<DataPlace>> find(std::string name) override {
    if (name == "t") co_return DataPlace{&store_, {"b", "t"}, DataFormat::kDelta};
    if (name == "d") co_return DataPlace{&store_, {"b", "d/"}, DataFormat::kParquet};
    co_return std::nullopt;
  }
  Task<std::vector<std::string>> names() override { co_return std::vector<std::string>{"t", "d"}; }
  DataPlace locate(std::string_view url) override {
    return {&store_, parse_store_url(url).object, DataFormat::kAuto};
  }
  Task<std::vector<ReadableObject>> readable(Store& store, std::vector<ObjectKey> objects,
                                             DataFormat format) override {
    EXPECT_EQ(format, DataFormat::kParquet);
    std::vector<ReadableObject> found;
    for (const ObjectKey& key : objects) {
      found.push_back({"far://" + key.text(), co_await store.head(key)});
    }
    co_return found;
  }

  /// Parquet of kRows rows in row groups of kGroup: id, and c0 to c15 as wide as doubles are.
  static Bytes rows_from(std::uint64_t first) {
    const TempFolder folder;
    std::string columns = fmt::format("i + {} AS id", first);
    for (int c = 0; c < 16; ++c) columns += fmt::format(", hash(i * 16 + {0})::DOUBLE AS c{0}", c);
    Engine({}).execute(fmt::format(
        "COPY (SELECT {} FROM range({}) r(i)) TO {} (ROW_GROUP_SIZE {}, COMPRESSION uncompressed)",
        columns, kRows, sql_string(folder / "rows.parquet"), kGroup));
    std::ifstream in(folder / "rows.parquet", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static const Bytes& wide() {
    static const Bytes bytes = rows_from(0);
    return bytes;
  }
  /// The same rows as a file here.
  std::string local() {
    folder_.write("wide.parquet", wide());
    return fmt::format("read_parquet({})", sql_string(folder_ / "wide.parquet"));
  }
  void put(const std::string& key, Bytes bytes) {
    run_task(store_.put({"b", key}, std::move(bytes)));
  }

  Task<std::vector<std::string>> ask(std::string sql) {
    const auto result = co_await query_->run(std::move(sql));
    std::vector<std::string> lines;
    const std::size_t width = result->columns().size();
    while (const auto batch = co_await result->next()) {
      for (std::size_t i = 0; i < batch->cells.size(); ++i) {
        if (i % width == 0) lines.emplace_back();
        lines.back() += (i % width == 0 ? "" : "|") + batch->cells[i].text;
      }
    }
    co_return lines;
  }
  std::vector<std::string> lines(const std::string& sql) { return run_task(ask(sql)); }
  std::optional<Error> error(const std::string& sql) {
    try {
      lines(sql);
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }
  /// From the get of this number on, which is counted from now.
  void from_get(std::size_t number, std::function<Task<>()> what) {
    store_.before_get = [this, at = store_.gets + number,
                         what = std::move(what)](const GetOptions&) -> Task<> {
      if (store_.gets >= at) co_await what();
    };
  }

  /// A server that does not answer until the request is cancelled.
  Task<> hang() {
    struct Hanging {
      explicit Hanging(int& count) : count(count) { ++count; }
      ~Hanging() { --count; }
      int& count;
    } const hanging(hanging_);
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
  }

  int hanging_ = 0;
  TempFolder folder_;
  WatchedStore store_;
  std::unique_ptr<Query> query_ =
      std::make_unique<Query>(QueryOptions{}, *this, real_clock(), real_random());
};

constexpr const char* kWide = "'far://b/wide.parquet'";

TEST_F(ObjectFilesTest, OneColumnOfManyReadsASmallPart) {
  EXPECT_EQ(lines(fmt::format("SELECT bit_xor(hash(c3)), count(*) FROM {}", kWide)),
            lines(fmt::format("SELECT bit_xor(hash(c3)), count(*) FROM {}", local())));
  EXPECT_LT(store_.bytes, wide().size() / 8);
  EXPECT_GT(store_.bytes, kRows * 8);
}

TEST_F(ObjectFilesTest, SaysHowMuchWasRead) {
  lines(fmt::format("SELECT bit_xor(hash(c3)) FROM {}", kWide));
  const RangeReads reads = query_->range_reads();
  EXPECT_EQ(reads.objects, 1);
  EXPECT_EQ(reads.bytes, store_.bytes);
  EXPECT_EQ(reads.requests, store_.gets);
  EXPECT_EQ(reads.of_bytes, wide().size());
  EXPECT_EQ(to_string(RangeReads{2, 1536, 4096, 9}),
            "2 objects by ranges: 1.5 KiB of 4 KiB in 9 requests");
  lines("SELECT 1");
  EXPECT_EQ(query_->range_reads().objects, 0);
}

TEST_F(ObjectFilesTest, RowGroupsThatCannotMatchAreNotRead) {
  EXPECT_THAT(lines(fmt::format("SELECT id FROM {} WHERE id = {}", kWide, kGroup + 7)),
              ElementsAre(std::to_string(kGroup + 7)));
  EXPECT_LT(store_.bytes, wide().size() / 20);
}

TEST_F(ObjectFilesTest, GivesTheSameRowsAsTheFile) {
  EXPECT_EQ(lines(fmt::format("SELECT count(*), sum(hash(t)) FROM {} t", kWide)),
            lines(fmt::format("SELECT count(*), sum(hash(t)) FROM {} t", local())));
}

TEST_F(ObjectFilesTest, ACrawlLooksAtWhatSaysTheColumns) {
  put("d/wide.parquet", wide());
  const Crawl crawl = run_task(query_->crawl("d", false));
  EXPECT_EQ(crawl.state.columns.size(), 17);
  EXPECT_GT(store_.bytes, 0);
  EXPECT_LT(store_.bytes, wide().size() / 100);
}

TEST_F(ObjectFilesTest, AFilesRangesAreKeptForTheNextStatement) {
  lines(fmt::format("SELECT sum(c3) FROM {}", kWide));
  const std::uint64_t first = store_.bytes;
  lines(fmt::format("SELECT bit_xor(hash(c3)) FROM {}", kWide));
  EXPECT_EQ(store_.bytes, first);
}

TEST_F(ObjectFilesTest, ReadsTablesAndJoins) {
  put("t/part-0.parquet", rows_from(50'000));
  put("t/_delta_log/00000000000000000000.json",
      delta_metadata({delta_field("id", "long"), delta_field("c3", "double")}) +
          delta_add("part-0.parquet"));
  EXPECT_THAT(lines(fmt::format("SELECT count(*) FROM t JOIN {} w USING (id)", kWide)),
              ElementsAre("10000"));
  EXPECT_EQ(query_->range_reads().objects, 2);
  EXPECT_THAT(lines("SELECT count(*), max(id) FROM t"), ElementsAre("60000|109999"));
  const auto plan = lines("EXPLAIN ANALYZE SELECT sum(c3) FROM t");
  EXPECT_THAT(plan.back(), HasSubstr("t version 0: 1 of 1 files"));
}

TEST_F(ObjectFilesTest, AnObjectThatChangesMeanwhileIsAConflict) {
  from_get(4, [this]() -> Task<> { co_await store_.put({"b", "wide.parquet"}, "other bytes"); });
  const auto failed = error(fmt::format("SELECT sum(hash(t)) FROM {} t", kWide));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind(), ErrorKind::kConflict);
  EXPECT_STREQ(
      failed->what(),
      "read far://b/wide.parquet: it was removed or replaced while it was read; ask again");
}

TEST_F(ObjectFilesTest, AStoresErrorComesOutAsItIs) {
  for (const ErrorKind kind : {ErrorKind::kTransient, ErrorKind::kInvalid, ErrorKind::kCorrupt}) {
    for (const std::size_t number : {1, 3}) {
      query_ = std::make_unique<Query>(QueryOptions{}, *this, real_clock(), real_random());
      from_get(number, [kind]() -> Task<> {
        throw Error(kind, "GET http://far/b/wide.parquet: 503 'SlowDown'");
        co_return;
      });
      const auto failed = error(fmt::format("SELECT sum(hash(t)) FROM {} t", kWide));
      ASSERT_TRUE(failed);
      EXPECT_EQ(failed->kind(), kind) << failed->what();
      EXPECT_THAT(failed->what(), HasSubstr("read far://b/wide.parquet: GET http://far"));
      EXPECT_THAT(failed->what(), HasSubstr("503 'SlowDown'"));
    }
  }
  store_.before_get = nullptr;
  EXPECT_THAT(lines(fmt::format("SELECT count(c3) FROM {}", kWide)), ElementsAre("60000"));
}

TEST_F(ObjectFilesTest, CancellingEndsAReadThatHangs) {
  asio::io_context loop;
  asio::cancellation_signal cancel;
  from_get(3, [&]() -> Task<> {
    asio::post(loop, [&] { cancel.emit(asio::cancellation_type::terminal); });
    co_await hang();
  });
  std::exception_ptr failure;
  asio::co_spawn(loop, ask(fmt::format("SELECT sum(hash(t)) FROM {} t", kWide)),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr e, const std::vector<std::string>&) {
                       failure = e;
                       EXPECT_EQ(hanging_, 0) << "what was read ended before the statement";
                     }));
  loop.run();
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_error(failure).kind(), ErrorKind::kCancelled);
}

TEST_F(ObjectFilesTest, AnInterruptEndsAReadThatHangsAndTheNextStatementRuns) {
  from_get(3, [this]() -> Task<> {
    query_->interrupt();
    co_await hang();
  });
  const auto failed = error(fmt::format("SELECT sum(hash(t)) FROM {} t", kWide));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind(), ErrorKind::kCancelled);
  store_.before_get = nullptr;
  EXPECT_THAT(lines(fmt::format("SELECT count(c3) FROM {}", kWide)), ElementsAre("60000"));
}

TEST_F(ObjectFilesTest, RowsThatAreLeftEarlyWaitForNoRead) {
  // The loop that reads lets go of the rows, while the engine may be reading on.
  const auto leave = [this]() -> Task<std::size_t> {
    const auto result = co_await query_->run(fmt::format("SELECT c0 FROM {}", kWide));
    const auto batch = co_await result->next();
    from_get(1, [this] { return hang(); });
    co_return batch->rows;
  };
  EXPECT_GT(run_task(leave()), 0);
  EXPECT_EQ(hanging_, 0);
  store_.before_get = nullptr;
  EXPECT_THAT(lines(fmt::format("SELECT count(c5) FROM {}", kWide)), ElementsAre("60000"));
}

/// Files without an engine: what is read by a thread that waits, on the loop of the test's own.
class RangesTest : public testing::Test {
 protected:
  /// Reads from an object of these bytes. `store` may do things to it.
  std::string read(Store& store, const Bytes& all, std::uint64_t offset, std::uint64_t bytes) {
    run_task(store.put({"b", "k"}, all));
    const auto info = run_task(store.head({"b", "k"}));
    const auto file = files_->open(files_->add(loop_.get_executor(), store, *info, "far://b/k"));
    std::string into(bytes, '\0');
    std::exception_ptr failure;
    auto guard = std::make_optional(asio::make_work_guard(loop_));
    std::jthread reader([&] {
      try {
        file->read(into.data(), bytes, offset);
      } catch (...) {
        failure = std::current_exception();
      }
      guard.reset();
    });
    loop_.restart();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
    return into;
  }

  asio::io_context loop_;
  std::shared_ptr<ObjectFiles> files_ = std::make_shared<ObjectFiles>();
};

Bytes bytes_of(std::size_t size) {
  SeededRandom random(7);
  Bytes bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

TEST_F(RangesTest, ALongRangeIsReadInParts) {
  WatchedStore store;
  std::vector<std::uint64_t> lengths;
  store.before_get = [&](const GetOptions& options) -> Task<> {
    lengths.push_back(options.range.length);
    EXPECT_TRUE(options.if_match);
    co_return;
  };
  const Bytes all = bytes_of(19u << 20);
  EXPECT_EQ(read(store, all, 1001, 17u << 20), all.substr(1001, 17u << 20));
  std::ranges::sort(lengths);
  const std::uint64_t part = 4u << 20;
  EXPECT_THAT(lengths, ElementsAre(1u << 20, part, part, part, part));
}

TEST_F(RangesTest, ABodyThatEndsTooEarlyIsNoData) {
  FaultStore store(make_memory_store(real_clock()), real_clock(), 1);
  store.add({.kind = StoreFault::Kind::kCutQuietly, .call = StoreCall::kGet});
  try {
    read(store, bytes_of(1000), 0, 1000);
    FAIL() << "a short body passed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_THAT(error.what(), HasSubstr("of the 1000 asked for"));
  }
}

TEST_F(RangesTest, NobodyWaitsWhileNothingIsToBeRead) {
  WatchedStore store;
  run_task(store.put({"b", "k"}, "bytes"));
  const auto info = run_task(store.head({"b", "k"}));
  const auto file = files_->open(files_->add(loop_.get_executor(), store, *info, "far://b/k"));
  const auto kind = [&] {
    std::string into(5, '\0');
    try {
      file->read(into.data(), 5, 0);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kBug;
  };
  auto waiting = std::async(std::launch::async, kind);
  {
    const auto guard = asio::make_work_guard(loop_);
    loop_.run_one();  // It begins, and then the loop runs no more: it ends all the same.
  }
  files_->without_reads([&] {
    EXPECT_EQ(waiting.get(), ErrorKind::kCancelled);
    EXPECT_EQ(kind(), ErrorKind::kCancelled);
  });
  files_->stop();
  EXPECT_EQ(kind(), ErrorKind::kCancelled);
  files_->allow();
  EXPECT_EQ(read(store, "bytes", 1, 3), "yte");
}

}  // namespace
}  // namespace headrace
