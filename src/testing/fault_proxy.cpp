#include "testing/fault_proxy.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>

#include "core/random.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

enum class Fate : unsigned char {
  kNone,
  kResetBefore,
  kFailure,
  kThrottling,
  kLostAnswer,
  kCutBody,
  kSlowBytes,
  kBrokenXml,
  kSilence,
  kStall,
};
constexpr std::uint64_t kFates = 10;
constexpr std::size_t kSlowPieces = 20;

struct Message {
  std::string head;  // With the empty line.
  std::string body;
  std::string text() const { return head + body; }
};

std::size_t content_length(std::string_view head) {
  std::string lower(head);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t at = lower.find("\r\ncontent-length:");
  if (at == std::string::npos) return 0;
  std::string_view digits = std::string_view(lower).substr(at + 17);
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  std::size_t length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return length;
}

/// The next request of a connection; an empty head if it was closed.
Task<Message> read_request(tcp::socket& client, std::string& unread) {
  Message message;
  boost::system::error_code ended;
  const std::size_t size = co_await asio::async_read_until(
      client, asio::dynamic_buffer(unread), "\r\n\r\n", asio::redirect_error(use_awaitable, ended));
  if (ended) co_return message;
  message.head = unread.substr(0, size);
  unread.erase(0, size);
  const std::size_t length = content_length(message.head);
  if (unread.size() < length) {
    co_await asio::async_read(client, asio::dynamic_buffer(unread),
                              asio::transfer_exactly(length - unread.size()), use_awaitable);
  }
  message.body = unread.substr(0, length);
  unread.erase(0, length);
  co_return message;
}

/// Lets the server answer a request on a connection of its own.
Task<Message> forward(const tcp::endpoint& server, Message request) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(server, use_awaitable);
  std::size_t line = request.head.find("\r\nConnection:");
  if (line != std::string::npos) {
    request.head.erase(line, request.head.find("\r\n", line + 2) - line);
  }
  request.head.insert(request.head.size() - 2, "Connection: close\r\n");
  // At the same time: a server may refuse a long body before it has come, and then close.
  using namespace asio::experimental::awaitable_operators;
  const std::string text = request.text();
  std::string bytes;
  const auto write = [&]() -> Task<> {
    boost::system::error_code refused;
    co_await asio::async_write(socket, asio::buffer(text),
                               asio::redirect_error(use_awaitable, refused));
  };
  const auto read = [&]() -> Task<> {
    boost::system::error_code ended;
    co_await asio::async_read(socket, asio::dynamic_buffer(bytes),
                              asio::redirect_error(use_awaitable, ended));
  };
  co_await (write() && read());
  const std::size_t split = bytes.find("\r\n\r\n");
  if (split == std::string::npos) co_return Message{};
  co_return Message{bytes.substr(0, split + 4), bytes.substr(split + 4)};
}

std::string own_answer(int status, std::string_view code) {
  const std::string body = fmt::format("<Error><Code>{}</Code></Error>", code);
  return fmt::format("HTTP/1.1 {} Injected\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                     status, body.size(), body);
}

void reset(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

/// Says no more, and keeps the connection open until the client has had enough.
Task<> fall_silent(tcp::socket& client) {
  std::array<char, 256> unheard;
  boost::system::error_code gone;
  while (!gone) {
    co_await client.async_read_some(asio::buffer(unheard),
                                    asio::redirect_error(use_awaitable, gone));
  }
}

}  // namespace

struct FaultProxy::State {
  State(const Executor& executor, const Url& url, std::uint64_t seed, double spoiled)
      : acceptor(executor, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        server(asio::ip::make_address(url.host == "localhost" ? "127.0.0.1" : url.host), url.port),
        random(seed),
        share(spoiled) {}

  Fate decide() {
    if (random.unit() >= share) return Fate::kNone;
    ++faults;
    return static_cast<Fate>(1 + random.below(kFates - 1));
  }

  tcp::acceptor acceptor;
  const tcp::endpoint server;
  SeededRandom random;
  const double share;
  std::atomic<std::uint64_t> faults{0};

  /// Plays one exchange; false if the connection is over.
  Task<bool> exchange(tcp::socket& client, Message request) {
    const Fate fate = decide();
    if (fate == Fate::kResetBefore) {
      reset(client);
      co_return false;
    }
    if (fate == Fate::kFailure || fate == Fate::kThrottling) {
      const std::string answer =
          fate == Fate::kFailure ? own_answer(500, "InternalError") : own_answer(503, "SlowDown");
      co_await asio::async_write(client, asio::buffer(answer), use_awaitable);
      co_return false;
    }
    if (fate == Fate::kSilence) {
      co_await fall_silent(client);
      co_return false;
    }
    Message answer = co_await forward(server, std::move(request));
    if (answer.head.empty() || fate == Fate::kLostAnswer) {
      reset(client);
      co_return false;
    }
    co_await pass_on(client, std::move(answer), fate);
    co_return false;  // The server closed its side.
  }

  static Task<> pass_on(tcp::socket& client, Message answer, Fate fate) {
    const bool xml = answer.body.starts_with('<');
    if (fate == Fate::kBrokenXml && xml && content_length(answer.head) == answer.body.size()) {
      answer.body.resize(answer.body.size() / 2);
      const std::string status = answer.head.substr(0, answer.head.find("\r\n"));
      answer.head = fmt::format("{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", status,
                                answer.body.size());
    }
    std::string bytes = answer.text();
    if (fate == Fate::kCutBody && !answer.body.empty()) {
      bytes.resize(answer.head.size() + answer.body.size() / 2);
    }
    if (fate == Fate::kStall) bytes.resize(stalled_size(answer));
    const std::size_t piece =
        fate == Fate::kSlowBytes ? bytes.size() / kSlowPieces + 1 : bytes.size();
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      co_await asio::async_write(
          client, asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at)),
          use_awaitable);
    }
    if (fate == Fate::kStall) co_await fall_silent(client);
  }

  /// In the middle of the body, or of the head if there is no body.
  static std::size_t stalled_size(const Message& answer) {
    return answer.body.empty() ? answer.head.size() / 2
                               : answer.head.size() + answer.body.size() / 2;
  }
};

namespace {

template <class State>
Task<> serve(std::shared_ptr<State> state, tcp::socket client) {
  try {
    std::string unread;
    while (true) {
      Message request = co_await read_request(client, unread);
      if (request.head.empty()) co_return;
      if (!co_await state->exchange(client, std::move(request))) co_return;
    }
  } catch (const boost::system::system_error&) {
    // The client went away: nothing is left to do for it.
  }
}

template <class State>
Task<> accept_all(std::shared_ptr<State> state) {
  while (true) {
    boost::system::error_code failed;
    tcp::socket client =
        co_await state->acceptor.async_accept(asio::redirect_error(use_awaitable, failed));
    if (failed) co_return;
    asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(client)), asio::detached);
  }
}

}  // namespace

FaultProxy::FaultProxy(const Executor& executor, const Url& server, std::uint64_t seed,
                       double share)
    : state_(std::make_shared<State>(executor, server, seed, share)) {
  asio::co_spawn(executor, accept_all(state_), asio::detached);
}

FaultProxy::~FaultProxy() {
  asio::dispatch(state_->acceptor.get_executor(), [state = state_] {
    boost::system::error_code ignored;
    state->acceptor.close(ignored);
  });
}

std::string FaultProxy::url() const {
  return fmt::format("http://127.0.0.1:{}", state_->acceptor.local_endpoint().port());
}

std::uint64_t FaultProxy::faults() const { return state_->faults; }

}  // namespace headrace
