#include "source/webhook/webhook_source.h"

#include "core/base64.h"
#include "core/signal.h"
#include "net/http_server.h"
#include "source/digest.h"
#include "source/source_spec.h"
#include "testing/fault_store.h"
#include "testing/source_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WebhookSourceTest : public SourceTest {
 protected:
  void open() {
    options_.messages.name = "incoming";
    options_.messages.store = "lake";
    options_.path = "/events";
    listener_ =
        std::make_shared<WebhookListener>(ListenAddress{"127.0.0.1", 0, true}, silent_log());
    source_ = make_webhook_source(options_, listener_, client_, store_under_test(), {}, clock_,
                                  silent_log());
    door_ = &start(source_->run());
    until([&] { return listener_->bound().has_value(); });
  }
  virtual Store& store_under_test() { return *store_; }

  HttpRequest request(std::string body, Headers headers = {}, std::string target = "/events") {
    HttpRequest made;
    made.method = "POST";
    made.url = parse_url("http://" + *listener_->bound() + target);
    made.headers = std::move(headers);
    made.body.bytes = std::move(body);
    return made;
  }
  /// Sends a request; its answer is there once the loop has run long enough.
  std::shared_ptr<std::optional<HttpAnswer>> send(HttpRequest request) {
    auto answer = std::make_shared<std::optional<HttpAnswer>>();
    start([](HttpClient& client, HttpRequest made,
             std::shared_ptr<std::optional<HttpAnswer>> out) -> Task<> {
      *out = co_await fetch(client, std::move(made));
    }(client_, std::move(request), answer));
    return answer;
  }
  HttpAnswer ask(HttpRequest made) {
    const auto answer = send(std::move(made));
    until([&] { return answer->has_value(); });
    return **answer;
  }
  int status_of(std::string body, Headers headers = {}, std::string target = "/events") {
    return ask(request(std::move(body), std::move(headers), std::move(target))).status;
  }
  /// A message of which nothing is to be written: answered at once if it may come in.
  static std::string harmless() { return R"({"Records":[]})"; }

  WebhookOptions options_;
  std::shared_ptr<WebhookListener> listener_;
  Background* door_ = nullptr;
};

TEST_F(WebhookSourceTest, AnswersOnlyWhenTheEventIsDurable) {
  open();
  const auto answer = send(request(created("a")));
  const auto batch = next();
  EXPECT_THAT(keys_of(*batch), ElementsAre("a"));
  EXPECT_EQ(batch->events[0].origin, "incoming");
  EXPECT_EQ(status_of(harmless()), 200);  // The door serves others meanwhile.
  EXPECT_FALSE(answer->has_value());
  ack(*batch);
  until([&] { return answer->has_value(); });
  EXPECT_EQ((*answer)->status, 200);
}

TEST_F(WebhookSourceTest, GathersManyRequestsIntoABatch) {
  open();
  std::vector<std::shared_ptr<std::optional<HttpAnswer>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(send(request(created(fmt::format("{:02}", i)))));
  std::size_t events = 0;
  while (events < 20) {
    const auto batch = next();
    events += batch->events.size();
    ack(*batch);
  }
  for (const auto& answer : answers) {
    until([&] { return answer->has_value(); });
    EXPECT_EQ((*answer)->status, 200);
  }
}

TEST_F(WebhookSourceTest, MakesADeadLetterOfABodyThatIsNoEvent) {
  open();
  const auto answer = send(request("hello"));
  const auto batch = next();
  EXPECT_THAT(batch->events, IsEmpty());
  ASSERT_EQ(batch->garbage.size(), 1u);
  EXPECT_EQ(batch->garbage[0].raw, "hello");
  EXPECT_FALSE(answer->has_value());
  ack(*batch);
  until([&] { return answer->has_value(); });
  EXPECT_EQ((*answer)->status, 200);
}

TEST_F(WebhookSourceTest, RefusesWhatIsNoPostToItsPath) {
  open();
  EXPECT_EQ(status_of(harmless(), {}, "/elsewhere"), 404);
  HttpRequest get = request("");
  get.method = "GET";
  EXPECT_EQ(ask(std::move(get)).status, 405);
}

