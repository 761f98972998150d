#include "net/http_client.h"

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "testing/http_kit.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// A peer that gives these answers, whatever it is asked.
Side answers(std::vector<std::string> texts) {
  return [texts = std::move(texts)](HttpClient&, HttpPeer& peer) { return peer.answer_all(texts); };
}

TEST(HttpClient, SendsARequestAndReadsItsAnswer) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        HttpRequest request = request_to(peer.url("/bucket/a%2Bb?list-type=2"));
        request.headers.set("X-Amz-Date", "20260131T000000Z");
        const HttpAnswer answer = co_await fetch(client, std::move(request));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "hello");
        EXPECT_EQ(answer.headers.get("etag"), "\"1\"");
        EXPECT_EQ(peer.requests().at(0),
                  fmt::format("GET /bucket/a%2Bb?list-type=2 HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                              "X-Amz-Date: 20260131T000000Z\r\n\r\n",
                              peer.port()));
      },
      answers({answer_text(200, "hello", {{"ETag", "\"1\""}})}));
}

TEST(HttpClient, UsesAConnectionAgain) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        for (int i = 0; i < 3; ++i) {
          const HttpAnswer answer = co_await fetch(client, request_to(peer.url()));
          EXPECT_EQ(answer.body, std::string(static_cast<std::size_t>(i), 'x'));
        }
        EXPECT_EQ(peer.connections(), 1u);
      },
      answers({answer_text(200, ""), answer_text(404, "x"), answer_text(500, "xx")}));
}

TEST(HttpClient, OpensAnotherConnectionAfterConnectionClose) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        co_await fetch(client, request_to(peer.url()));
        co_await fetch(client, request_to(peer.url()));
        EXPECT_EQ(peer.connections(), 2u);
      },
      answers({answer_text(200, "a", {{"Connection", "close"}}), answer_text(200, "b")}));
}

TEST(HttpClient, NeverReusesAConnectionWithBytesAfterTheAnswer) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "a");
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "b");
        EXPECT_EQ(peer.connections(), 2u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send(answer_text(200, "a") + answer_text(200, "not asked for"));
        co_await peer.answer_all({answer_text(200, "b")});
      });
}

struct BodyCase {
  const char* name;
  std::string answer;
  std::string body;
  const char* method = "GET";
};

const std::vector<BodyCase> kBodies{
    {"OfALength", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
    {"OfLengthZero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
    {"InChunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
     "hello"},
    {"InChunksWithTrailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
     "hello"},
    {"UntilTheEnd", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "hello"},
    {"OfHttp10", "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello", "hello"},
    {"AfterInterimAnswers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
     "hello"},
    {"NoneFor204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", ""},
    {"NoneFor304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""},
    {"NoneForHead", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", "HEAD"},
};

class HttpClientBody : public testing::TestWithParam<std::tuple<BodyCase, std::size_t>> {};

TEST_P(HttpClientBody, IsReadHoweverItIsCut) {
  const auto& [row, piece] = GetParam();
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const HttpAnswer answer = co_await fetch(client, request_to(peer.url(), row.method));
        EXPECT_EQ(answer.body, row.body);
        // What follows shows that exactly this answer was read.
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "next");
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_request();
        co_await connection.send(row.answer, piece);
        if (row.answer.find("Connection: close") != std::string::npos) {
          connection.close();
          connection = co_await peer.accept();
        }
        co_await connection.read_request();
        co_await connection.send(answer_text(200, "next"));
      });
}

INSTANTIATE_TEST_SUITE_P(Answers, HttpClientBody,
                         testing::Combine(testing::ValuesIn(kBodies),
                                          testing::Values(std::size_t{1}, std::size_t{7},
                                                          std::size_t{1 << 20})),
                         [](const auto& row) {
                           return fmt::format("{}InPiecesOf{}", std::get<0>(row.param).name,
                                              std::get<1>(row.param));
                         });

struct BadAnswer {
  const char* name;
  std::string answer;  ///< Then the connection is closed.
  const char* message;
};

class HttpClientBadAnswer : public testing::TestWithParam<BadAnswer> {};

TEST_P(HttpClientBadAnswer, IsTransientAndNamesWhatWasAsked) {
  const BadAnswer& row = GetParam();
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error = co_await failure_of(fetch(client, request_to(peer.url("/k?secret=1"))));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), StartsWith("GET " + peer.url("/k") + ": "));
        EXPECT_THAT(error.what(), HasSubstr(row.message));
        EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_request();
        co_await connection.send(row.answer);
        connection.close();
      });
}

