#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/task.h"
#include "net/http.h"

namespace headrace {

/// A request as the server has read it, body and all.
struct ServedRequest {
  std::string method;
  std::string path;   ///< Decoded.
  std::string query;  ///< As on the wire.
  Headers headers;
  Bytes body;
  std::string peer;  ///< "127.0.0.1:40112"
};

struct ServedAnswer {
  int status = 200;
  Headers headers;  ///< Content-Length, Date and Connection are added.
  Bytes body;
};

/// Answers one request. What it throws becomes 400, 409, 422, 503 or 500 by its kind, with
/// {"error":{"kind":..,"message":..}} as body. Many run at a time on one executor.
using HttpHandler = std::function<Task<ServedAnswer>(ServedRequest)>;

/// Looks at a request before its body is read, which is empty here: an answer refuses it, and of
/// the body nothing is held. The connection ends then, unless all of the body has come already.
using HttpGate = std::function<std::optional<ServedAnswer>(const ServedRequest&)>;

struct HttpServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                            ///< 0: any free one.
  std::size_t connections = 256;                     ///< More wait in the kernel's queue.
  std::size_t header_bytes = 16 * 1024;              ///< Beyond: 431.
  std::uint64_t body_bytes = 1u << 20;               ///< Beyond: 413, unread.
  Duration idle_timeout = std::chrono::seconds(30);  ///< For a head, for a body, between requests.
  std::uint64_t memory = 64u << 20;                  ///< Bodies held at a time; beyond: 503.
  HttpGate gate;                                     ///< None: every body is read.
};

/// HTTP/1.1 for machines: keep-alive, no TLS, bounded in everything. Nagle is off and each answer
/// goes out in one write. What is no request is answered with 400 and the connection closed.
///
/// Threads  One executor, run by one thread. Destroyed only after run() has returned.
class HttpServer {
 public:
  /// Binds and listens at once; throws kInvalid if the address cannot be had. `clock` measures
  /// timeouts and gives the Date.
  HttpServer(Executor executor, HttpServerConfig config, HttpHandler handler, const Log& log,
             Clock& clock = real_clock());
  ~HttpServer();

  /// The port that was bound.
  std::uint16_t port() const;
  /// Serves until cancelled; then closes what is unused or half received, lets running handlers
  /// end and answer, and returns. Runs on the server's executor.
  Task<> run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace
