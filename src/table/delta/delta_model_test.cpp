// Random writers over a store that fails, against the one rule that matters: every append that was
// asked for is in the table once, whatever answers were lost and whoever was faster.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "table/delta/delta_table.h"
#include "table/delta/schema_json.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace::delta {
namespace {

constexpr int kWriters = 4;
constexpr std::uint64_t kAppends = 8;

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed), store_(make_memory_store(clock_), clock_, seed) {
    using Kind = StoreFault::Kind;
    const auto fault = [this](Kind kind, double probability, int delay_ms = 0) {
      store_.add(
          {.kind = kind, .probability = probability, .delay = std::chrono::milliseconds(delay_ms)});
    };
    fault(Kind::kDelay, 0.5, 3);
    fault(Kind::kDelay, 0.3, 11);
    fault(Kind::kFailBefore, 0.04);
    fault(Kind::kFailAfter, 0.08);
  }

  void run() {
    int left = kWriters;
    for (int writer = 0; writer < kWriters; ++writer) {
      boost::asio::co_spawn(loop_, write(writer), [&left](std::exception_ptr failure) {
        EXPECT_FALSE(failure);
        --left;
      });
    }
    while (left > 0) {
      loop_.restart();
      loop_.poll();
      if (const auto due = clock_.next_due()) clock_.advance(*due - clock_.now());
    }
    store_.clear();
  }

  /// How often each append is in the table: "writer/seq" -> count.
  std::map<std::string, int> appended() {
    const auto table = open();
    const auto snapshot = run_task(table->snapshot());
    std::map<std::string, int> out;
    for (const TableFile& file : snapshot->files) {
      ++out[file.path.substr(0, file.path.rfind('/'))];
    }
    EXPECT_EQ(snapshot->version + 1, kWriters * static_cast<std::int64_t>(kAppends));
    return out;
  }

 private:
  std::unique_ptr<Table> open() {
    return open_delta_table(store_, "lake", "t", {}, clock_, random_);
  }

  static Append request(int writer, std::uint64_t seq, int attempt) {
    Append append{.app_id = fmt::format("writer{}", writer), .seq = seq, .schema = {}, .files = {}};
    Field field;
    field.name = fmt::format("column{}", seq % 3);  // Schemas change while others write.
    field.type = *parse_primitive("long");
    append.schema.fields.push_back(field);
    append.files.push_back({.path = fmt::format("w{}/{}/try{}", writer, seq, attempt),
                            .partition = {},
                            .size = 1,
                            .rows = 1,
                            .stats = ""});
    return append;
  }

  Task<> write(int writer) {
    std::unique_ptr<Table> table = open();
    for (std::uint64_t seq = 1; seq <= kAppends; ++seq) {
      for (int attempt = 0;; ++attempt) {
        bool failed = false;
        try {
          // A sink that restarts asks what is visible first; one that goes on just tries again.
          if (random_.below(2) == 0) {
            const auto done = co_await table->last_txn(fmt::format("writer{}", writer));
            if (done >= seq) break;
          }
          co_await table->append(request(writer, seq, attempt));
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
          failed = true;
        }
        if (!failed) break;
        if (random_.below(2) == 0) table = open();  // A crash: all that was known is forgotten.
      }
    }
  }

  boost::asio::io_context loop_;
  ManualClock clock_;
  SeededRandom random_;
  FaultStore store_;
};

class DeltaModelTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(DeltaModelTest, LosesNoAppendAndDoublesNone) {
  World world(GetParam());
  world.run();
  const auto appended = world.appended();
  EXPECT_EQ(appended.size(), kWriters * kAppends);
  for (const auto& [append, count] : appended) EXPECT_EQ(count, 1) << append;
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeltaModelTest, testing::Range<std::uint64_t>(0, 30));

}  // namespace
}  // namespace headrace::delta