std::string ok(std::string_view rest) { return "HTTP/1.1 200 OK\r\n" + std::string(rest); }

INSTANTIATE_TEST_SUITE_P(
    Answers, HttpClientBadAnswer,
    testing::Values(
        BadAnswer{"None", "", "closed the connection"},
        BadAnswer{"HalfAHead", "HTTP/1.1 200 OK\r\nContent-", "closed the connection"},
        BadAnswer{"NoHttp", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP/1.1"},
        BadAnswer{"AnotherVersion", "HTTP/2.0 200 OK\r\n\r\n", "no HTTP/1.1"},
        BadAnswer{"NoStatus", "HTTP/1.1 abc OK\r\n\r\n", "status"},
        BadAnswer{"AHugeHead", ok("X: " + std::string(70'000, 'x')), "more than 65536 bytes"},
        BadAnswer{"ManyFields", ok([] {
                    std::string fields;
                    for (int i = 0; i < 300; ++i) fields += "a: b\r\n";
                    return fields + "\r\n";
                  }()),
                  "more than 256"},
        BadAnswer{"NoField", ok("what is this\r\n\r\n"), "no 'name: value'"},
        BadAnswer{"TwoLengths", ok("Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
                  "two different Content-Lengths"},
        BadAnswer{"ANegativeLength", ok("Content-Length: -1\r\n\r\n"), "no number"},
        BadAnswer{"AHugeLength", ok("Content-Length: 99999999999999999999\r\n\r\n"), "no number"},
        BadAnswer{"LengthAndChunks",
                  ok("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "both"},
        BadAnswer{"AnUnknownEncoding", ok("Transfer-Encoding: gzip, chunked\r\n\r\n"),
                  "Transfer-Encoding"},
        BadAnswer{"ATruncatedBody", ok("Content-Length: 10\r\n\r\n12345"),
                  "body ended after 5 of 10 bytes"},
        BadAnswer{"TruncatedChunks", ok("Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
                  "closed the connection"},
        BadAnswer{"NoLastChunk", ok("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n"),
                  "closed the connection"},
        BadAnswer{"ABadChunkSize", ok("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed"},
        BadAnswer{"AChunkTooLong", ok("Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n"),
                  "malformed"},
        BadAnswer{"AHugeChunk", ok("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
                  "malformed"},
        BadAnswer{"EndlessTrailers",
                  ok("Transfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(10'000, 'x')),
                  "malformed"},
        BadAnswer{"AnotherProtocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                  "another protocol"}),
    [](const auto& row) { return row.param.name; });

TEST(HttpClient, ReplacesAKeptConnectionThatTheServerClosed) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "a");
        EXPECT_EQ((co_await fetch(client, request_to(peer.url(), "PUT", "body"))).body, "b");
        EXPECT_EQ(peer.connections(), 2u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send(answer_text(200, "a"));
        first.reset();
        PeerConnection second = co_await peer.accept();
        EXPECT_THAT(co_await second.read_request(), testing::EndsWith("\r\n\r\nbody"));
        co_await second.send(answer_text(200, "b"));
      });
}

TEST(HttpClient, SendsPiecesOnceMoreOnAnotherConnection) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        for (const std::size_t size : {10u, 100'000u}) {
          const std::vector<Bytes> pieces{Bytes(size, 'a'), "b"};
          EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "a");
          HttpRequest request = request_to(peer.url(), "PUT");
          request.body.pieces = &pieces;
          EXPECT_EQ((co_await fetch(client, std::move(request))).body, "b");
        }
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        for (const std::size_t size : {10u, 100'000u}) {
          PeerConnection first = co_await peer.accept();
          co_await first.read_request();
          co_await first.send(answer_text(200, "a"));
          first.reset();
          PeerConnection second = co_await peer.accept();
          EXPECT_THAT(co_await second.read_request(),
                      testing::EndsWith("\r\n\r\n" + Bytes(size, 'a') + "b"));
          co_await second.send(answer_text(200, "b"));
          second.close();
        }
      });
}

TEST(HttpClient, ReplacesAKeptConnectionBeforeItSendsAStream) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "a");
        PieceSource pieces({"one ", "two"});
        HttpRequest request = request_to(peer.url(), "PUT");
        request.body.stream = &pieces;
        request.body.length = 7;
        EXPECT_EQ((co_await fetch(client, std::move(request))).body, "b");
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send(answer_text(200, "a"));
        first.close();
        PeerConnection second = co_await peer.accept();
        EXPECT_THAT(co_await second.read_request(), testing::EndsWith("\r\n\r\none two"));
        co_await second.send(answer_text(200, "b"));
      });
}

TEST(HttpClient, ReplacesAConnectionOnlyOnce) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "a");
        const Error error = co_await failure_of(fetch(client, request_to(peer.url())));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_EQ(peer.connections(), 2u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send(answer_text(200, "a"));
        first.close();
        PeerConnection second = co_await peer.accept();
        co_await second.read_request();
        second.reset();
      });
}

TEST(HttpClient, DoesNotRepeatARequestWhoseAnswerHadBegun) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        co_await fetch(client, request_to(peer.url()));
        const Error error = co_await failure_of(fetch(client, request_to(peer.url())));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_EQ(peer.connections(), 1u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send(answer_text(200, "a"));
        co_await first.read_request();
        co_await first.send("HTTP");
        first.close();
      });
}