TEST_F(WebhookSourceTest, RefusesABodyThatIsTooLarge) {
  options_.body_bytes = 2000;
  open();
  EXPECT_EQ(status_of(std::string(2001, 'x')), 413);
  EXPECT_EQ(status_of(harmless()), 200);
}

TEST_F(WebhookSourceTest, TellsProducersToWaitWhenTooMuchIsNotDurable) {
  options_.pending = 2;
  open();
  const auto first = send(request(message({record("a"), record("b")})));
  const auto batch = next();
  const HttpAnswer second = ask(request(created("c")));
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.headers.get("Retry-After"), "2");
  ack(*batch);
  until([&] { return first->has_value(); });
  EXPECT_EQ(status_of(harmless()), 200);
}

TEST_F(WebhookSourceTest, AnswersWhoWaitsWhenItIsStopped) {
  open();
  const auto answer = send(request(created("a")));
  const auto batch = next();
  stop(*door_);
  until([&] { return answer->has_value(); });
  EXPECT_EQ((*answer)->status, 503);
}

TEST_F(WebhookSourceTest, EndsAtOnceWhenDraining) {
  listener_ = std::make_shared<WebhookListener>(ListenAddress{"127.0.0.1", 0, true}, silent_log());
  source_ = make_webhook_source(options_, listener_, client_, *store_, {}, clock_, silent_log());
  source_->drain();
  start(source_->run());
  EXPECT_EQ(failure(), std::nullopt);
  EXPECT_FALSE(next());
  EXPECT_FALSE(listener_->bound());
}

TEST_F(WebhookSourceTest, AllowsACloudEventsSenderToSend) {
  open();
  HttpRequest options = request("", {{"WebHook-Request-Origin", "events.example.com"}});
  options.method = "OPTIONS";
  const HttpAnswer answer = ask(std::move(options));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("WebHook-Allowed-Origin"), "events.example.com");
  EXPECT_EQ(answer.headers.get("WebHook-Allowed-Rate"), "*");
}

TEST_F(WebhookSourceTest, TakesTheTokenAsProducersCanSendIt) {
  options_.auth.token = "secret token";
  options_.auth.token_header = "X-Api-Key";
  open();
  EXPECT_EQ(status_of(harmless()), 401);
  const std::string basic = to_base64("user:secret token");
  EXPECT_EQ(status_of(harmless(), {{"Authorization", "Bearer secret token"}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"authorization", "bearer secret token"}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"Authorization", "secret token"}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"Authorization", "Basic " + basic}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"X-Api-Key", "secret token"}}), 200);
  EXPECT_EQ(status_of(harmless(), {}, "/events?a=b&token=secret+token"), 200);
  for (const char* wrong : {"Bearer secret", "Bearer secret tokens", "Bearer ", "Basic !", "x"}) {
    EXPECT_EQ(status_of(harmless(), {{"Authorization", wrong}}), 401) << wrong;
  }
  EXPECT_EQ(status_of(harmless(), {{"X-Api-Key", ""}}), 401);
  EXPECT_EQ(status_of(harmless(), {}, "/events?token="), 401);
}

TEST_F(WebhookSourceTest, ChecksTheSignatureOfTheBody) {
  options_.auth.hmac_secret = "key";
  options_.auth.hmac_header = "X-Signature";
  open();
  const std::string mac = hmac_sha256("key", harmless());
  std::string hex;
  for (const char byte : mac) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  EXPECT_EQ(status_of(harmless(), {{"X-Signature", "sha256=" + hex}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"X-Signature", hex}}), 200);
  EXPECT_EQ(status_of(harmless(), {{"X-Signature", to_base64(mac)}}), 200);
  EXPECT_EQ(status_of(harmless() + " ", {{"X-Signature", hex}}), 401);
  EXPECT_EQ(status_of(harmless()), 401);
}

