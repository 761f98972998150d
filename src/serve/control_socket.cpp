#include "serve/control_socket.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>

#include "core/error.h"
#include "core/signal.h"
#include "net/http.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Local = asio::local::stream_protocol;
using Stream = boost::beast::basic_stream<Local>;

constexpr std::size_t kHeaderBytes = 16 * 1024;
constexpr std::uint64_t kRequestBytes = 16u << 20;
constexpr std::uint64_t kAnswerBytes = 1u << 30;
constexpr std::size_t kConnections = 64;
constexpr auto kIdle = std::chrono::seconds(30);

ApiRequest read_target(std::string_view target) {
  ApiRequest request;
  const std::size_t mark = target.find('?');
  request.path = uri_decode(target.substr(0, mark));
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    request.query[uri_decode(pair.substr(0, equals))] =
        equals == std::string_view::npos ? "" : uri_decode(pair.substr(equals + 1));
  }
  return request;
}

std::string write_target(const ApiRequest& request) {
  std::string target = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += fmt::format("{}{}={}", separator, uri_encode(name), uri_encode(value));
    separator = '&';
  }
  return target;
}

}  // namespace

class ControlSocket::Impl {
 public:
  Impl(Executor executor, std::filesystem::path path, Api& api, const Log& log)
      : path_(std::move(path)), acceptor_(executor), api_(api), log_(log) {
    try {
      std::error_code ignored;
      std::filesystem::remove(path_, ignored);
      acceptor_.open();
      acceptor_.bind(Local::endpoint(path_.string()));
      ::chmod(path_.c_str(), S_IRUSR | S_IWUSR);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("control socket {}: {}", path_.string(), error.code().message()));
    }
  }

  ~Impl() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  Task<> run() {
    std::exception_ptr ended;
    try {
      co_await accept();
    } catch (...) {
      ended = std::current_exception();
    }
    // Nobody is served after this: who talks to us refers to the API, which ends with the engine.
    co_await asio::this_coro::reset_cancellation_state();
    for (Connection* connection : connections_->open) connection->stream.socket().close();
    while (!connections_->open.empty()) co_await connections_->changed.wait();
    std::rethrow_exception(ended);
  }

 private:
  /// Outlives the socket for as long as a connection is left on the loop.
  struct Connection;
  struct Connections {
    std::list<Connection*> open;
    Signal changed;
  };
  struct Connection {
    Connection(std::shared_ptr<Connections> those, Local::socket socket)
        : stream(std::move(socket)),
          all(std::move(those)),
          at(all->open.insert(all->open.end(), this)) {}
    ~Connection() {
      all->open.erase(at);
      all->changed.notify_all();
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Stream stream;
    std::shared_ptr<Connections> all;
    std::list<Connection*>::iterator at;
  };

  Task<> accept() {
    while (true) {
      Local::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      // Beyond the limit it is closed unanswered: the caller tries again.
      if (connections_->open.size() >= kConnections) continue;
      auto connection = std::make_unique<Connection>(connections_, std::move(socket));
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(connection)), asio::detached);
    }
  }

  Task<> serve(std::unique_ptr<Connection> connection) {
    Stream& stream = connection->stream;
    try {
      boost::beast::flat_buffer buffer(kHeaderBytes + kRequestBytes);
      http::request_parser<http::string_body> parser;
      parser.header_limit(kHeaderBytes);
      parser.body_limit(kRequestBytes);
      stream.expires_after(kIdle);
      co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
      const auto& request = parser.get();
      ApiRequest call = read_target({request.target().data(), request.target().size()});
      call.method = std::string(request.method_string());
      call.body = request.body();
      stream.expires_never();
      const ApiResponse answer = co_await api_.handle(std::move(call));

      http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
      response.set(http::field::content_type, "application/json");
      response.keep_alive(false);
      response.body() = answer.body;
      response.prepare_payload();
      stream.expires_after(kIdle);
      co_await http::async_write(stream, response, asio::use_awaitable);
    } catch (...) {
      log_.debug("control connection ended", {{"why", to_error(std::current_exception()).what()}});
    }
  }

  std::filesystem::path path_;
  Local::acceptor acceptor_;
  Api& api_;
  const Log& log_;
  std::shared_ptr<Connections> connections_ = std::make_shared<Connections>();
};

ControlSocket::ControlSocket(Executor executor, std::filesystem::path path, Api& api,
                             const Log& log)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(path), api, log)) {}
ControlSocket::~ControlSocket() = default;

Task<> ControlSocket::run() { return impl_->run(); }

std::optional<ApiResponse> ask_engine(const std::filesystem::path& path,
                                      const ApiRequest& request) {
  asio::io_context loop;
  Local::socket socket(loop);
  boost::system::error_code failed;
  socket.connect(Local::endpoint(path.string()), failed);
  if (failed) return std::nullopt;
  try {
    http::request<http::string_body> call(http::string_to_verb(request.method),
                                          write_target(request), 11);
    call.set(http::field::host, "headrace");
    call.body() = request.body;
    call.prepare_payload();
    http::write(socket, call);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytes);
    http::read(socket, buffer, parser);
    return ApiResponse{static_cast<int>(parser.get().result_int()), parser.get().body()};
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorKind::kTransient,
                "the engine did not answer on " + path.string() + ": " + error.code().message());
  }
}

}  // namespace headrace
