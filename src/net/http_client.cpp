#include "net/http_client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/error.h"
#include "net/exchange.h"
#include "net/pool.h"
#include "net/proxy.h"
#include "net/tls.h"

namespace headrace {
namespace {

namespace asio = boost::asio;

/// The largest piece of a body that is handed out.
constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kSmallestRoom = 16 * 1024;  // A record of TLS.

/// What an exchange is called in messages: without the query, which may hold signatures.
struct Action {
  std::string method;
  Url url;
  std::string text() const { return method + " " + url.text(); }
};

/// A body that came together with its head.
class WholeBody final : public ByteSource {
 public:
  explicit WholeBody(Bytes bytes) : bytes_(std::move(bytes)) {}
  Task<Bytes> read() override { co_return std::exchange(bytes_, {}); }

 private:
  Bytes bytes_;
};

/// A body that is still on its way.
class ComingBody final : public ByteSource {
 public:
  ComingBody(Lease lease, const AnswerHead& head, bool keep, Action action)
      : executor_(lease->executor()),
        lease_(std::move(lease)),
        framing_(head.framing),
        left_(head.length),
        length_(head.length),
        keep_(keep),
        action_(std::move(action)) {}

  Task<Bytes> read() override {
    if (!lease_) co_return Bytes();
    if (co_await asio::this_coro::executor == executor_) co_return co_await read_here();
    co_return co_await asio::co_spawn(executor_, read_here(), asio::use_awaitable);
  }

 private:
  Task<Bytes> read_here() {
    try {
      switch (framing_) {
        case Framing::kLength:
          co_return co_await read_length();
        case Framing::kChunked:
          co_return co_await read_chunks();
        default:
          co_return co_await read_to_end();
      }
    } catch (...) {
      lease_.reset();
      throw to_error(std::current_exception()).during(action_.text());
    }
  }

  Task<Bytes> read_length() {
    Connection& connection = **lease_;
    Bytes piece(connection.unread().substr(0, std::min<std::uint64_t>(left_, kPiece)));
    if (!piece.empty()) {
      connection.consume(piece.size());
    } else {
      // Not cleared first: the read overwrites it, and what it leaves is cut off.
      piece.resize_and_overwrite(std::min<std::uint64_t>(left_, room_),
                                 [](char*, std::size_t size) { return size; });
      const Moved moved = co_await connection.read(piece.data(), piece.size());
      if (moved.failed) throw cut_short(moved.failed);
      piece.resize(moved.bytes);
      room_ = std::clamp(moved.bytes * 2, kSmallestRoom, kPiece);
    }
    left_ -= piece.size();
    if (left_ == 0) finish();
    co_return piece;
  }

  Task<Bytes> read_chunks() {
    Connection& connection = **lease_;
    Bytes piece;
    while (piece.empty()) {
      connection.consume(chunks_.feed(connection.unread(), piece));
      if (chunks_.state() == ChunkReader::State::kBroken) {
        throw Error(ErrorKind::kTransient, "the body's chunks are malformed");
      }
      if (chunks_.state() == ChunkReader::State::kDone) {
        finish();
        break;
      }
      if (!piece.empty()) break;
      const Moved moved = co_await connection.fill();
      if (moved.failed) throw cut_short(moved.failed);
    }
    co_return piece;
  }

  Task<Bytes> read_to_end() {
    Connection& connection = **lease_;
    if (connection.unread().empty()) {
      const Moved moved = co_await connection.fill();
      if (moved.failed == asio::error::eof) {
        finish();
        co_return Bytes();
      }
      if (moved.failed) throw cut_short(moved.failed);
    }
    Bytes piece(connection.unread());
    connection.consume(piece.size());
    co_return piece;
  }

  Error cut_short(const boost::system::error_code& failed) const {
    const Error error = network_error(failed);
    if (error.kind() == ErrorKind::kCancelled || framing_ != Framing::kLength) return error;
    return error.during(fmt::format("body ended after {} of {} bytes", length_ - left_, length_));
  }

  void finish() {
    // What follows the answer answers nothing: such a connection is not used again.
    if (keep_ && (*lease_)->unread().empty()) lease_->keep();
    lease_.reset();
  }

