#include "net/http_server.h"

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/write.hpp>

#include "core/signal.h"
#include "testing/http_kit.h"

namespace headrace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A server that runs while a test does, and is stopped in good order at its end.
class Running {
 public:
  Running(const Executor& executor, HttpServerConfig config, HttpHandler handler,
          Clock& clock = real_clock())
      : server_(executor, std::move(config), std::move(handler), silent_log(), clock) {
    asio::co_spawn(executor, server_.run(),
                   asio::bind_cancellation_slot(stop_.slot(), [this](std::exception_ptr failed) {
                     EXPECT_FALSE(failed);
                     stopped_ = true;
                   }));
  }

  std::uint16_t port() const { return server_.port(); }
  std::string url(std::string_view target) const {
    return fmt::format("http://127.0.0.1:{}{}", port(), target);
  }
  void ask_to_stop() { stop_.emit(asio::cancellation_type::terminal); }
  bool stopped() const { return stopped_; }
  Task<> stop() {
    ask_to_stop();
    while (!stopped_) co_await breathe();
  }

 private:
  HttpServer server_;
  asio::cancellation_signal stop_;
  bool stopped_ = false;
};

/// Runs `body` with a server; stops the server after it.
void with_server(HttpServerConfig config, HttpHandler handler,
                 const std::function<Task<>(Running&)>& body, Clock& clock = real_clock()) {
  run_task([&]() -> Task<> {
    Running server(co_await asio::this_coro::executor, std::move(config), std::move(handler),
                   clock);
    co_await body(server);
    co_await server.stop();
  }());
}

Task<ServedAnswer> echo(ServedRequest request) {
  ServedAnswer answer;
  answer.headers.set("X-Asked", request.method + " " + request.path + " " + request.query);
  answer.body = std::move(request.body);
  co_return answer;
}

/// A client that can misbehave.
class RawClient {
 public:
  explicit RawClient(const Executor& executor) : socket_(executor) {}
  Task<> connect(std::uint16_t port) {
    co_await socket_.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  }
  Task<> send(std::string bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
  }
  /// All that comes until the server closes, or until `end` has come.
  Task<std::string> read(std::string end = {}) {
    std::string all;
    while (end.empty() || all.find(end) == std::string::npos) {
      char piece[4096];
      boost::system::error_code ended;
      const std::size_t size = co_await socket_.async_read_some(
          asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ended));
      all.append(piece, size);
      if (ended) break;
    }
    co_return all;
  }

 private:
  tcp::socket socket_;
};

/// Sends `bytes` on a connection of its own, and gives all that comes back.
Task<std::string> say(std::uint16_t port, std::string bytes) {
  RawClient client(co_await asio::this_coro::executor);
  co_await client.connect(port);
  co_await client.send(std::move(bytes));
  co_return co_await client.read();
}

TEST(HttpServer, GivesTheRequestToTheHandlerAndItsAnswerBack) {
  with_server({}, echo, [](Running& server) -> Task<> {
    HttpClient client(co_await asio::this_coro::executor, real_clock());
    for (const std::size_t size : {0u, 5u, 300'000u}) {
      const Bytes body(size, 'x');
      const HttpAnswer answer =
          co_await fetch(client, request_to(server.url("/a%20b/c?q=%31"), "POST", body));
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.headers.get("X-Asked"), "POST /a b/c q=%31");
      EXPECT_TRUE(answer.body == body);
    }
  });
}

TEST(HttpServer, AnswersRequestsThatComeTogetherInTheirOrder) {
  with_server({}, echo, [](Running& server) -> Task<> {
    const std::string all = co_await say(server.port(),
                                         "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                                         "PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                                         "GET /3 HTTP/1.0\r\n\r\n");
    const std::size_t one = all.find("GET /1 ");
    const std::size_t two = all.find("PUT /2 ");
    const std::size_t three = all.find("GET /3 ");
    EXPECT_LT(one, two);
    EXPECT_LT(two, three);
    EXPECT_THAT(all, HasSubstr("\r\n\r\nhiHTTP/1.1 200 OK\r\n"));
    EXPECT_NE(three, std::string::npos);
  });
}

