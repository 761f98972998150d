// Random writers over a store that fails, against the rules that matter: every write that was asked
// for is in the table once, whatever answers were lost and whoever was faster; and what the table
// holds is what its writes come to one after the other.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <set>

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

// -------- Writers that also take files away, against a serial model.

/// What one try of a write was decided to do. Tries that failed or lost are kept too: the log says
/// which one landed.
struct Decision {
  enum class Kind : unsigned char { kAppend, kDeleteRow, kOverwrite, kOptimize };
  Kind kind = Kind::kAppend;
  std::set<int> added;
  std::optional<int> deleted;
  std::optional<std::string> partition;  ///< Of an overwrite; nullopt is the whole table.
  std::optional<std::int64_t> read_version;
};

/// Rows are numbers. A file's rows are known by its path; the table's are those of its files.
class ChangingWorld {
 public:
  static constexpr int kOperations = 7;

  explicit ChangingWorld(std::uint64_t seed)
      : random_(seed), store_(make_memory_store(clock_), clock_, seed) {
    using Kind = StoreFault::Kind;
    const auto fault = [this](Kind kind, double probability, int delay_ms = 0) {
      store_.add(
          {.kind = kind, .probability = probability, .delay = std::chrono::milliseconds(delay_ms)});
    };
    fault(Kind::kDelay, 0.5, 3);
    fault(Kind::kDelay, 0.3, 11);
    fault(Kind::kFailBefore, 0.03);
    fault(Kind::kFailAfter, 0.06);
    store_.add({.kind = Kind::kCut, .call = StoreCall::kGet, .probability = 0.02});
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

  /// Replays what landed, one write after the other, and compares after each with what the table
  /// says of that version.
  void check() {
    const auto table = open();
    std::vector<HistoryEntry> history = run_task(table->history(10'000));
    std::ranges::reverse(history);
    std::map<std::int64_t, const Decision*> landed;
    std::set<int> model;
    for (const HistoryEntry& entry : history) {
      const Decision& decision = decisions_.at(number_in(entry.parameters));
      landed.emplace(entry.version, &decision);
      apply(decision, entry.version, landed, model);
      const auto snapshot = run_task(table->snapshot_at_version(entry.version));
      std::multiset<int> rows;
      for (const TableFile& file : snapshot->files) {
        for (const int row : contents_.at(file.path)) rows.insert(row);
      }
      ASSERT_EQ(rows, std::multiset<int>(model.begin(), model.end()))
          << "after version " << entry.version << ", " << entry.operation;
    }
    EXPECT_EQ(history.size(), done_) << "a write is there twice, or not at all";
    conflicts_seen += conflicts_;
  }

  static inline int conflicts_seen = 0;

 private:
  std::unique_ptr<Table> open() {
    return open_delta_table(store_, "lake", "t", {.partition_by = {"p"}}, clock_, random_);
  }

  /// The number of the decision, which its commit carries.
  static std::size_t number_in(const std::string& parameters) {
    const std::size_t at = parameters.find(R"("decision":")");
    EXPECT_NE(at, std::string::npos) << parameters;
    return std::stoul(parameters.substr(at + 12));
  }

  void apply(const Decision& decision, std::int64_t version,
             const std::map<std::int64_t, const Decision*>& landed, std::set<int>& model) {
    if (decision.deleted) model.erase(*decision.deleted);
    if (decision.kind == Decision::Kind::kOverwrite) {
      std::erase_if(model, [&](int row) {
        return !decision.partition || partition_of_.at(row) == *decision.partition;
      });
      // Blind appends since the version that was read count as having come after.
      if (decision.read_version) {
        for (const auto& [at, other] : landed) {
          const bool blind = other->kind == Decision::Kind::kAppend;
          if (at > *decision.read_version && at < version && blind) {
            model.insert(other->added.begin(), other->added.end());
          }
        }
      }
    }
    if (decision.kind != Decision::Kind::kOptimize) {
      model.insert(decision.added.begin(), decision.added.end());
    }
  }

  // -------- Deciding

  NewFile file_of(std::set<int> rows, const std::string& partition) {
    NewFile file{.path = fmt::format("f{}", contents_.size()),
                 .partition = {{"p", partition}},
                 .size = 1,
                 .rows = rows.size()};
    contents_.emplace(file.path, std::move(rows));
    return file;
  }
  std::set<int> new_rows(const std::string& partition) {
    std::set<int> rows;
    for (std::uint64_t i = 0; i <= random_.below(3); ++i) {
      rows.insert(next_row_);
      partition_of_[next_row_++] = partition;
    }
    return rows;
  }
  std::string any_partition() { return fmt::format("{}", random_.below(3)); }

  static Change change_for(std::string operation) {
    Change change;
    change.operation = std::move(operation);
    for (const char* name : {"a", "p"}) {
      Field field;
      field.name = name;
      field.type = *parse_primitive("long");
      change.schema.fields.push_back(field);
    }
    return change;
  }

  Change decide_append(Decision& decision) {
    const std::string partition = any_partition();
    decision.added = new_rows(partition);
    Change change = change_for("WRITE");
    change.add.push_back(file_of(decision.added, partition));
    return change;
  }

  Change decide_overwrite(Decision& decision, const Snapshot& snapshot) {
    decision.kind = Decision::Kind::kOverwrite;
    const std::string partition = any_partition();
    decision.added = new_rows(partition);
    Change change = change_for("WRITE");
    change.add.push_back(file_of(decision.added, partition));
    switch (random_.below(3)) {
      case 0:
        change.overwrite.kind = Overwrite::Kind::kTable;
        break;
      case 1:
        change.overwrite = {.kind = Overwrite::Kind::kPartitions,
                            .partitions = {{{"p", partition}}}};
        decision.partition = partition;
        break;
      default:
        change.overwrite.kind = Overwrite::Kind::kAddedPartitions;
        decision.partition = partition;
    }
    if (random_.below(2) == 0) change.read_version = decision.read_version = snapshot.version;
    return change;
  }

  std::optional<Change> decide_delete(Decision& decision, const Snapshot& snapshot) {
    if (snapshot.files.empty()) return std::nullopt;
    decision.kind = Decision::Kind::kDeleteRow;
    const TableFile& file = snapshot.files[random_.below(snapshot.files.size())];
    std::set<int> rest = contents_.at(file.path);
    decision.deleted = *std::next(rest.begin(), static_cast<long>(random_.below(rest.size())));
    rest.erase(*decision.deleted);
    Change change = change_for("DELETE");
    change.remove.push_back(file.path);
    if (!rest.empty()) change.add.push_back(file_of(rest, *file.partition.at("p")));
    change.read_version = snapshot.version;
    change.read.kind = ReadScope::Kind::kTable;
    if (random_.below(2) == 0) {
      change.read = {.kind = ReadScope::Kind::kPartitions, .partitions = {file.partition}};
    }
    return change;
  }

  std::optional<Change> decide_optimize(Decision& decision, const Snapshot& snapshot) {
    decision.kind = Decision::Kind::kOptimize;
    const std::string partition = any_partition();
    Change change = change_for("OPTIMIZE");
    std::set<int> all;
    for (const TableFile& file : snapshot.files) {
      if (file.partition.at("p") != partition) continue;
      change.remove.push_back(file.path);
      all.insert(contents_.at(file.path).begin(), contents_.at(file.path).end());
    }
    if (change.remove.size() < 2) return std::nullopt;
    change.add.push_back(file_of(all, partition));
    change.data_change = false;
    change.read_version = snapshot.version;
    return change;
  }

  /// A write for the table as it is; nullopt if there is nothing to do.
  std::optional<Change> decide(int writer, std::uint64_t seq,
                               const std::optional<Snapshot>& snapshot) {
    Decision decision;
    std::optional<Change> change;
    const std::uint64_t die = snapshot ? random_.below(10) : 0;
    if (die < 3) change = decide_append(decision);
    if (die >= 3 && die < 5) change = decide_overwrite(decision, *snapshot);
    if (die >= 5 && die < 8) change = decide_delete(decision, *snapshot);
    if (die >= 8) change = decide_optimize(decision, *snapshot);
    if (!change) return std::nullopt;
    change->app_id = fmt::format("writer{}", writer);
    change->seq = seq;
    change->parameters.emplace("decision", fmt::format("{}", decisions_.size()));
    decisions_.push_back(std::move(decision));
    return change;
  }

  /// One write, decided anew for as long as it fails, and now and then once more after it is done,
  /// as after a crash that forgot.
  Task<> write(int writer) {
    std::unique_ptr<Table> table = open();
    std::uint64_t seq = 1;
    for (int operation = 0; operation < kOperations; ++operation) {
      bool asked = false;
      bool done = false;
      for (int attempt = 0; attempt < 1'000 && !done; ++attempt) {
        bool failed = false;
        try {
          const std::optional<Snapshot> snapshot = co_await table->snapshot();
          const std::optional<Change> change = decide(writer, seq, snapshot);
          if (!change && !asked) break;
          if (change) {
            asked = true;
            co_await table->change(*change);
            done = true;
          }
        } catch (const Error& error) {
          failed = true;
          if (error.kind() == ErrorKind::kConflict) ++conflicts_;
          EXPECT_TRUE(error.kind() == ErrorKind::kTransient || error.kind() == ErrorKind::kConflict)
              << error.what();
        }
        if (done && random_.below(4) == 0) co_await forget_and_ask_again(writer, seq);
        if (failed && random_.below(2) == 0) table = open();
      }
      if (!asked) continue;
      EXPECT_TRUE(done);
      ++done_;
      ++seq;
    }
  }

  Task<> forget_and_ask_again(int writer, std::uint64_t seq) {
    const auto table = open();
    try {
      const std::optional<Snapshot> snapshot = co_await table->snapshot();
      const std::optional<Change> change = decide(writer, seq, snapshot);
      if (!change) co_return;
      const ChangeResult again = co_await table->change(*change);
      EXPECT_TRUE(again.already_done);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
    }
  }

  boost::asio::io_context loop_;
  ManualClock clock_;
  SeededRandom random_;
  FaultStore store_;
  std::vector<Decision> decisions_;
  std::map<std::string, std::set<int>> contents_;
  std::map<int, std::string> partition_of_;
  int next_row_ = 0;
  std::size_t done_ = 0;
  int conflicts_ = 0;
};

class DeltaChangesModelTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  static void TearDownTestSuite() {
    // Histories without conflicts would show nothing.
    EXPECT_GT(ChangingWorld::conflicts_seen, 10);
  }
};

TEST_P(DeltaChangesModelTest, EachVersionIsWhatTheWritesBeforeItComeToOneAfterTheOther) {
  ChangingWorld world(GetParam());
  world.run();
  world.check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeltaChangesModelTest, testing::Range<std::uint64_t>(0, 40));

}  // namespace
}  // namespace headrace::delta
