#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.h"
#include "net/http.h"
#include "testing/certificates.h"

namespace headrace {

/// One accepted connection, driven by the test. All calls throw Error if the client misbehaves.
class PeerConnection {
 public:
  explicit PeerConnection(boost::asio::ip::tcp::socket socket)
      : socket_(std::make_unique<boost::asio::ip::tcp::socket>(std::move(socket))) {}

  /// A whole request, head and body as they came; the body by its Content-Length. Empty if the
  /// client closed the connection before it sent anything.
  Task<std::string> read_request();
  /// Only the head; what was sent after it stays unread.
  Task<std::string> read_head();
  /// Sends `bytes` in pieces of `piece`, one write each.
  Task<> send(std::string bytes, std::size_t piece = 1 << 20);
  /// Waits until the client closes, and forgets what it sends until then.
  Task<> until_closed();
  /// Speaks TLS from here on, as a server with this certificate. False if the client refused it.
  Task<bool> start_tls(Certificate certificate);

  /// Ends the connection in good order.
  void close();
  /// Ends it with a reset: what the client has not read yet may be lost to it.
  void reset();

 private:
  Task<std::size_t> read_some();
  Task<bool> read_until(std::size_t size);

  std::unique_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ip::tcp::socket> socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string unread_;
};

/// The other end of an HTTP client under test, on a free port of the loopback address. Either the
/// test drives each connection itself (accept), or it gives the answers beforehand (answer_all).
///
///   HttpPeer peer(co_await this_coro::executor);
///   co_await (client_part(peer.url("/key")) && peer.answer_all({answer_text(200, "hello")}));
///   EXPECT_THAT(peer.requests().at(0), HasSubstr("GET /key HTTP/1.1"));
class HttpPeer {
 public:
  explicit HttpPeer(const Executor& executor);

  std::uint16_t port() const;
  /// "http://127.0.0.1:PORT" and `target`.
  std::string url(std::string_view target = "/") const;

  /// The next connection.
  Task<PeerConnection> accept();
  /// Reads a request and sends the next answer, one after the other, until all were sent. A new
  /// connection is accepted when the client or the answer ("Connection: close") closed the last.
  Task<> answer_all(std::vector<std::string> answers);
  /// What answer_all() has read so far.
  const std::vector<std::string>& requests() const { return requests_; }
  /// How many connections were accepted.
  std::size_t connections() const { return connections_; }

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<std::string> requests_;
  std::size_t connections_ = 0;
};

/// A whole answer on the wire, with Content-Length.
std::string answer_text(int status, std::string_view body = {}, const Headers& headers = {});

}  // namespace headrace
