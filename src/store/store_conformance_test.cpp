#include "testing/store_conformance.h"

#include <boost/asio/thread_pool.hpp>

#include "store/file/file_store.h"
#include "store/memory/memory_store.h"
#include "store/retrying_store.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

class MemoryFixture final : public StoreFixture {
 public:
  Store& store() override { return *store_; }
  std::unique_ptr<Store> take() { return std::move(store_); }

 private:
  ManualClock clock_;
  std::unique_ptr<Store> store_ = make_memory_store(clock_);
};

class FileFixture final : public StoreFixture {
 public:
  Store& store() override { return *store_; }
  std::unique_ptr<Store> take() { return std::move(store_); }

 private:
  TempFolder folder_;
  ManualClock clock_;
  CpuPool io_{4};
  std::unique_ptr<Store> store_ = make_file_store({folder_ / "store"}, io_, clock_);
};

/// Another fixture's store behind faults of every kind, and retries that get through them.
template <class Fixture>
class FaultyFixture final : public StoreFixture {
 public:
  FaultyFixture() {
    auto faulty = std::make_unique<FaultStore>(good_.take(), clock_, 7);
    for (const auto kind : {StoreFault::Kind::kFailBefore, StoreFault::Kind::kFailAfter,
                            StoreFault::Kind::kCut, StoreFault::Kind::kCutQuietly}) {
      StoreFault fault;
      fault.kind = kind;
      fault.probability = 0.15;
      faulty->add(fault);
    }
    const RetryPolicy patient{100, {Duration::zero(), Duration::zero()}};
    store_ = make_retrying_store(std::move(faulty), clock_, real_random(), {patient});
  }
  Store& store() override { return *store_; }

 private:
  Fixture good_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

template <class Fixture>
StoreMaker maker(std::string name, bool loses_answers = false) {
  return {std::move(name), [] { return std::make_unique<Fixture>(); }, loses_answers};
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreConformance,
                         testing::Values(maker<MemoryFixture>("Memory"), maker<FileFixture>("File"),
                                         maker<FaultyFixture<MemoryFixture>>("FaultyMemory", true),
                                         maker<FaultyFixture<FileFixture>>("FaultyFile", true)),
                         store_name);

}  // namespace
}  // namespace headrace
