#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/task.h"
#include "net/http.h"

namespace headrace {

/// Proxies as most programs take them from the environment.
struct ProxyConfig {
  std::string http;      ///< http_proxy: for http URLs. "http://[user:password@]host:port".
  std::string https;     ///< HTTPS_PROXY: for https URLs, through CONNECT.
  std::string no_proxy;  ///< NO_PROXY: hosts, domain suffixes, CIDR blocks or "*", comma-separated.
};

/// What http_proxy, https_proxy, all_proxy and no_proxy say, small letters before capitals.
ProxyConfig proxy_from_environment(
    const std::function<std::optional<std::string>(const std::string&)>& env);

struct HttpClientConfig {
  Duration connect_timeout = std::chrono::seconds(5);  ///< Name look-up, TCP and TLS together.
  Duration idle_timeout = std::chrono::seconds(30);    ///< Without a byte in either direction.
  Duration keep_alive = std::chrono::seconds(15);      ///< An unused connection is closed after it.
  std::size_t connections = 64;                        ///< Per endpoint; more requests wait.
  std::size_t header_bytes = 64 * 1024;                ///< Largest head of an answer.
  std::optional<std::filesystem::path> ca_file;        ///< PEM, instead of the system's.
  bool verify = true;                                  ///< Certificates and host names.
  ProxyConfig proxy;
};

/// HTTP/1.1 over pooled, kept-alive connections, with TLS. Knows no S3, follows no redirects and
/// retries nothing, but for one thing: a kept connection that the server closed before the first
/// byte of its answer is replaced once, if the request's body can be sent again.
///
/// Errors     Whatever the network does is kTransient ("GET http://host/path: connection reset by
///            peer"), a certificate that does not hold is kInvalid, an answer that is no HTTP or
///            whose head is too large is kTransient. A status is never an error.
/// Stopping   Cancelling send(), or reading a body, throws kCancelled and closes the connection.
///            Total time is the caller's business: see core/timeout.h.
/// Threads    Any executor may call and destroy; all work is done on the client's own, which must
/// be
///            run by one thread. Its loop outlives the client, the client outlives its tasks.
class HttpClient {
 public:
  HttpClient(Executor executor, Clock& clock, HttpClientConfig config = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends the request and waits for the head of its answer. An answer that comes before the body
  /// was sent whole (an early 4xx) is given, and the connection closed after it.
  Task<HttpResponse> send(HttpRequest request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// An answer with its body in memory.
struct HttpAnswer {
  int status = 0;
  Headers headers;
  Bytes body;
};

/// Sends and reads the whole body; throws kTransient beyond `limit` bytes.
Task<HttpAnswer> fetch(HttpClient& client, HttpRequest request, std::uint64_t limit = 1u << 20);

}  // namespace headrace
