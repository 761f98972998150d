#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/random.h"
#include "store/s3/s3_store.h"
#include "testing/run_task.h"

/// The S3 server that a test run was given (tests/servers/store_test.py starts it), in the
/// environment:
///   HEADRACE_TEST_S3             "moto", "minio", ...: which one it is
///   HEADRACE_TEST_S3_ENDPOINT    its URL
///   HEADRACE_TEST_S3_ACCESS_KEY, HEADRACE_TEST_S3_SECRET_KEY, HEADRACE_TEST_S3_REGION
namespace headrace::s3 {

inline std::string server_variable(const std::string& suffix) {
  const char* value = std::getenv(("HEADRACE_TEST_S3" + suffix).c_str());
  return value == nullptr ? "" : value;
}

inline constexpr const char* kNoServer =
    "no S3 server: run tests/servers/store_test.py, or set HEADRACE_TEST_S3_ENDPOINT";

/// A loop with a thread of its own: where a store lives whose callers are elsewhere.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    work_.reset();
    loop_.stop();
    thread_.join();
  }
  Executor executor() { return loop_.get_executor(); }

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::thread thread_;
};

inline S3StoreStanza server_stanza(const std::string& endpoint) {
  S3StoreStanza stanza;
  stanza.endpoint = endpoint;
  stanza.region = server_variable("_REGION");
  stanza.credentials.from = CredentialsStanza::From::kKeys;
  stanza.credentials.access_key = server_variable("_ACCESS_KEY");
  stanza.credentials.secret_key = server_variable("_SECRET_KEY");
  stanza.create_buckets = true;
  stanza.part_size = 5u << 20;
  return stanza;
}

/// Removes every bucket of the server with all versions in it.
inline void empty_server(S3Store& store) {
  for (const std::string& bucket : run_task(store.list_buckets())) {
    VersionsAnswer page;
    do {
      page = run_task(store.list_versions(bucket, "", page.next_key, page.next_version));
      std::vector<Deletion> all;
      for (const ObjectVersion& version : page.versions) {
        all.push_back({version.key.path, version.version});
      }
      run_task(store.remove_versions(bucket, all));
    } while (page.truncated);
    const auto uploads = run_task(store.call({.bucket = bucket, .query = {{"uploads", ""}}}));
    for (const auto& [key, id] : parse_uploads(uploads.body)) {
      run_task(store.abort_upload(ObjectKey{bucket, key}, id));
    }
    run_task(store.remove_bucket(bucket));
  }
}

}  // namespace headrace::s3