/// Only whoever shows the token makes the door read a body, which may be as large as it likes: the
/// answer comes although none of it is sent.
TEST_F(WebhookSourceTest, AnswersAStrangerWithoutReadingTheBody) {
  options_.auth.token = "secret";
  open();
  struct Never final : ByteSource {
    Task<Bytes> read() override {
      Signal never;
      while (true) co_await never.wait();
    }
  } never;
  const auto posted = [&](Headers headers, const std::string& target, const char* method = "POST") {
    HttpRequest made = request("", std::move(headers), target);
    made.method = method;
    made.body.stream = &never;
    made.body.length = 10u << 20;
    return ask(std::move(made)).status;
  };
  EXPECT_EQ(posted({}, "/events"), 401);
  EXPECT_EQ(posted({}, "/events", "OPTIONS"), 200);
  EXPECT_EQ(posted({{"Authorization", "Bearer secret"}}, "/elsewhere"), 404);
  EXPECT_EQ(posted({{"Authorization", "Bearer secret"}}, "/events"), 413);
  EXPECT_EQ(status_of(harmless(), {{"Authorization", "Bearer secret"}}), 200);
}

TEST_F(WebhookSourceTest, AsksForTokenAndSignatureWhereBothAreSet) {
  options_.auth.token = "secret";
  options_.auth.hmac_secret = "key";
  open();
  const std::string mac = to_base64(hmac_sha256("key", harmless()));
  const Headers::Field token{"Authorization", "Bearer secret"};
  const Headers::Field signature{"X-Hub-Signature-256", mac};
  EXPECT_EQ(status_of(harmless(), {token, signature}), 200);
  EXPECT_EQ(status_of(harmless(), {token}), 401);
  EXPECT_EQ(status_of(harmless(), {signature}), 401);
}

/// A store that cannot be asked, for events that their producer may not have meant.
class WebhookStoreTest : public WebhookSourceTest {
 protected:
  Store& store_under_test() override { return faulty_; }
  /// radosgw's announcement of a write that it refused.
  static std::string ghost(const std::string& key) {
    return fmt::format(
        R"({{"Records":[{{"eventVersion":"2.2","eventSource":"ceph:s3","awsRegion":"",)"
        R"("eventTime":"0.000000","eventName":"ObjectCreated:Put","s3":{{"bucket":{{)"
        R"("name":"bucket"}},"object":{{"key":"{}","size":9,"eTag":"","versionId":"",)"
        R"("sequencer":"D9F5026BC1AC280F"}}}},"eventId":"1795356121.254323.x"}}]}})",
        key);
  }
  FaultStore faulty_{make_memory_store(clock_), clock_, 1};
};

TEST_F(WebhookStoreTest, AsksTheStoreWhetherAGhostIsReal) {
  open();
  EXPECT_EQ(status_of(ghost("never")), 200);  // Not there: nothing to write.
  run([](Store& store) -> Task<bool> {
    co_await store.put(ObjectKey{"bucket", "real"}, "12345");
    co_return true;
  }(faulty_));
  send(request(ghost("real")));
  const auto batch = next();
  ASSERT_EQ(batch->events.size(), 1u);
  EXPECT_EQ(batch->events[0].size, 5u);
  EXPECT_EQ(batch->events[0].time, clock_.now());
  ack(*batch);
}

TEST_F(WebhookStoreTest, HasTheProducerRepeatWhatTheStoreCannotTell) {
  StoreFault fault;
  fault.call = StoreCall::kHead;
  fault.times = 1;
  faulty_.add(fault);
  open();
  EXPECT_EQ(status_of(ghost("never")), 503);
  EXPECT_EQ(status_of(ghost("never")), 200);
}

/// SNS asks for a confirmation at a server that the test plays.
class SnsHandshakeTest : public WebhookSourceTest {
 protected:
  SnsHandshakeTest() { start(sns_.run()); }
  std::string origin() const { return fmt::format("http://127.0.0.1:{}", sns_.port()); }
  std::string confirmation(const std::string& url) {
    return fmt::format(
        R"({{"Type":"SubscriptionConfirmation","MessageId":"m","Token":"t",)"
        R"("TopicArn":"arn:aws:sns:eu-central-1:123456789012:topic","Message":"You have chosen",)"
        R"("SubscribeURL":"{}","Timestamp":"2027-01-15T08:00:00.000Z"}})",
        url);
  }

