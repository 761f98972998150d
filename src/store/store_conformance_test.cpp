#include "testing/store_conformance.h"

#include <boost/asio/thread_pool.hpp>

#include "store/file/file_store.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

class MemoryFixture final : public StoreFixture {
 public:
  Store& store() override { return *store_; }

 private:
  ManualClock clock_;
  std::unique_ptr<Store> store_ = make_memory_store(clock_);
};

class FileFixture final : public StoreFixture {
 public:
  Store& store() override { return *store_; }

 private:
  TempFolder folder_;
  ManualClock clock_;
  CpuPool io_{4};
  std::unique_ptr<Store> store_ = make_file_store({folder_ / "store"}, io_, clock_);
};

template <class Fixture>
StoreMaker maker(std::string name) {
  return {std::move(name), [] { return std::make_unique<Fixture>(); }};
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreConformance,
                         testing::Values(maker<MemoryFixture>("Memory"),
                                         maker<FileFixture>("File")),
                         store_name);

}  // namespace
}  // namespace headrace
