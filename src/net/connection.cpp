#include "net/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/error.h"
#include "net/tls.h"
#include "net/wire.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Holds the head and body of a small answer, so that both come in one read.
constexpr std::size_t kBuffer = 16 * 1024;

}  // namespace

/// A name being looked up. The system's resolver cannot be interrupted, so it is left behind when
/// its caller is cancelled or out of time.
struct Connection::Lookup {
  explicit Lookup(const Executor& executor)
      : resolver(executor), done(executor, asio::steady_timer::time_point::max()) {}
  tcp::resolver resolver;
  asio::steady_timer done;  // Cancelled when the answer is there.
  bool answered = false;
  error_code failed;
  tcp::resolver::results_type addresses;
};

Error network_error(const error_code& failed) {
  if (failed == asio::error::operation_aborted) {
    return Error(ErrorKind::kCancelled, "request cancelled");
  }
  if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) {
    return Error(ErrorKind::kTransient, "the other side closed the connection");
  }
  return Error(ErrorKind::kTransient, failed.message());
}

Connection::Connection(const Executor& executor, Deadlines& deadlines,
                       const ConnectionLimits& limits)
    : limits_(limits), socket_(executor), watch_(deadlines, [this] { expire(); }) {}

void Connection::expire() {
  if (on_rest_expired_) {
    const auto expired = std::move(on_rest_expired_);
    expired();  // Destroys this connection.
    return;
  }
  close();
  if (lookup_) lookup_->done.cancel();
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Connection::rest(Duration keep_alive, std::function<void()> expire) {
  on_rest_expired_ = std::move(expire);
  watch_.start(keep_alive);
}

void Connection::wake() {
  on_rest_expired_ = nullptr;
  watch_.stop();
}

error_code Connection::mended(error_code failed) const {
  // A deadline closes the socket, and what was under way is then said to be cancelled.
  return failed && watch_.expired() ? error_code(asio::error::timed_out) : failed;
}

void Connection::check(const error_code& failed) const {
  if (failed) throw network_error(mended(failed));
}

Task<> Connection::open(Destination destination) {
  watch_.start(limits_.connect_timeout);
  const Proxy* proxy = destination.proxy;
  try {
    co_await connect(proxy ? proxy->host : destination.host,
                     proxy ? proxy->port : destination.port);
    if (proxy && destination.tls) co_await tunnel(destination);
    if (destination.tls) co_await handshake(destination);
  } catch (const Error& error) {
    if (!watch_.expired()) throw;
    throw Error(ErrorKind::kTransient,
                fmt::format("no connection within {}", format_duration(limits_.connect_timeout)));
  }
  watch_.stop();
}

Task<> Connection::connect(const std::string& host, std::uint16_t port) {
  error_code failed;
  const auto address = asio::ip::make_address(host, failed);
  if (!failed) {
    co_await socket_.async_connect({address, port},
                                   asio::redirect_error(asio::use_awaitable, failed));
  } else {
    lookup_ = std::make_shared<Lookup>(socket_.get_executor());
    lookup_->resolver.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [lookup = lookup_](error_code error, tcp::resolver::results_type addresses) {
          lookup->answered = true;
          lookup->failed = error;
          lookup->addresses = std::move(addresses);
          lookup->done.cancel();
        });
    co_await lookup_->done.async_wait(asio::redirect_error(asio::use_awaitable, failed));
    const auto lookup = std::move(lookup_);
    if (!lookup->answered) throw network_error(mended(failed));
    if (lookup->failed) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("looking up '{}': {}", host, lookup->failed.message()));
    }
    co_await asio::async_connect(socket_, lookup->addresses,
                                 asio::redirect_error(asio::use_awaitable, failed));
  }
  check(failed);
  socket_.set_option(tcp::no_delay(true), failed);
}