TEST(HttpClient, StreamsALargeBodyBothWays) {
  const std::size_t size = 8 << 20;
  std::string sent(size, '\0');
  for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * 7 + i / 1000);
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const std::unique_ptr<ByteSource> stream = source_of(sent, 100'000);
        HttpRequest request = request_to(peer.url(), "PUT");
        request.body.stream = stream.get();
        request.body.length = size;
        const HttpAnswer answer = co_await fetch(client, std::move(request), size);
        EXPECT_TRUE(answer.body == sent);
        // In memory, it goes out the same way.
        const HttpAnswer again = co_await fetch(client, request_to(peer.url(), "PUT", sent), size);
        EXPECT_TRUE(again.body == sent);
        // And so it does in pieces.
        const std::vector<Bytes> pieces{sent.substr(0, 3), "", sent.substr(3)};
        HttpRequest in_pieces = request_to(peer.url(), "PUT");
        in_pieces.body.pieces = &pieces;
        const HttpAnswer third = co_await fetch(client, std::move(in_pieces), size);
        EXPECT_TRUE(third.body == sent);
        EXPECT_EQ(peer.connections(), 1u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        for (int i = 0; i < 3; ++i) {
          const std::string request = co_await connection.read_request();
          co_await connection.send(answer_text(200, request.substr(request.find("\r\n\r\n") + 4)));
        }
      });
}

TEST(HttpClient, GivesAnEarlyAnswerAndStopsSending) {
  PieceSource pieces(std::vector<Bytes>(10'000, Bytes(64 * 1024, 'x')));
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        HttpRequest request = request_to(peer.url(), "PUT");
        request.body.stream = &pieces;
        request.body.length = 10'000u * 64 * 1024;
        const HttpAnswer answer = co_await fetch(client, std::move(request));
        EXPECT_EQ(answer.status, 403);
        EXPECT_EQ(answer.body, "<Error/>");
        EXPECT_LT(pieces.reads(), 10'000u);
        // The connection has half a request on it: the next one goes elsewhere.
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "next");
        EXPECT_EQ(peer.connections(), 2u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_head();
        co_await first.send(answer_text(403, "<Error/>"));
        PeerConnection second = co_await peer.accept();
        co_await second.read_request();
        co_await second.send(answer_text(200, "next"));
      });
}

TEST(HttpClient, PassesOnWhatTheSourceOfABodyThrows) {
  class Broken final : public ByteSource {
   public:
    Task<Bytes> read() override { throw Error(ErrorKind::kCorrupt, "bad sector"); }
  };
  Broken broken;
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        HttpRequest request = request_to(peer.url("/k"), "PUT");
        request.body.stream = &broken;
        request.body.length = 10;
        const Error error = co_await failure_of(client.send(std::move(request)));
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
        EXPECT_EQ(error.what(), "PUT " + peer.url("/k") + ": bad sector");
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.until_closed();
      });
}

TEST(HttpClient, RefusesABodyThatIsNotAsLongAsAnnounced) {
  for (const std::vector<Bytes>& content : {std::vector<Bytes>{"1234"}, {"1234", "567"}}) {
    PieceSource pieces(content);
    meet(
        [&](HttpClient& client, HttpPeer& peer) -> Task<> {
          HttpRequest request = request_to(peer.url(), "PUT");
          request.body.stream = &pieces;
          request.body.length = 6;
          const Error error = co_await failure_of(client.send(std::move(request)));
          EXPECT_EQ(error.kind(), ErrorKind::kTransient);
          EXPECT_THAT(error.what(), HasSubstr("than the 6 bytes announced"));
        },
        [](HttpClient&, HttpPeer& peer) -> Task<> {
          PeerConnection connection = co_await peer.accept();
          co_await connection.until_closed();
        });
  }
}