  Executor executor_;
  std::optional<Lease> lease_;
  Framing framing_;
  std::uint64_t left_;
  std::uint64_t length_;
  std::size_t room_ = 4 * kSmallestRoom;  // For the next read: twice what the last one gave.
  bool keep_;
  Action action_;
  ChunkReader chunks_;
};

/// Whether a failure is what a connection looks like that the server closed while it was unused.
bool is_stale(const Exchanged& result) {
  return !result.head && !result.any_answer && result.failed &&
         result.failed != asio::error::timed_out && result.failed != asio::error::operation_aborted;
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(Executor executor, Clock& clock, HttpClientConfig config)
      : executor_(std::move(executor)),
        config_(std::move(config)),
        proxies_(config_.proxy),
        pool_(std::make_shared<Pool>(executor_, clock, config_)) {}

  ~Impl() {
    asio::dispatch(executor_, [pool = std::move(pool_)] { pool->shut(); });
  }

  Task<HttpResponse> send(HttpRequest request) {
    if (co_await asio::this_coro::executor == executor_) {
      co_return co_await send_here(std::move(request));
    }
    co_return co_await asio::co_spawn(executor_, send_here(std::move(request)),
                                      asio::use_awaitable);
  }

 private:
  Task<HttpResponse> send_here(HttpRequest request) {
    try {
      const Proxy* proxy = proxies_.find(request.url);
      const bool absolute = proxy && !request.url.secure();
      const Outgoing outgoing = compose(
          request, absolute, absolute ? proxy->authorization : std::string(), config_.header_bytes);
      Lease lease = co_await pool_->lease(request.url);
      Exchanged result = co_await exchange_over(lease, outgoing, request, proxy);
      if (result.head) co_return respond(std::move(lease), std::move(result), request);
      if (!result.problem.empty()) throw Error(ErrorKind::kTransient, result.problem);
      throw failure(result);
    } catch (...) {
      const Error error = to_error(std::current_exception());
      throw error.during(request.method + " " + request.url.text());
    }
  }

  Task<Exchanged> exchange_over(Lease& lease, const Outgoing& outgoing, const HttpRequest& request,
                                const Proxy* proxy) {
    if (lease.is_reused()) {
      // A stream can be sent only once, so for it the connection is looked at beforehand.
      if (!request.body.stream || !lease->is_disturbed()) {
        Exchanged result = co_await exchange(*lease, outgoing);
        if (request.body.stream || !is_stale(result)) co_return result;
      }
      lease.renew();
    }
    co_await lease->open(
        {request.url.host, request.url.port, tls_for(request.url), config_.verify, proxy});
    co_return co_await exchange(*lease, outgoing);
  }

  asio::ssl::context* tls_for(const Url& url) {
    if (!url.secure()) return nullptr;
    if (!tls_) tls_.emplace(make_tls_context(config_.ca_file, config_.verify));
    return &*tls_;
  }

  HttpResponse respond(Lease lease, Exchanged result, HttpRequest& request) const {
    AnswerHead& head = *result.head;
    HttpResponse response;
    response.status = head.status;
    response.headers = std::move(head.headers);
    const bool keep = head.keep_alive && result.sent_all;
    const std::string_view unread = lease->unread();
    const bool whole = head.framing == Framing::kNone ||
                       (head.framing == Framing::kLength && unread.size() >= head.length);
    if (!whole) {
      Action action{std::move(request.method), std::move(request.url)};
      response.body = std::make_unique<ComingBody>(std::move(lease), head, keep, std::move(action));
      return response;
    }
    const std::uint64_t length = head.framing == Framing::kNone ? 0 : head.length;
    response.body = std::make_unique<WholeBody>(Bytes(unread.substr(0, length)));
    if (keep && unread.size() == length) {
      lease->consume(length);
      lease.keep();
    }
    return response;
  }

  Error failure(const Exchanged& result) const {
    if (result.failed == asio::error::timed_out) {
      return Error(ErrorKind::kTransient, fmt::format("nothing came or went for {}",
                                                      format_duration(config_.idle_timeout)));
    }
    return network_error(result.failed);
  }

  Executor executor_;
  HttpClientConfig config_;
  ProxyRules proxies_;
  std::optional<asio::ssl::context> tls_;
  std::shared_ptr<Pool> pool_;
};

HttpClient::HttpClient(Executor executor, Clock& clock, HttpClientConfig config)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, std::move(config))) {}
HttpClient::~HttpClient() = default;

Task<HttpResponse> HttpClient::send(HttpRequest request) { return impl_->send(std::move(request)); }

Task<HttpAnswer> fetch(HttpClient& client, HttpRequest request, std::uint64_t limit) {
  const std::string action = request.method + " " + request.url.text();
  HttpResponse response = co_await client.send(std::move(request));
  HttpAnswer answer{response.status, std::move(response.headers), {}};
  for (Bytes piece = co_await response.body->read(); !piece.empty();
       piece = co_await response.body->read()) {
    if (answer.body.size() + piece.size() > limit) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("{}: the answer has more than {} bytes", action, limit));
    }
    if (answer.body.empty()) {
      answer.body = std::move(piece);
    } else {
      answer.body += piece;
    }
  }
  co_return answer;
}

}  // namespace headrace