Task<> Connection::tunnel(const Destination& destination) {
  const bool address = destination.host.find(':') != std::string::npos;
  const std::string host = address ? "[" + destination.host + "]" : destination.host;
  const std::string target = fmt::format("{}:{}", host, destination.port);
  std::string head = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  const std::string& authorization = destination.proxy->authorization;
  if (!authorization.empty()) head += "Proxy-Authorization: " + authorization + "\r\n";
  head += "\r\n";
  for (std::size_t sent = 0; sent < head.size();) {
    error_code failed;
    sent += co_await socket_.async_write_some(asio::buffer(head) + sent,
                                              asio::redirect_error(asio::use_awaitable, failed));
    check(failed);
  }
  std::size_t size = 0;
  while ((size = head_size(unread())) == 0) {
    const Moved moved = co_await raw_fill();
    check(moved.failed);
  }
  const auto answer = parse_answer_head(unread().substr(0, size), true);
  consume(size);
  const int status = answer ? answer->status : 0;
  if (status / 100 == 2 && unread().empty()) co_return;
  const std::string proxy =
      fmt::format("proxy {}:{}", destination.proxy->host, destination.proxy->port);
  if (status == 407) {
    throw Error(ErrorKind::kInvalid, proxy +
                                         ": asks for a user and password (407); put them into "
                                         "its address, http://user:password@host:port");
  }
  throw Error(ErrorKind::kTransient,
              fmt::format("{}: no tunnel to {} (status {})", proxy, target, status));
}

Task<> Connection::handshake(const Destination& destination) {
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *destination.tls);
  expect_host(tls_->native_handle(), destination.host, destination.verify);
  error_code failed;
  co_await tls_->async_handshake(asio::ssl::stream_base::client,
                                 asio::redirect_error(asio::use_awaitable, failed));
  if (!failed) co_return;
  if (failed == asio::error::operation_aborted) throw network_error(mended(failed));
  throw handshake_error(tls_->native_handle(), destination.host, failed);
}

Task<Moved> Connection::raw_fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ != 0 && end_ == in_.size()) {
    in_.erase(0, begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == in_.size()) {
    const std::size_t most = std::max(limits_.header_bytes, kBuffer);
    in_.resize(std::min(std::max(in_.size() * 2, kBuffer), most));
    if (end_ == in_.size()) co_return Moved{asio::error::no_buffer_space, 0};
  }
  Moved moved;
  auto token = asio::redirect_error(asio::use_awaitable, moved.failed);
  const auto space = asio::buffer(in_.data() + end_, in_.size() - end_);
  moved.bytes = tls_ ? co_await tls_->async_read_some(space, token)
                     : co_await socket_.async_read_some(space, token);
  end_ += moved.bytes;
  co_return moved;
}

Task<Moved> Connection::fill() {
  if (!uploading_) watch_.start(limits_.idle_timeout);
  Moved moved = co_await raw_fill();
  if (!uploading_) watch_.stop();
  moved.failed = mended(moved.failed);
  co_return moved;
}

Task<Moved> Connection::read(char* into, std::size_t size) {
  watch_.start(limits_.idle_timeout);
  Moved moved;
  auto token = asio::redirect_error(asio::use_awaitable, moved.failed);
  const auto space = asio::buffer(into, size);
  moved.bytes = tls_ ? co_await tls_->async_read_some(space, token)
                     : co_await socket_.async_read_some(space, token);
  watch_.stop();
  moved.failed = mended(moved.failed);
  co_return moved;
}

Task<Moved> Connection::write(std::string_view first, std::string_view second) {
  Moved moved;
  auto token = asio::redirect_error(asio::use_awaitable, moved.failed);
  while (!moved.failed && !(first.empty() && second.empty())) {
    watch_.start(limits_.idle_timeout);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(first.data(), first.size()),
                                                  asio::buffer(second.data(), second.size())};
    const std::size_t size = tls_ ? co_await tls_->async_write_some(parts, token)
                                  : co_await socket_.async_write_some(parts, token);
    const std::size_t of_first = std::min(size, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(size - of_first);
    moved.bytes += size;
  }
  watch_.stop();
  moved.failed = mended(moved.failed);
  co_return moved;
}

void Connection::set_uploading(bool uploading) {
  uploading_ = uploading;
  // From here on the answer is waited for, and no write keeps the deadline.
  if (!uploading) watch_.start(limits_.idle_timeout);
}

bool Connection::is_disturbed() {
  char byte = 0;
  const ssize_t got =
      ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace headrace
