#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/task.h"
#include "net/deadlines.h"
#include "net/proxy.h"

namespace headrace {

/// Where a connection goes.
struct Destination {
  std::string host;
  std::uint16_t port = 0;
  boost::asio::ssl::context* tls = nullptr;  ///< Speak TLS, with this.
  bool verify = true;
  const Proxy* proxy = nullptr;  ///< Through this one; TLS in a tunnel.
};

struct ConnectionLimits {
  Duration connect_timeout;
  Duration idle_timeout;
  std::size_t header_bytes;
};

/// What a read or write did; `failed` is timed_out if a deadline passed.
struct Moved {
  boost::system::error_code failed;
  std::size_t bytes = 0;
};

/// A TCP connection, perhaps with TLS on it, and what was read from it ahead of need.
///
/// Errors   open() throws Error; the rest gives error codes, since what one means depends on how
/// far
///          the exchange has come.
/// Threads  One executor. One read and one write may be under way at a time.
class Connection {
 public:
  Connection(const Executor& executor, Deadlines& deadlines, const ConnectionLimits& limits);

  Executor executor() { return socket_.get_executor(); }

  /// Looks the name up, connects, passes the proxy, and agrees on TLS.
  Task<> open(Destination destination);

  /// What was read and not consumed.
  std::string_view unread() const { return {in_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  /// Reads more behind what is unread; nothing more is read beyond header_bytes.
  Task<Moved> fill();
  /// Reads up to `size` bytes to `into`, past the buffer, which must be empty.
  Task<Moved> read(char* into, std::size_t size);
  /// Writes all of both.
  Task<Moved> write(std::string_view first, std::string_view second = {});

  /// While an upload is under way, waiting for the answer has no deadline of its own.
  void set_uploading(bool uploading);
  /// Whether the other side has sent or closed anything since the last answer: not fit for reuse.
  bool is_disturbed();
  void close();

  /// Starts the deadline of an unused connection; `expire` is called when it has passed.
  void rest(Duration keep_alive, std::function<void()> expire);
  /// Ends that deadline.
  void wake();

 private:
  struct Lookup;
  Task<> connect(const std::string& host, std::uint16_t port);
  Task<> tunnel(const Destination& destination);
  Task<> handshake(const Destination& destination);
  Task<Moved> raw_fill();
  void expire();
  boost::system::error_code mended(boost::system::error_code failed) const;
  void check(const boost::system::error_code& failed) const;

  ConnectionLimits limits_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::shared_ptr<Lookup> lookup_;
  std::string in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool uploading_ = false;
  std::function<void()> on_rest_expired_;
  Deadlines::Watch watch_;
};

/// An error code as an Error: kCancelled, or kTransient with what happened in words.
Error network_error(const boost::system::error_code& failed);

}  // namespace headrace