TEST(HttpClient, LetsRequestsWaitWhenAllConnectionsAreInUse) {
  HttpClientConfig config;
  config.connections = 2;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        const auto get = [&]() -> Task<> { co_await fetch(client, request_to(peer.url())); };
        co_await (get() && get() && get() && get() && get());
        EXPECT_EQ(peer.connections(), 2u);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        PeerConnection second = co_await peer.accept();
        co_await first.read_request();
        co_await second.read_request();
        for (int i = 0; i < 4; ++i) {
          co_await first.send(answer_text(200, "x"));
          if (i < 3) co_await first.read_request();
        }
        co_await second.send(answer_text(200, "x"));
      },
      config);
}

TEST(HttpClient, FreesTheConnectionOfABodyThatIsDropped) {
  HttpClientConfig config;
  config.connections = 1;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        {
          const HttpResponse dropped = co_await client.send(request_to(peer.url()));
        }
        EXPECT_EQ((co_await fetch(client, request_to(peer.url()))).body, "b");
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        co_await first.until_closed();
        co_await peer.answer_all({answer_text(200, "b")});
      },
      config);
}

/// Advances the clock in small steps until `done`.
Task<> let_time_pass(ManualClock& clock, const bool& done) {
  while (!done) {
    clock.advance(100ms);
    co_await breathe();
  }
}

TEST(HttpClient, GivesUpAfterTheIdleTimeoutWhileItWaitsForTheAnswer) {
  ManualClock clock;
  bool done = false;
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error = co_await failure_of(client.send(request_to(peer.url())));
        done = true;
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("nothing came or went for 30s"));
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_request();
        co_await (connection.until_closed() && let_time_pass(clock, done));
      },
      {}, clock);
}

TEST(HttpClient, GivesUpAfterTheIdleTimeoutWithinABody) {
  ManualClock clock;
  bool done = false;
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error = co_await failure_of(fetch(client, request_to(peer.url())));
        done = true;
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("body ended after 4 of 9 bytes"));
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_request();
        co_await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        co_await (connection.until_closed() && let_time_pass(clock, done));
      },
      {}, clock);
}

TEST(HttpClient, GivesUpAfterTheIdleTimeoutWhenTheServerTakesNoMore) {
  ManualClock clock;
  bool done = false;
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        HttpRequest request = request_to(peer.url(), "PUT", Bytes(64 << 20, 'x'));
        const Error error = co_await failure_of(client.send(std::move(request)));
        done = true;
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("nothing came or went for 30s"));
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_head();
        co_await let_time_pass(clock, done);
      },
      {}, clock);
}

TEST(HttpClient, ClosesAConnectionThatIsNotUsedForLong) {
  ManualClock clock;
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        co_await fetch(client, request_to(peer.url()));
        clock.advance(16s);
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.read_request();
        co_await connection.send(answer_text(200, "a"));
        co_await connection.until_closed();
      },
      {}, clock);
}

TEST(HttpClient, GivesUpWhenNoConnectionCanBeMade) {
  ManualClock clock;
  bool done = false;
  // The proxy accepts and says nothing: the tunnel is part of connecting.
  run_task([&]() -> Task<> {
    const Executor executor = co_await boost::asio::this_coro::executor;
    HttpPeer proxy(executor);
    HttpClientConfig config;
    config.proxy.https = proxy.url("");
    HttpClient client(executor, clock, config);
    const auto ask = [&]() -> Task<> {
      const Error error = co_await failure_of(client.send(request_to("https://example.test/")));
      done = true;
      EXPECT_EQ(error.kind(), ErrorKind::kTransient);
      EXPECT_THAT(error.what(), HasSubstr("no connection within 5s"));
    };
    const auto stay_silent = [&]() -> Task<> {
      PeerConnection connection = co_await proxy.accept();
      co_await connection.read_head();
      co_await (connection.until_closed() && let_time_pass(clock, done));
    };
    co_await (ask() && stay_silent());
  }());
}