  std::vector<std::string> asked_;
  int answer_ = 200;
  HttpServer sns_{loop_.get_executor(),
                  {},
                  [this](ServedRequest request) -> Task<ServedAnswer> {
                    asked_.push_back(request.path + "?" + request.query);
                    co_return ServedAnswer{answer_, {}, ""};
                  },
                  silent_log()};
};

TEST_F(SnsHandshakeTest, ConfirmsAtAHostThatIsTrusted) {
  options_.trusted_sns = origin();
  open();
  const std::string target = "/?Action=ConfirmSubscription&Token=t";
  EXPECT_EQ(status_of(confirmation(origin() + target)), 200);
  EXPECT_THAT(asked_, ElementsAre(target));
  answer_ = 500;
  EXPECT_EQ(status_of(confirmation(origin() + target)), 503);
}

TEST_F(SnsHandshakeTest, NeverAsksAHostThatIsNot) {
  open();
  EXPECT_EQ(status_of(confirmation(origin() + "/?Action=ConfirmSubscription&Token=t")), 403);
  EXPECT_THAT(asked_, IsEmpty());
}

TEST(SnsConfirmation, IsFetchedOnlyFromSns) {
  const std::string query = "?Action=ConfirmSubscription&TopicArn=a&Token=t";
  for (const char* good :
       {"https://sns.eu-central-1.amazonaws.com/", "https://sns.cn-north-1.amazonaws.com.cn/",
        "https://SNS.us-gov-west-1.amazonaws.com:443/"}) {
    EXPECT_TRUE(is_sns_confirmation(good + query, "")) << good;
  }
  for (const char* bad :
       {"http://sns.eu-central-1.amazonaws.com/", "https://sns.eu-central-1.amazonaws.com:8443/",
        "https://sns.eu-central-1.amazonaws.com.evil.org/", "https://sns.evil.org/",
        "https://evil.org/sns.eu-central-1.amazonaws.com", "https://sns..amazonaws.com/",
        "https://sns.x.y.amazonaws.com/", "https://sns.amazonaws.com/",
        "https://x@sns.eu-central-1.amazonaws.com/", "https://evilsns.a.amazonaws.com/",
        "https://bucket.s3.amazonaws.com/", "http://169.254.169.254/", "file:///etc/passwd"}) {
    EXPECT_FALSE(is_sns_confirmation(bad + query, "")) << bad;
  }
  EXPECT_FALSE(is_sns_confirmation("https://sns.eu-central-1.amazonaws.com/?Action=Publish", ""));
  const std::string local = "http://127.0.0.1:4566";
  EXPECT_TRUE(is_sns_confirmation(local + "/" + query, local));
  EXPECT_FALSE(is_sns_confirmation("http://127.0.0.1:4567/" + query, local));
  EXPECT_FALSE(is_sns_confirmation("https://127.0.0.1:4566/" + query, local));
}

TEST(ListenAddress, IsAnIpAddressAndAPort) {
  EXPECT_EQ(ListenAddress::parse("localhost:0").address, "127.0.0.1");
  EXPECT_EQ(ListenAddress::parse("[::1]:8480").address, "::1");
  EXPECT_TRUE(ListenAddress::parse("127.0.0.2:1").loopback);
  EXPECT_FALSE(ListenAddress::parse("0.0.0.0:80").loopback);
  for (const char* wrong : {"", "8480", ":8480", "example.com:80", "127.0.0.1:", "127.0.0.1:65536",
                            "127.0.0.1:80x", "127.0.0.1"}) {
    EXPECT_NE(wrong_listen_address(wrong), "") << wrong;
  }
}

TEST(Secrets, AreEqualOnlyAsAWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  for (const char* other : {"", "ab", "abcd", "abd"}) EXPECT_FALSE(same_secret(other, "abc"));
  EXPECT_EQ(md5_hex("hello"), "5d41402abc4b2a76b9719d911017c592");
}

}  // namespace
}  // namespace headrace
