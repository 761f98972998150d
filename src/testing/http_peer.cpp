#include "testing/http_peer.h"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "core/error.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kLargestRequest = 256u << 20;

std::uint64_t content_length(std::string_view head) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::size_t at = lower.find("\r\ncontent-length:");
  if (at == std::string::npos) return 0;
  const std::size_t digits = lower.find_first_not_of(' ', at + 17);
  std::uint64_t value = 0;
  std::from_chars(lower.data() + digits, lower.data() + lower.size(), value);
  return value;
}

}  // namespace

Task<std::size_t> PeerConnection::read_some() {
  char piece[16 * 1024];
  boost::system::error_code ended;
  auto token = asio::redirect_error(asio::use_awaitable, ended);
  const std::size_t size = tls_ ? co_await tls_->async_read_some(asio::buffer(piece), token)
                                : co_await socket_->async_read_some(asio::buffer(piece), token);
  unread_.append(piece, size);
  if (unread_.size() > kLargestRequest) {
    throw Error(ErrorKind::kBug, "the client sends more than the peer of a test holds");
  }
  co_return size;
}

Task<bool> PeerConnection::read_until(std::size_t size) {
  while (unread_.size() < size) {
    if (co_await read_some() == 0) co_return false;
  }
  co_return true;
}

Task<std::string> PeerConnection::read_head() {
  std::size_t end = std::string::npos;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (co_await read_some() != 0) continue;
    if (unread_.empty()) co_return "";
    throw Error(ErrorKind::kTransient, "the client closed within a head: " + unread_);
  }
  std::string head = unread_.substr(0, end + 4);
  unread_.erase(0, end + 4);
  co_return head;
}

Task<std::string> PeerConnection::read_request() {
  std::string request = co_await read_head();
  const std::uint64_t length = content_length(request);
  if (!co_await read_until(length)) {
    throw Error(ErrorKind::kTransient, "the client closed within the body of: " + request);
  }
  request += unread_.substr(0, length);
  unread_.erase(0, length);
  co_return request;
}

Task<> PeerConnection::send(std::string bytes, std::size_t piece) {
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const auto part = asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at));
      if (tls_) {
        co_await asio::async_write(*tls_, part, asio::use_awaitable);
      } else {
        co_await asio::async_write(*socket_, part, asio::use_awaitable);
      }
    }
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorKind::kTransient, "the peer cannot send: " + error.code().message());
  }
}

Task<> PeerConnection::until_closed() {
  while (co_await read_some() != 0) unread_.clear();
}

Task<bool> PeerConnection::start_tls(Certificate certificate) {
  context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  context_->use_certificate_chain(asio::buffer(certificate.certificate));
  context_->use_private_key(asio::buffer(certificate.key), asio::ssl::context::pem);
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(*socket_, *context_);
  boost::system::error_code refused;
  co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                 asio::redirect_error(asio::use_awaitable, refused));
  co_return !refused;
}

void PeerConnection::close() {
  boost::system::error_code ignored;
  socket_->shutdown(tcp::socket::shutdown_both, ignored);
  socket_->close(ignored);
}

void PeerConnection::reset() {
  boost::system::error_code ignored;
  socket_->set_option(asio::socket_base::linger(true, 0), ignored);
  socket_->close(ignored);
}

HttpPeer::HttpPeer(const Executor& executor)
    : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

std::uint16_t HttpPeer::port() const { return acceptor_.local_endpoint().port(); }

std::string HttpPeer::url(std::string_view target) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), target);
}

Task<PeerConnection> HttpPeer::accept() {
  tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  ++connections_;
  co_return PeerConnection(std::move(socket));
}

Task<> HttpPeer::answer_all(std::vector<std::string> answers) {
  std::optional<PeerConnection> connection;
  for (std::string& answer : answers) {
    std::string request;
    while (request.empty()) {
      if (!connection) connection.emplace(co_await accept());
      request = co_await connection->read_request();
      if (request.empty()) connection.reset();
    }
    requests_.push_back(std::move(request));
    const bool close = answer.find("\r\nConnection: close\r\n") != std::string::npos;
    co_await connection->send(std::move(answer));
    if (close) connection.reset();
  }
}

std::string answer_text(int status, std::string_view body, const Headers& headers) {
  std::string text =
      fmt::format("HTTP/1.1 {} Status\r\nContent-Length: {}\r\n", status, body.size());
  for (const Headers::Field& field : headers) {
    text += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  return text.append("\r\n").append(body);
}

}  // namespace headrace
