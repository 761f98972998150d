#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/log.h"
#include "net/http_server.h"

namespace headrace {

/// "127.0.0.1:8480", "[::1]:0", "localhost:0", taken apart.
struct ListenAddress {
  std::string address;  ///< An IP address.
  std::uint16_t port = 0;
  bool loopback = false;

  /// Throws kInvalid for anything else.
  static ListenAddress parse(const std::string& text);
};

/// One HTTP door for all webhook sources that name the same address; each has a path of its own.
///
/// Threads  One executor.
class WebhookListener {
 public:
  WebhookListener(ListenAddress address, const Log& log);
  ~WebhookListener();

  /// Before run(). What `gate` refuses is answered before its body is read, and so is a body above
  /// `body_bytes` (413) that says its length; one that does not is read up to the largest bound of
  /// all paths. Both functions and what they refer to outlive run().
  void add(std::string path, std::uint64_t body_bytes, HttpGate gate, HttpHandler handler);
  /// The first caller binds and serves until cancelled; for all others it returns at once.
  Task<> run();
  /// "127.0.0.1:41234" while it is bound.
  std::optional<std::string> bound() const;

 private:
  struct Door {
    std::uint64_t body_bytes = 0;
    HttpGate gate;
    HttpHandler handler;
  };
  std::optional<ServedAnswer> refuse(const ServedRequest& request) const;
  Task<ServedAnswer> handle(ServedRequest request);

  ListenAddress address_;
  const Log& log_;
  std::map<std::string, Door, std::less<>> doors_;
  std::unique_ptr<HttpServer> server_;
  bool started_ = false;
};

}  // namespace headrace
