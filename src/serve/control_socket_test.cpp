#include "serve/control_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <thread>

#include "ledger/memory/memory_ledger.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using Local = boost::asio::local::stream_protocol;

/// A socket served on a thread of its own over a ledger in memory.
class ControlSocketTest : public testing::Test {
 protected:
  ControlSocketTest() : ledger_(make_memory_ledger({}, clock_)), api_(*ledger_, clock_) {
    route_ = run_task(ledger_->route_id("load"));
  }
  ~ControlSocketTest() override {
    stop();
    ledger_->close();
  }

  void serve() {
    socket_ = std::make_unique<ControlSocket>(loop_.get_executor(), path_, api_, silent_log());
    boost::asio::co_spawn(loop_, socket_->run(),
                          boost::asio::bind_cancellation_slot(
                              stop_.slot(), [this](std::exception_ptr how) { ended_ = how; }));
    thread_ = std::thread([this] { loop_.run(); });
  }
  /// Returns when nothing of the socket is left on the loop.
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(loop_, [this] { stop_.emit(boost::asio::cancellation_type::terminal); });
    thread_.join();
    socket_.reset();
  }
  Local::socket connect() {
    Local::socket socket(callers_);
    socket.connect(Local::endpoint(path_));
    return socket;
  }
  /// What comes until the other side closes.
  static std::string read_all(Local::socket& socket) {
    std::string text;
    boost::system::error_code ended;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), ended);
    return text;
  }
  void bury(const std::string& key) {
    Event event;
    event.store = "lake";
    event.object = {"inbox", key};
    event.detail_type = "Object Created";
    LedgerWrite write;
    write.dead.push_back({route_, to_json(event), ErrorKind::kCorrupt, "broken"});
    run_task(ledger_->write(std::move(write)));
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "control.sock";
  ManualClock clock_;
  std::unique_ptr<Ledger> ledger_;
  Api api_;
  RouteId route_{};
  boost::asio::io_context callers_;
  boost::asio::io_context loop_;
  boost::asio::cancellation_signal stop_;
  std::unique_ptr<ControlSocket> socket_;
  std::thread thread_;
  std::exception_ptr ended_;
};

TEST_F(ControlSocketTest, AnswersWhatTheApiAnswers) {
  serve();
  const auto answer = ask_engine(path_, {.path = "/api/v1/status"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr(R"("route":"load")"));
}

TEST_F(ControlSocketTest, CarriesAnyTextInAQuery) {
  const std::string key = "a b/&c=d%41+\xC3\xBC?#.json";
  bury(key);
  bury("other.json");
  serve();
  const auto answer =
      ask_engine(path_, {.path = "/api/v1/dead", .query = {{"key", "inbox/" + key}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("c=d%41+"));
  EXPECT_THAT(answer->body, testing::Not(HasSubstr("other.json")));
}

TEST_F(ControlSocketTest, CarriesABody) {
  bury("a.json");
  serve();
  const auto answer = ask_engine(
      path_, {.method = "POST", .path = "/api/v1/dead/drop", .body = R"({"route":"load"})"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, R"({"matched":1,"changed":1})");
}

TEST_F(ControlSocketTest, TellsAFailureByItsStatus) {
  serve();
  const auto answer = ask_engine(path_, {.path = "/api/v1/nothing"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
}

TEST_F(ControlSocketTest, NobodyAnswersWhereNothingListens) {
  EXPECT_FALSE(ask_engine(path_, {.path = "/api/v1/status"}));
  folder_.write("control.sock", "left behind");
  EXPECT_FALSE(ask_engine(path_, {.path = "/api/v1/status"}));
}

TEST_F(ControlSocketTest, TakesThePlaceOfASocketThatACrashLeft) {
  {
    Local::acceptor crashed(callers_, Local::endpoint(path_));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  serve();
  EXPECT_TRUE(ask_engine(path_, {.path = "/api/v1/status"}));
}

TEST_F(ControlSocketTest, OnlyItsOwnerMayOpenIt) {
  serve();
  struct stat there{};
  ASSERT_EQ(::stat(path_.c_str(), &there), 0);
  EXPECT_TRUE(S_ISSOCK(there.st_mode));
  EXPECT_EQ(there.st_mode & 0777u, 0600u);
}

TEST_F(ControlSocketTest, ItsFileIsGoneAtTheEnd) {
  serve();
  stop();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(ended_);
}

TEST_F(ControlSocketTest, APathBeyondWhatASocketCanHaveIsRefused) {
  const std::string path = folder_ / std::string(120, 'x');
  try {
    const ControlSocket socket(loop_.get_executor(), path, api_, silent_log());
    FAIL() << "bound";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr(path));
  }
}

TEST_F(ControlSocketTest, NonsenseEndsItsConnectionOnly) {
  serve();
  Local::socket caller = connect();
  boost::asio::write(caller, boost::asio::buffer(std::string("no HTTP at all\r\n\r\n")));
  EXPECT_EQ(read_all(caller), "");
  EXPECT_TRUE(ask_engine(path_, {.path = "/api/v1/status"}));
}

TEST_F(ControlSocketTest, ABodyBeyondTheLimitIsNotReadToItsEnd) {
  serve();
  Local::socket caller = connect();
  const std::string head =
      "POST /api/v1/events HTTP/1.1\r\nHost: h\r\nContent-Length: 16777217\r\n\r\n";
  boost::asio::write(caller, boost::asio::buffer(head));
  EXPECT_EQ(read_all(caller), "");
  EXPECT_TRUE(ask_engine(path_, {.path = "/api/v1/status"}));
}

TEST_F(ControlSocketTest, ConnectionsBeyondTheLimitAreClosedUnanswered) {
  serve();
  std::list<Local::socket> held;
  for (int i = 0; i < 64; ++i) held.push_back(connect());
  Local::socket last = connect();
  EXPECT_EQ(read_all(last), "");
}

TEST_F(ControlSocketTest, StoppingLetsGoOfWhoIsConnected) {
  serve();
  Local::socket silent = connect();
  Local::socket half = connect();
  boost::asio::write(half, boost::asio::buffer(std::string("GET /api/v1/status HTTP/1.1\r\n")));
  // Accepted in order: with this answered the two before are being served.
  EXPECT_TRUE(ask_engine(path_, {.path = "/api/v1/status"}));
  stop();
  EXPECT_EQ(read_all(silent), "");
  EXPECT_EQ(read_all(half), "");
}

}  // namespace
}  // namespace headrace
