#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/retry.h"
#include "core/task.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/http_client.h"
#include "net/sigv4.h"
#include "store/s3/failure.h"
#include "store/s3/payload.h"
#include "store/s3/s3_config.h"

// One endpoint: addresses, signatures, second chances. Everything S3 asks goes through here.
namespace headrace::s3 {

/// A request before it has an address and a signature.
struct Call {
  std::string method = "GET";
  std::string bucket;                                        ///< Empty: the endpoint itself.
  std::string key;                                           ///< Empty: the bucket.
  std::vector<std::pair<std::string, std::string>> query{};  ///< Not encoded.
  Headers headers{};
  Bytes body{};
  std::shared_ptr<const Payload> payload{};  ///< Instead of `body`: shared by a call's copies.
  bool streamed = false;  ///< The answer's body, if it is no error, is read by the caller.
};

/// An answer. Everything but a 2xx has a failure, and so has a 200 with an error in its body.
struct Reply {
  int status = 0;
  Headers headers;
  Bytes body;                          ///< The whole body, unless streamed.
  std::unique_ptr<ByteSource> stream;  ///< If streamed and no failure.
  std::optional<Failure> failure;
  Asker asker;
};

/// Sends calls to one endpoint. Each call gets one second chance for each thing that a client can
/// put right by itself: another region, a clock that is off, credentials that were refused. What it
/// learns (where a bucket is, how far the clock is off) it keeps. Retries nothing else.
///
/// Errors   Those of the HTTP client, and kTransient for an answer that takes too long or is too
///          large. A status is no error: see Reply.
/// Threads  One executor, given by the config's owner; `run()` brings other callers to it.
class Service {
 public:
  Service(S3StoreConfig config, Executor executor, Clock& clock, Random& random,
          std::unique_ptr<HttpClient> client, std::unique_ptr<CredentialsProvider> credentials);

  Task<Reply> send(Call call);
  /// The same, with every failure thrown.
  Task<Reply> must(Call call);
  /// Throws what the reply's failure means.
  [[noreturn]] void fail(const Call& call, const Reply& reply) const;
  [[noreturn]] void fail(std::string_view method, std::string_view where, const Reply& reply) const;

  /// The address of a call as it would go out now.
  Url address(const Call& call);
  std::string region_of(const std::string& bucket) const;
  const Signer& signer(const std::string& region);
  Task<std::optional<Credentials>> credentials() { return credentials_->get(); }
  /// The store's time, as far as it is known.
  Time now() const { return clock_.now() + clock_offset_; }
  Duration clock_offset() const { return clock_offset_; }

  /// "s3://bucket/key"
  std::string where(const std::string& bucket, const std::string& key) const;
  const S3StoreConfig& config() const { return config_; }
  const Executor& executor() const { return executor_; }
  Clock& clock() const { return clock_; }
  Random& random() const { return random_; }

 private:
  /// What a call's attempts have used up.
  struct Chances {
    bool region = false;
    bool clock = false;
    bool credentials = false;
    std::optional<Url> elsewhere;  // Where a redirect sent us.
  };

  Task<Reply> attempt(const Call& call, const std::optional<Credentials>& credentials,
                      const Chances& chances);
  Task<Reply> exchange(HttpRequest request, bool streamed);
  bool put_right(const Call& call, const Reply& reply, const std::optional<Credentials>& used,
                 Chances& chances);
  bool learn_region(const Call& call, const Reply& reply, Chances& chances);
  bool learn_clock(const Reply& reply, Chances& chances);
  bool is_virtual(const std::string& bucket) const;

  const S3StoreConfig config_;
  const Executor executor_;
  Clock& clock_;
  Random& random_;
  const Url endpoint_;  // With "{region}" in its host replaced for Amazon's own.
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<CredentialsProvider> credentials_;
  std::map<std::string, std::string, std::less<>> regions_;  // bucket -> region, learnt.
  std::map<std::string, std::unique_ptr<Signer>, std::less<>> signers_;
  Duration clock_offset_{};
};

/// Runs `make()` on the service's executor, wherever the caller is, and comes back with its result.
/// `make` and what it refers to live in the caller's frame.
template <class Make>
std::invoke_result_t<Make&> run_at(const Service& service, Make make) {
  if (co_await boost::asio::this_coro::executor == service.executor()) {
    co_return co_await make();
  }
  try {
    co_return co_await boost::asio::co_spawn(service.executor(), make(),
                                             boost::asio::use_awaitable);
  } catch (const Error&) {
    throw;
  } catch (...) {
    throw headrace::to_error(std::current_exception());
  }
}

}  // namespace headrace::s3
