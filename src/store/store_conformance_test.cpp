#include "testing/store_conformance.h"

#include <boost/asio/thread_pool.hpp>

#include "store/file/file_store.h"
#include "store/memory/memory_store.h"
#include "store/retrying_store.h"
#include "store/s3/s3_store.h"
#include "testing/fault_proxy.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/s3_server.h"
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
    store_ = make_retrying_store(std::move(faulty), clock_, real_random(), {patient, false});
  }
  Store& store() override { return *store_; }

 private:
  Fixture good_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

/// The S3 server of this run, emptied; as the program uses it, with retries: radosgw answers 500 to
/// some who lose a race.
class S3Fixture final : public StoreFixture {
 public:
  S3Fixture() {
    auto store = make_s3_store(s3::server_stanza(s3::server_variable("_ENDPOINT")), "s3",
                               "us-east-1", loop_.executor(), real_clock(), real_random());
    s3::empty_server(*store);
    const Backoff quick{Duration::zero(), std::chrono::milliseconds(20)};
    store_ = make_retrying_store(std::move(store), real_clock(), real_random(),
                                 {.policy = {20, quick, quick}});
  }
  Store& store() override { return *store_; }

 private:
  s3::LoopThread loop_;
  std::unique_ptr<Store> store_;
};

/// The same behind a network that spoils many exchanges, and retries that get through them.
class FaultyS3Fixture final : public StoreFixture {
 public:
  FaultyS3Fixture() {
    const auto stanza = s3::server_stanza(s3::server_variable("_ENDPOINT"));
    s3::empty_server(
        *make_s3_store(stanza, "s3", "", loop_.executor(), real_clock(), real_random()));
    proxy_ = std::make_unique<FaultProxy>(loop_.executor(), parse_url(stanza.endpoint), 11, 0.15);
    const RetryPolicy patient{100, {Duration::zero(), Duration::zero()}};
    S3StoreConfig config;
    config.endpoint = proxy_->url();
    config.region = stanza.region;
    config.create_buckets = true;
    config.part_retry = patient;
    HttpClientConfig impatient;
    impatient.idle_timeout = std::chrono::milliseconds(400);
    auto client = std::make_unique<HttpClient>(loop_.executor(), real_clock(), impatient);
    auto credentials = make_credentials(stanza.credentials, *client, real_clock());
    auto store = make_s3_store(config, loop_.executor(), real_clock(), real_random(),
                               std::move(client), std::move(credentials));
    store_ = make_retrying_store(std::move(store), real_clock(), real_random(), {patient, false});
  }
  Store& store() override { return *store_; }

 private:
  s3::LoopThread loop_;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<Store> store_;
};

template <class Fixture>
StoreMaker s3_maker(std::string name, bool loses_answers = false) {
  const std::string server = s3::server_variable("");
  StoreMaker maker{std::move(name),
                   []() -> std::unique_ptr<StoreFixture> {
                     if (s3::server_variable("_ENDPOINT").empty()) return nullptr;
                     return std::make_unique<Fixture>();
                   },
                   loses_answers};
  maker.missing = s3::kNoServer;
  maker.etags_are_of_content = true;
  maker.conditions_race = server == "moto";
  maker.removals_race = true;
  maker.mends_paths = server == "minio" || server == "versitygw";
  return maker;
}

template <class Fixture>
StoreMaker maker(std::string name, bool loses_answers = false) {
  StoreMaker maker{std::move(name), [] { return std::make_unique<Fixture>(); }, loses_answers};
  maker.any_path = std::is_same_v<Fixture, MemoryFixture> ||
                   std::is_same_v<Fixture, FaultyFixture<MemoryFixture>>;
  return maker;
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreConformance,
                         testing::Values(maker<MemoryFixture>("Memory"), maker<FileFixture>("File"),
                                         maker<FaultyFixture<MemoryFixture>>("FaultyMemory", true),
                                         maker<FaultyFixture<FileFixture>>("FaultyFile", true),
                                         s3_maker<S3Fixture>("S3"),
                                         s3_maker<FaultyS3Fixture>("S3Faulty", true)),
                         store_name);

}  // namespace
}  // namespace headrace
