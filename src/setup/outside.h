#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/retry.h"
#include "net/credentials_spec.h"
#include "net/http_client.h"
#include "setup/notification.h"
#include "setup/resource.h"
#include "setup/services.h"
#include "store/s3/s3_store.h"

namespace headrace::setup {

/// What lies in a bucket.
struct Contents {
  std::uint64_t objects = 0;
  std::uint64_t versions = 0;  ///< Older ones and delete markers.
  std::uint64_t uploads = 0;   ///< Unfinished.
  std::uint64_t bytes = 0;     ///< Of objects and older versions.
  bool empty() const { return objects + versions + uploads == 0; }
};

/// The stores and services around a stack: looks at one thing, makes it as it should be, removes
/// it. Each call may be repeated after a failure and after a crash.
///
/// Errors   Those of the store and of services.h, after a few tries where they may pass.
/// Threads  One executor. All that is given outlives the tasks.
class Outside {
 public:
  struct Given {
    /// Throws kInvalid for a store that the stack does not have.
    std::function<S3Store&(const std::string&)> store;
    /// Speaks to the services at a home.
    std::function<HttpClient&(const std::string&)> client;
    Clock& clock;
    Random& random;
    /// By the services' home; the chain for others.
    std::map<std::string, CredentialsStanza> credentials;
  };
  explicit Outside(Given given);
  ~Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  Task<Seen> look(Resource resource);
  /// Makes the thing, or changes it, so that its settings are as given.
  Task<> ensure(Resource resource);
  /// No matter if it is gone already. A bucket must be empty.
  Task<> remove(Resource resource);

  /// All but the keys that begin with one of `except`.
  Task<Contents> contents(std::string store, std::string bucket, std::vector<std::string> except);
  /// Removes all versions of all keys but those, and unfinished uploads; a page at a time.
  Task<> clear(std::string store, std::string bucket, std::vector<std::string> except);
  /// Removes all versions of the keys that begin with `prefix`.
  Task<> remove_prefix(std::string store, std::string bucket, std::string prefix);

  S3Store& store(const std::string& name) { return given_.store(name); }

  /// A few tries of what may pass: long enough also for a queue's new policy to be seen by the
  /// store, which takes some seconds. `make` must be harmless to repeat.
  template <class Make>
  auto tries(Make make) -> std::invoke_result_t<Make&> {
    const RetryPolicy policy{.attempts = 6,
                             .backoff = {std::chrono::milliseconds(400), std::chrono::seconds(8)}};
    co_return co_await with_retry(policy, given_.clock, given_.random, std::move(make));
  }

 private:
  struct Services;
  Services& services(const std::string& home);

  Task<Seen> look_now(const Resource& resource);
  Task<> ensure_now(const Resource& resource);
  Task<> remove_now(const Resource& resource);

  Task<Seen> look_bucket(const Resource& resource);
  Task<Seen> look_queue(const Resource& resource);
  Task<Seen> look_topic(const Resource& resource);
  Task<Seen> look_permission(const Resource& resource);
  Task<Seen> look_subscription(const Resource& resource);
  Task<Seen> look_rule(const Resource& resource);
  Task<> ensure_bucket(const Resource& resource);
  Task<> ensure_queue(const Resource& resource);
  Task<> ensure_permission(const Resource& resource);
  Task<> ensure_topic(const Resource& resource);
  Task<> ensure_subscription(const Resource& resource);
  Task<> ensure_rule(const Resource& resource);
  Task<> remove_rule(const Resource& resource);

  /// The policy of "queue x" or "topic x", and how to write it.
  struct Guarded {
    std::string arn;
    std::string policy;
    std::string url;  // Of a queue.
  };
  Task<std::optional<Guarded>> guarded(const Resource& permission);
  Task<> set_policy(const Resource& permission, const Guarded& guarded, std::string policy);
  /// The ARN of "queue x", "topic x", "arn x" or "bucket x"; empty if it is not there.
  Task<std::string> arn_of(std::string text, std::string home);

  /// The XML; empty if the bucket is missing or has none.
  Task<std::string> notification(const Resource& rule);
  Task<HttpAnswer> must_call(const std::string& store, S3Store::RawCall call);

  Given given_;
  std::map<std::string, std::unique_ptr<Services>> services_;
};

}  // namespace headrace::setup
