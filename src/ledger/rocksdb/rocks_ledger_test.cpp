// What only the ledger on disk has: the folder's lock, the format, a disk that fails.
#include "ledger/rocksdb/rocks_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "core/random.h"
#include "ledger/rocksdb/database.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

enum class Fault : unsigned char { kNone, kFullOnWrite, kFullOnSync };

/// A file that has no room while `fault` says so.
class FullFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FullFile(std::unique_ptr<FSWritableFile> file, const std::atomic<Fault>& fault)
      : FSWritableFileOwnerWrapper(std::move(file)), fault_(fault) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* context) override {
    if (fault_ == Fault::kFullOnWrite) return IOStatus::NoSpace("no space left (test)");
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* context) override {
    if (fault_ == Fault::kFullOnWrite) return IOStatus::NoSpace("no space left (test)");
    return FSWritableFileOwnerWrapper::Append(data, options, info, context);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* context) override {
    if (fault_ != Fault::kNone) return IOStatus::NoSpace("no space left (test)");
    return FSWritableFileOwnerWrapper::Sync(options, context);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    if (fault_ != Fault::kNone) return IOStatus::NoSpace("no space left (test)");
    return FSWritableFileOwnerWrapper::Fsync(options, context);
  }

 private:
  const std::atomic<Fault>& fault_;
};

class FullFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FullFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "headrace.full"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file,
                           IODebugContext* context) override {
    std::unique_ptr<FSWritableFile> real;
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &real, context);
    if (status.ok()) *file = std::make_unique<FullFile>(std::move(real), fault);
    return status;
  }

  std::atomic<Fault> fault = Fault::kNone;
};

class RocksLedgerTest : public testing::Test {
 protected:
  RocksLedgerTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("rocks-" + real_random().uuid())),
        files_(std::make_shared<FullFileSystem>()),
        env_(rocksdb::NewCompositeEnv(files_)) {}
  ~RocksLedgerTest() override {
    ledger_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    ledger_.reset();
    ledger_ = open_rocks_ledger(folder_, {}, clock_, silent_log(), env_.get());
    load_ = run_task(ledger_->route_id("load"));
  }
  Appended append(Bytes body, std::optional<std::uint64_t> identity = {}) {
    std::vector<NewEvent> events(1);
    events[0] = {.body = std::move(body), .identity = identity, .wants = {{load_, clock_.now()}}};
    return run_task(ledger_->append(std::move(events))).at(0);
  }
  /// What the call threw, as kind; fails the test if it did not.
  template <class Call>
  std::optional<ErrorKind> kind_of(Call call) {
    try {
      call();
    } catch (const Error& error) {
      message_ = error.what();
      return error.kind();
    }
    return std::nullopt;
  }
  std::vector<Bytes> pending() {
    std::vector<Bytes> bodies;
    for (PendingTask& task : run_task(ledger_->tasks({}))) bodies.push_back(std::move(task.body));
    return bodies;
  }

  std::filesystem::path folder_;
  std::shared_ptr<FullFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
  ManualClock clock_;
  std::unique_ptr<Ledger> ledger_;
  RouteId load_{};
  std::string message_;
};

TEST_F(RocksLedgerTest, RefusesAFolderThatIsOpenAndSaysWhoHasIt) {
  open();
  EXPECT_EQ(kind_of([&] { open_rocks_ledger(folder_, {}, clock_, silent_log()); }),
            ErrorKind::kConflict);
  EXPECT_THAT(message_,
              testing::HasSubstr("another headrace (pid " + std::to_string(::getpid()) + ")"));
  EXPECT_EQ(append("still works"), Appended::kStored);
}

TEST_F(RocksLedgerTest, RefusesAFormatItDoesNotKnow) {
  {
    rocks::Database database(folder_, nullptr);
    rocks::Batch batch = database.batch();
    batch.put(rocks::Family::kMeta, rocks::kFormatKey, "2");
    database.write(batch);
  }
  EXPECT_EQ(kind_of([&] { open(); }), ErrorKind::kInvalid);
  EXPECT_THAT(message_, testing::HasSubstr("has format 2, this program knows format 1"));
}

TEST_F(RocksLedgerTest, RefusesAFolderItCannotMake) {
  EXPECT_EQ(kind_of([&] { open_rocks_ledger("/proc/headrace", {}, clock_, silent_log()); }),
            ErrorKind::kInvalid);
}

TEST_F(RocksLedgerTest, KeepsNoTextLogWhichCouldNotBeWrittenOnAFullDisk) {
  open();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "db" / "CURRENT"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "db" / "LOG"));
}

class FullDiskTest : public RocksLedgerTest, public testing::WithParamInterface<Fault> {};

TEST_P(FullDiskTest, WritesNothingAndGoesOnWhenThereIsRoom) {
  open();
  append("before", 1);
  const auto taken = run_task(ledger_->take(load_, 10));
  ASSERT_EQ(taken.size(), 1u);

  files_->fault = GetParam();
  EXPECT_EQ(kind_of([&] { append("refused", 2); }), ErrorKind::kTransient);
  EXPECT_THAT(message_, testing::HasSubstr("no space"));
  const LedgerWrite settle{.settle = {{.id = taken[0].id}}, .notes = {{"plan", Bytes("x")}}};
  EXPECT_EQ(kind_of([&] { run_task(ledger_->write(settle)); }), ErrorKind::kTransient);
  EXPECT_EQ(ledger_->counters()[load_].pending(), 1u);
  EXPECT_EQ(run_task(ledger_->note("plan")), std::nullopt);

  files_->fault = Fault::kNone;
  EXPECT_EQ(append("refused", 2), Appended::kStored) << "the first try was not remembered";
  EXPECT_EQ(append("after", 3), Appended::kStored);
  run_task(ledger_->write(settle));
  EXPECT_THAT(pending(), testing::ElementsAre("refused", "after"));

  open();
  EXPECT_THAT(pending(), testing::ElementsAre("refused", "after"));
  EXPECT_EQ(append("refused", 2), Appended::kDuplicate);
  EXPECT_EQ(ledger_->counters()[load_].done, 1u);
}

TEST_P(FullDiskTest, AQueuedTaskIsNotLostByACancelThatFailed) {
  open();
  append("first");
  append("second");
  const auto taken = run_task(ledger_->take(load_, 1));
  ASSERT_EQ(taken.size(), 1u);
  std::vector<TaskId> ids;
  for (const PendingTask& task : run_task(ledger_->tasks({}))) ids.push_back(task.id);
  files_->fault = GetParam();
  EXPECT_EQ(kind_of([&] { run_task(ledger_->cancel(ids)); }), ErrorKind::kTransient);
  files_->fault = Fault::kNone;
  EXPECT_EQ(run_task(ledger_->take(load_, 1)).at(0).body, "second");
}

TEST_P(FullDiskTest, IsClosedAndOpenedWhileTheDiskIsFull) {
  open();
  append("before", 1);
  files_->fault = GetParam();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(kind_of([&] { append("refused", 2); }), ErrorKind::kTransient);
  }
  EXPECT_EQ(kind_of([&] { open(); }), ErrorKind::kTransient);
  EXPECT_THAT(message_, testing::HasSubstr("free some space"));
  files_->fault = Fault::kNone;
  open();
  // What failed at the sync may be in the log after all, as after a crash before the answer.
  append("refused", 2);
  EXPECT_THAT(pending(), testing::ElementsAre("before", "refused"));
}

INSTANTIATE_TEST_SUITE_P(Faults, FullDiskTest,
                         testing::Values(Fault::kFullOnWrite, Fault::kFullOnSync),
                         [](const auto& row) {
                           return row.param == Fault::kFullOnWrite ? "OnWrite" : "OnSync";
                         });

}  // namespace
}  // namespace headrace
