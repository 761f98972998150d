#include "net/http_server.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "core/error.h"
#include "core/signal.h"
#include "net/answer_text.h"
#include "net/deadlines.h"
#include "net/wire.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kBuffer = 16 * 1024;
constexpr std::size_t kJoined = 16 * 1024;  // A body up to this size is copied behind its head.
constexpr std::size_t kReadWithoutUse = 256 * 1024;

/// What all connections of a server share.
struct Shared {
  Shared(const Executor& executor, HttpServerConfig c, HttpHandler h, const Log& l, Clock& time)
      : config(std::move(c)),
        handler(std::move(h)),
        log(l),
        clock(time),
        deadlines(executor, time,
                  std::clamp<Duration>(config.idle_timeout / 4, std::chrono::milliseconds(5),
                                       std::chrono::seconds(1))) {}

  /// The Date of now, made once a second.
  std::string_view date() {
    const auto second = std::chrono::floor<std::chrono::seconds>(clock.now());
    if (second != date_of) date_text = http_date(second);
    date_of = second;
    return date_text;
  }

  HttpServerConfig config;
  HttpHandler handler;
  const Log& log;
  Clock& clock;
  Deadlines deadlines;
  bool stopping = false;
  std::uint64_t memory = 0;  // Bodies held.
  std::chrono::sys_seconds date_of{std::chrono::seconds(-1)};
  std::string date_text;
};

/// Why a connection ends without, or after, a last answer.
struct Refused {
  ServedAnswer answer;
};
struct Ended {};