TEST(HttpServer, ReadsChunksAndAnswersExpect) {
  with_server({}, echo, [](Running& server) -> Task<> {
    RawClient client(co_await asio::this_coro::executor);
    co_await client.connect(server.port());
    co_await client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(co_await client.read("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await client.send("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
    EXPECT_THAT(co_await client.read("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
  });
}

TEST(HttpServer, LeavesOutTheBodyForHead) {
  const auto handler = [](ServedRequest) -> Task<ServedAnswer> {
    co_return ServedAnswer{200, {}, "hello"};
  };
  with_server({}, handler, [](Running& server) -> Task<> {
    const std::string answer =
        co_await say(server.port(), "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, AllOf(HasSubstr("\r\nContent-Length: 5\r\n"), EndsWith("\r\n\r\n")));
  });
}

TEST(HttpServer, SaysWhenItAnswered) {
  ManualClock clock(Time(784111777s));
  with_server(
      {}, echo,
      [](Running& server) -> Task<> {
        HttpClient client(co_await asio::this_coro::executor, real_clock());
        const HttpAnswer answer = co_await fetch(client, request_to(server.url("/")));
        EXPECT_EQ(answer.headers.get("Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
      },
      clock);
}

struct KindCase {
  ErrorKind kind;
  int status;
};

TEST(HttpServer, TurnsWhatAHandlerThrowsIntoAStatus) {
  const KindCase rows[] = {{ErrorKind::kInvalid, 400}, {ErrorKind::kConflict, 409},
                           {ErrorKind::kCorrupt, 422}, {ErrorKind::kTransient, 503},
                           {ErrorKind::kBug, 500},     {ErrorKind::kCancelled, 503}};
  for (const KindCase& row : rows) {
    const auto handler = [&](ServedRequest) -> Task<ServedAnswer> {
      throw Error(row.kind, "why \"so\"", 1500ms);
    };
    with_server({}, handler, [&](Running& server) -> Task<> {
      HttpClient client(co_await asio::this_coro::executor, real_clock());
      const HttpAnswer answer = co_await fetch(client, request_to(server.url("/")));
      EXPECT_EQ(answer.status, row.status);
      EXPECT_EQ(answer.headers.get("Retry-After"), "2");
      EXPECT_EQ(answer.body, fmt::format(R"({{"error":{{"kind":"{}","message":"why \"so\""}}}})",
                                         to_string(row.kind)));
    });
  }
}

TEST(HttpServer, DoesNotSendAFieldThatCouldBeTakenForAnotherLine) {
  const auto handler = [](ServedRequest) -> Task<ServedAnswer> {
    co_return ServedAnswer{200, {{"X-Name", "a\r\nSet-Cookie: b"}}, "hello"};
  };
  with_server({}, handler, [](Running& server) -> Task<> {
    const std::string answer =
        co_await say(server.port(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(answer, testing::Not(HasSubstr("Set-Cookie")));
  });
}

struct RefusedRequest {
  const char* name;
  std::string request;
  int status;
};

class HttpServerRefusal : public testing::TestWithParam<RefusedRequest> {};

TEST_P(HttpServerRefusal, IsAnsweredAndEndsTheConnection) {
  HttpServerConfig config;
  config.header_bytes = 1024;
  config.body_bytes = 100;
  const auto never = [](ServedRequest) -> Task<ServedAnswer> {
    ADD_FAILURE() << "the handler was called";
    co_return ServedAnswer{};
  };
  with_server(config, never, [](Running& server) -> Task<> {
    const std::string answer = co_await say(server.port(), GetParam().request);
    EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr(R"({"error":{"kind":"invalid","message":")"));
  });
}

std::string get(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields);
}

INSTANTIATE_TEST_SUITE_P(
    Requests, HttpServerRefusal,
    testing::Values(
        RefusedRequest{"NoHttp", "hello\r\n\r\n", 400},
        RefusedRequest{"AnotherVersion", "GET / HTTP/2.0\r\n\r\n", 400},
        RefusedRequest{"NoTarget", "GET HTTP/1.1\r\n\r\n", 400},
        RefusedRequest{"SpaceInTheTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        RefusedRequest{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        RefusedRequest{"SpaceBeforeTheColon", get("X : 1\r\n\r\n"), 400},
        RefusedRequest{"AFoldedField", get("X: 1\r\n 2\r\n\r\n"), 400},
        RefusedRequest{"TwoLengths", get("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400},
        RefusedRequest{"LengthAndChunks",
                       get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        RefusedRequest{"BadChunks", get("Transfer-Encoding: chunked\r\n\r\nx\r\n"), 400},
        RefusedRequest{"AHugeHead", get("X: " + std::string(2000, 'x')), 431},
        RefusedRequest{"AHugeBody", get("Content-Length: 101\r\n\r\n"), 413},
        RefusedRequest{"HugeChunks",
                       get("Transfer-Encoding: chunked\r\n\r\nc8\r\n" + std::string(200, 'x')),
                       413}),
    [](const auto& row) { return row.param.name; });

/// What a gate lets through and refuses, and whether the connection goes on after it.
TEST(HttpServer, RefusesByItsGateWithoutReadingTheBody) {
  std::vector<std::string> handled;
  HttpServerConfig config;
  config.body_bytes = 50;  // More is not even asked for.
  config.gate = [](const ServedRequest& request) -> std::optional<ServedAnswer> {
    EXPECT_TRUE(request.body.empty());
    if (request.path == "/in" && request.headers.get("X-Key") == "1") return std::nullopt;
    return ServedAnswer{401, {}, "no"};
  };
  const auto handler = [&](ServedRequest request) -> Task<ServedAnswer> {
    handled.push_back(request.method + " " + request.body);
    co_return ServedAnswer{200, {}, "yes"};
  };
  with_server(config, handler, [&](Running& server) -> Task<> {
    const std::string last = "GET /in HTTP/1.1\r\nHost: a\r\nX-Key: 1\r\nConnection: close\r\n\r\n";
    for (const char* all_here : {"PUT /in HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
                                 "GET /in HTTP/1.1\r\nHost: a\r\n\r\n"}) {
      const std::string both = co_await say(server.port(), all_here + last);
      EXPECT_THAT(both, AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("noHTTP/1.1 200 OK\r\n"),
                              EndsWith("yes")));
    }
    for (const char* unread : {"Content-Length: 40\r\n\r\n", "Content-Length: 9999999\r\n\r\nxx",
                               "Transfer-Encoding: chunked\r\n\r\n"}) {
      const std::string answer =
          co_await say(server.port(), "PUT /in HTTP/1.1\r\nHost: a\r\n" + std::string(unread));
      EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("\r\nConnection: close\r\n"),
                                EndsWith("no")));
    }
    HttpClient client(co_await asio::this_coro::executor, real_clock());
    HttpRequest let_in = request_to(server.url("/in"), "PUT", "hello");
    let_in.headers.set("X-Key", "1");
    EXPECT_EQ((co_await fetch(client, std::move(let_in))).status, 200);
  });
  EXPECT_THAT(handled, testing::ElementsAre("GET ", "GET ", "PUT hello"));
}

TEST(HttpServer, RefusesABodyThatDoesNotFitIntoItsMemory) {
  HttpServerConfig config;
  config.memory = 150;
  Signal changed;
  bool held = false;
  bool release = false;
  const auto handler = [&](ServedRequest request) -> Task<ServedAnswer> {
    held = true;
    while (!release) co_await changed.wait();
    co_return ServedAnswer{200, {}, std::move(request.body)};
  };
  with_server(config, handler, [&](Running& server) -> Task<> {
    HttpClient client(co_await asio::this_coro::executor, real_clock());
    const Bytes body(100, 'x');
    const auto first = [&]() -> Task<> {
      EXPECT_EQ((co_await fetch(client, request_to(server.url("/"), "PUT", body))).status, 200);
    };
    const auto second = [&]() -> Task<> {
      while (!held) co_await breathe();
      const HttpAnswer busy = co_await fetch(client, request_to(server.url("/"), "PUT", body));
      EXPECT_EQ(busy.status, 503);
      EXPECT_EQ(busy.headers.get("Retry-After"), "1");
      release = true;
      changed.notify_all();
    };
    co_await (first() && second());
    EXPECT_EQ((co_await fetch(client, request_to(server.url("/"), "PUT", body))).status, 200);
  });
}

TEST(HttpServer, AcceptsNoMoreConnectionsThanItsLimit) {
  HttpServerConfig config;
  config.connections = 1;
  with_server(config, echo, [](Running& server) -> Task<> {
    const Executor executor = co_await asio::this_coro::executor;
    auto first = std::make_unique<RawClient>(executor);
    RawClient second(executor);
    co_await first->connect(server.port());
    co_await second.connect(server.port());  // Waits in the kernel's queue.
    co_await second.send("GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    co_await first->send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(co_await first->read("\r\n\r\n"), HasSubstr("GET /1 "));
    first.reset();
    EXPECT_THAT(co_await second.read(), HasSubstr("GET /2 "));
  });
}

TEST(HttpServer, ClosesAConnectionThatIsTooSlow) {
  const std::pair<const char*, const char*> rows[] = {
      {"says nothing", ""},
      {"ends within a head", "GET / HTTP/1.1\r\nHo"},
      {"ends within a body", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"},
  };
  for (const auto& [name, bytes] : rows) {
    SCOPED_TRACE(name);
    ManualClock clock;
    with_server(
        {}, echo,
        [&](Running& server) -> Task<> {
          bool done = false;
          const auto wait = [&]() -> Task<> {
            EXPECT_EQ(co_await say(server.port(), bytes), "");
            done = true;
          };
          const auto pass = [&]() -> Task<> {
            while (!done) {
              clock.advance(1s);
              co_await breathe();
            }
          };
          co_await (wait() && pass());
        },
        clock);
  }
}

TEST(HttpServer, LetsRunningHandlersAnswerWhenItStops) {
  Signal changed;
  bool running = false;
  bool release = false;
  const auto handler = [&](ServedRequest) -> Task<ServedAnswer> {
    running = true;
    while (!release) co_await changed.wait();
    co_return ServedAnswer{200, {}, "done"};
  };
  with_server({}, handler, [&](Running& server) -> Task<> {
    const Executor executor = co_await asio::this_coro::executor;
    RawClient idle(executor);
    RawClient half(executor);
    RawClient busy(executor);
    co_await idle.connect(server.port());
    co_await half.connect(server.port());
    co_await half.send("GET / HT");
    co_await busy.connect(server.port());
    co_await busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!running) co_await breathe();
    server.ask_to_stop();
    EXPECT_EQ(co_await idle.read(), "");
    EXPECT_EQ(co_await half.read(), "");
    EXPECT_FALSE(server.stopped());
    release = true;
    changed.notify_all();
    EXPECT_THAT(co_await busy.read(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                            HasSubstr("Connection: close"), EndsWith("done")));
    while (!server.stopped()) co_await breathe();
  });
}

TEST(HttpServer, SaysWhichAddressItCannotHave) {
  asio::io_context loop;
  const HttpServer first(loop.get_executor(), {}, echo, silent_log());
  HttpServerConfig taken;
  taken.port = first.port();
  HttpServerConfig nonsense;
  nonsense.address = "not an address";
  for (const HttpServerConfig& config : {taken, nonsense}) {
    try {
      HttpServer(loop.get_executor(), config, echo, silent_log());
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), StartsWith("listening on " + config.address + ":"));
    }
  }
}

}  // namespace
}  // namespace headrace