TEST(HttpClient, SaysWhenNobodyListens) {
  run_task([]() -> Task<> {
    const Executor executor = co_await boost::asio::this_coro::executor;
    std::string url;
    {
      HttpPeer gone(executor);
      url = gone.url("/k");
    }
    HttpClient client(executor, real_clock());
    const Error error = co_await failure_of(client.send(request_to(url)));
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_EQ(error.what(), "GET " + url + ": Connection refused");
  }());
}

/// Runs `task` and cancels it as soon as `when` has ended; gives what the task threw.
Task<Error> cancelled_when(Task<HttpAnswer> task, Task<> when) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  boost::asio::cancellation_signal stop;
  std::exception_ptr thrown;
  bool done = false;
  boost::asio::co_spawn(executor, std::move(task),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](std::exception_ptr failed, const HttpAnswer&) {
                              thrown = std::move(failed);
                              done = true;
                            }));
  co_await std::move(when);
  stop.emit(boost::asio::cancellation_type::terminal);
  while (!done) co_await breathe();
  EXPECT_TRUE(thrown);
  co_return to_error(thrown);
}

TEST(HttpClient, StopsWhenCancelledAndClosesTheConnection) {
  struct Moment {
    const char* name;
    Bytes body;
    const char* answer;
  };
  const Moment moments[] = {
      {"while waiting for the head", "", ""},
      {"while reading the body", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"},
      {"while uploading", Bytes(64 << 20, 'x'), ""},
  };
  for (const Moment& moment : moments) {
    SCOPED_TRACE(moment.name);
    run_task([&]() -> Task<> {
      const Executor executor = co_await boost::asio::this_coro::executor;
      HttpPeer peer(executor);
      HttpClient client(executor, real_clock());
      std::optional<PeerConnection> connection;
      const auto until_asked = [&]() -> Task<> {
        connection.emplace(co_await peer.accept());
        co_await connection->read_head();
        co_await connection->send(moment.answer);
        for (int i = 0; i < 10; ++i) co_await breathe();
      };
      const Error error = co_await cancelled_when(
          fetch(client, request_to(peer.url(), "PUT", moment.body)), until_asked());
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
      co_await connection->until_closed();
    }());
  }
}

TEST(HttpClient, StopsWaitingForAConnectionWhenCancelled) {
  HttpClientConfig config;
  config.connections = 1;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        const HttpResponse first = co_await client.send(request_to(peer.url()));
        const Error error =
            co_await cancelled_when(fetch(client, request_to(peer.url())), breathe());
        EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
        EXPECT_EQ(co_await first.body->read(), "half");
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection first = co_await peer.accept();
        co_await first.read_request();
        co_await first.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        co_await first.until_closed();
      },
      config);
}

TEST(HttpClient, RefusesToSendWhatCouldBeTakenForAnotherLine) {
  run_task([]() -> Task<> {
    HttpClient client(co_await boost::asio::this_coro::executor, real_clock());
    HttpRequest field = request_to("http://127.0.0.1:1/");
    field.headers.add("X-Tag", "a\r\nHost: elsewhere");
    HttpRequest name = request_to("http://127.0.0.1:1/");
    name.headers.add("X Tag", "a");
    HttpRequest path = request_to("http://127.0.0.1:1/");
    path.url.path = "/a b";
    HttpRequest method = request_to("http://127.0.0.1:1/", "GET /x");
    for (HttpRequest* request : {&field, &name, &path, &method}) {
      const Error error = co_await failure_of(client.send(std::move(*request)));
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    }
  }());
}

TEST(HttpClient, MayBeCalledFromAnotherLoop) {
  boost::asio::io_context loop;
  auto work = boost::asio::make_work_guard(loop);
  std::thread thread([&] { loop.run(); });
  {
    HttpPeer peer(loop.get_executor());
    HttpClient client(loop.get_executor(), real_clock());
    auto served = boost::asio::co_spawn(
        loop, peer.answer_all({answer_text(200, Bytes(1 << 20, 'x'))}), boost::asio::use_future);
    const HttpAnswer answer = run_task(fetch(client, request_to(peer.url())));
    EXPECT_EQ(answer.body.size(), 1u << 20);
    served.get();
    work.reset();
  }
  thread.join();
}

TEST(Fetch, RefusesAnAnswerThatIsTooLong) {
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error = co_await failure_of(fetch(client, request_to(peer.url()), 4));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("more than 4 bytes"));
      },
      answers({answer_text(200, "12345")}));
}

}  // namespace
}  // namespace headrace