/// One connection: requests one after the other, each answered before the next is read.
class Session {
 public:
  Session(Shared& shared, tcp::socket socket)
      : shared_(shared), socket_(std::move(socket)), watch_(shared.deadlines, [this] { close(); }) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint peer = socket_.remote_endpoint(ignored);
    peer_ = fmt::format("{}:{}", peer.address().to_string(), peer.port());
  }
  ~Session() { release(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Task<> run() {
    std::optional<ServedAnswer> last;
    try {
      while (co_await serve_one()) {
      }
    } catch (const Ended&) {
    } catch (Refused& refused) {
      last = std::move(refused.answer);
    }
    if (last) co_await answer_and_hang_up(*std::move(last));
    close();
  }

  /// Ends the connection, unless a handler runs: then after its answer.
  void stop() {
    if (!handling_) close();
  }

 private:
  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  void release() {
    shared_.memory -= held_;
    held_ = 0;
  }

  Task<> read_more() {
    if (begin_ == end_) begin_ = end_ = 0;
    const std::size_t most = std::max(shared_.config.header_bytes, kBuffer);
    if (end_ == in_.size() && begin_ != 0) {
      in_.erase(0, begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == in_.size()) in_.resize(std::min(std::max(in_.size() * 2, kBuffer), most));
    error_code failed;
    end_ += co_await socket_.async_read_some(asio::buffer(in_.data() + end_, in_.size() - end_),
                                             asio::redirect_error(asio::use_awaitable, failed));
    if (failed) throw Ended();
  }

  std::string_view unread() const { return {in_.data() + begin_, end_ - begin_}; }

  Task<RequestHead> read_head() {
    watch_.start(shared_.config.idle_timeout);
    std::size_t size = 0;
    for (std::size_t seen = 0; (size = head_size(unread(), seen)) == 0;) {
      seen = unread().size();
      if (seen >= shared_.config.header_bytes) break;
      co_await read_more();
    }
    if (size == 0 || size > shared_.config.header_bytes) {
      throw Refused{refusal(
          431, "invalid",
          fmt::format("the request's head has more than {} bytes", shared_.config.header_bytes))};
    }
    auto head = parse_request_head(unread().substr(0, size));
    if (!head) throw Refused{refusal(400, "invalid", head.error())};
    begin_ += size;
    co_return *std::move(head);
  }

  /// Takes `bytes` from the memory of the server for this request's body.
  void hold(std::uint64_t bytes) {
    if (held_ + bytes > shared_.config.body_bytes) {
      throw Refused{refusal(413, "invalid",
                            fmt::format("a body may have {} bytes", shared_.config.body_bytes))};
    }
    if (shared_.memory + bytes > shared_.config.memory) {
      ServedAnswer busy = refusal(503, "transient", "too many requests at a time; try again");
      busy.headers.set("Retry-After", "1");
      throw Refused{std::move(busy)};
    }
    shared_.memory += bytes;
    held_ += bytes;
  }

  Task<Bytes> read_body(const RequestHead& head) {
    Bytes body;
    if (head.framing == Framing::kNone) co_return body;
    if (head.framing == Framing::kLength) hold(head.length);
    watch_.start(shared_.config.idle_timeout);
    if (head.expects_continue && unread().empty()) co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (head.framing == Framing::kChunked) co_return co_await read_chunks();
    body = unread().substr(0, head.length);
    begin_ += body.size();
    std::size_t size = body.size();
    body.resize(head.length);
    while (size != body.size()) {
      error_code failed;
      size += co_await socket_.async_read_some(asio::buffer(body.data() + size, body.size() - size),
                                               asio::redirect_error(asio::use_awaitable, failed));
      if (failed) throw Ended();
    }
    co_return body;
  }

  Task<Bytes> read_chunks() {
    Bytes body;
    ChunkReader chunks;
    while (chunks.state() == ChunkReader::State::kMore) {
      if (unread().empty()) co_await read_more();
      const std::size_t before = body.size();
      begin_ += chunks.feed(unread(), body);
      hold(body.size() - before);
    }
    if (chunks.state() == ChunkReader::State::kBroken) {
      throw Refused{refusal(400, "invalid", "the body's chunks are malformed")};
    }
    co_return body;
  }

  /// All but the body.
  ServedRequest request_of(RequestHead& head) const {
    ServedRequest request;
    const std::size_t mark = head.target.find('?');
    request.path = uri_decode(std::string_view(head.target).substr(0, mark));
    if (mark != std::string::npos) request.query = head.target.substr(mark + 1);
    request.method = std::move(head.method);
    request.headers = std::move(head.headers);
    request.peer = peer_;
    return request;
  }

  /// The gate's answer, if it refuses. Where more than what is here would have to be read for the
  /// next request, it is the connection's last.
  std::optional<ServedAnswer> refused(const RequestHead& head, const ServedRequest& request) {
    if (!shared_.config.gate) return std::nullopt;
    std::optional<ServedAnswer> answer = shared_.config.gate(request);
    if (!answer || head.framing == Framing::kNone) return answer;
    if (head.framing != Framing::kLength || head.length > unread().size()) {
      throw Refused{*std::move(answer)};
    }
    begin_ += head.length;
    return answer;
  }

  /// Returns whether another request may follow.
  Task<bool> serve_one() {
    RequestHead head = co_await read_head();
    const bool to_head = head.method == "HEAD";
    ServedRequest request = request_of(head);
    std::optional<ServedAnswer> answer = refused(head, request);
    if (!answer) request.body = co_await read_body(head);
    watch_.stop();
    handling_ = true;
    if (!answer) answer = co_await handle(std::move(request));
    release();
    const bool keep = head.keep_alive && !shared_.stopping;
    co_await send(*answer, keep, to_head);
    handling_ = false;
    co_return keep && !shared_.stopping;
  }

  Task<ServedAnswer> handle(ServedRequest request) {
    const std::string action = request.method + " " + request.path;
    try {
      co_return co_await shared_.handler(std::move(request));
    } catch (...) {
      const Error error = to_error(std::current_exception());
      if (error.kind() == ErrorKind::kBug) {
        shared_.log.error("a request met a bug", {{"request", action}, {"why", error.what()}});
      }
      co_return answer_of(error);
    }
  }

  /// The answer's head; that of a 500 in its place, if it has a field that cannot be sent.
  std::string head_of(ServedAnswer& answer, bool keep_alive) {
    try {
      return answer_head(answer, keep_alive, shared_.date());
    } catch (const Error& error) {
      shared_.log.error("an answer cannot be sent", {{"why", error.what()}});
      answer = answer_of(error);
      return answer_head(answer, keep_alive, shared_.date());
    }
  }

  Task<> send(ServedAnswer& answer, bool keep_alive, bool to_head) {
    std::string head = head_of(answer, keep_alive);
    const bool bodiless = to_head || answer.status == 204 || answer.status == 304;
    if (bodiless) {
      co_await write(head);
    } else if (answer.body.size() <= kJoined) {
      co_await write(head += answer.body);
    } else {
      co_await write(head, answer.body);
    }
  }

  Task<> write(std::string_view first, std::string_view second = {}) {
    while (!first.empty() || !second.empty()) {
      watch_.start(shared_.config.idle_timeout);
      const std::array<asio::const_buffer, 2> parts{asio::buffer(first.data(), first.size()),
                                                    asio::buffer(second.data(), second.size())};
      error_code failed;
      const std::size_t size = co_await socket_.async_write_some(
          parts, asio::redirect_error(asio::use_awaitable, failed));
      if (failed) throw Ended();
      const std::size_t of_first = std::min(size, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(size - of_first);
    }
    watch_.stop();
  }

  /// The last answer. What the other side still sends is read for a while, since closing with
  /// unread bytes resets the connection and may take the answer with it.
  Task<> answer_and_hang_up(ServedAnswer answer) {
    try {
      co_await send(answer, false, false);
      error_code ignored;
      socket_.shutdown(tcp::socket::shutdown_send, ignored);
      watch_.start(std::min<Duration>(shared_.config.idle_timeout, std::chrono::seconds(2)));
      for (std::size_t read = 0; read < kReadWithoutUse; read += unread().size()) {
        begin_ = end_;
        co_await read_more();
      }
    } catch (const Ended&) {
    }
  }

  Shared& shared_;
  tcp::socket socket_;
  std::string peer_;
  std::string in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t held_ = 0;
  bool handling_ = false;
  Deadlines::Watch watch_;
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Executor executor, HttpServerConfig config, HttpHandler handler, const Log& log,
       Clock& clock)
      : executor_(std::move(executor)),
        acceptor_(executor_),
        limit_(std::max<std::size_t>(config.connections, 1)),
        shared_(executor_, std::move(config), std::move(handler), log, clock) {
    const HttpServerConfig& settings = shared_.config;
    try {
      const tcp::endpoint at(asio::ip::make_address(settings.address), settings.port);
      acceptor_.open(at.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(at);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorKind::kInvalid, fmt::format("listening on {}:{}: {}", settings.address,
                                                   settings.port, error.code().message()));
    }
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  Task<> run() {
    try {
      while (true) {
        while (sessions_.size() >= limit_) co_await changed_.wait();
        co_await accept_one();
      }
    } catch (...) {
      const Error error = to_error(std::current_exception());
      if (error.kind() != ErrorKind::kCancelled) throw error;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    error_code ignored;
    acceptor_.close(ignored);
    shared_.stopping = true;
    for (Session* session : sessions_) session->stop();
    while (!sessions_.empty()) co_await changed_.wait();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  }

 private:
  Task<> accept_one() {
    error_code failed;
    tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
    if (failed) {
      // Out of files, most likely: connections must end before more can be had.
      shared_.log.warning("a connection cannot be accepted", {{"why", failed.message()}});
      co_await shared_.clock.sleep(std::chrono::milliseconds(100));
      co_return;
    }
    auto session = std::make_unique<Session>(shared_, std::move(socket));
    const auto place = sessions_.insert(sessions_.end(), session.get());
    asio::co_spawn(executor_, serve(std::move(session), place), asio::detached);
  }

  Task<> serve(std::unique_ptr<Session> session, std::list<Session*>::iterator place) {
    try {
      co_await session->run();
    } catch (...) {
      shared_.log.debug("a connection ended", {{"why", to_error(std::current_exception()).what()}});
    }
    sessions_.erase(place);
    session.reset();
    changed_.notify_all();
  }

  Executor executor_;
  tcp::acceptor acceptor_;
  const std::size_t limit_;
  Shared shared_;
  std::list<Session*> sessions_;
  Signal changed_;
};

HttpServer::HttpServer(Executor executor, HttpServerConfig config, HttpHandler handler,
                       const Log& log, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(config), std::move(handler), log,
                                   clock)) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const { return impl_->port(); }

Task<> HttpServer::run() { return impl_->run(); }

}  // namespace headrace
