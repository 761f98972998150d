#include "net/proxy.h"

#include <gmock/gmock.h>

#include <map>

#include "testing/http_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct ExemptCase {
  const char* no_proxy;
  const char* url;
  bool exempt;
};

TEST(ProxyRules, KnowTheFormsOfNoProxy) {
  const ExemptCase rows[] = {
      {"", "http://example.com/", false},
      {"*", "http://example.com/", true},
      {"example.com", "http://example.com/", true},
      {"example.com", "http://EXAMPLE.com/", true},
      {"Example.COM", "http://example.com/", true},
      {"example.com", "http://s3.example.com/", true},
      {".example.com", "http://s3.example.com/", true},
      {".example.com", "http://example.com/", true},
      {"example.com", "http://notexample.com/", false},
      {"example.com", "http://example.com.evil.test/", false},
      {"a.test, example.com ,b.test", "http://example.com/", true},
      {"example.com:8080", "http://example.com:8080/", true},
      {"example.com:8080", "http://example.com/", false},
      {"127.0.0.1", "http://127.0.0.1:9000/", true},
      {"10.0.0.0/8", "http://10.20.30.40/", true},
      {"10.0.0.0/8", "http://11.20.30.40/", false},
      {"192.168.4.0/22", "http://192.168.7.255/", true},
      {"192.168.4.0/22", "http://192.168.8.0/", false},
      {"10.0.0.0/8", "http://ten.example.com/", false},
      {"fd00::/8", "http://[fd12::1]/", true},
      {"fd00::/8", "http://[fe80::1]/", false},
      {"10.0.0.0/99", "http://10.0.0.1/", false},
      {"::1", "http://[::1]/", true},
      {",,", "http://example.com/", false},
  };
  for (const ExemptCase& row : rows) {
    const ProxyRules rules({"http://proxy:3128", "", row.no_proxy});
    EXPECT_EQ(rules.find(parse_url(row.url)) == nullptr, row.exempt)
        << row.no_proxy << " for " << row.url;
  }
}

TEST(ProxyRules, KeepHttpAndHttpsApart) {
  const ProxyRules rules({"http://one:3128", "two:4128", ""});
  EXPECT_EQ(rules.find(parse_url("http://example.com/"))->host, "one");
  EXPECT_EQ(rules.find(parse_url("https://example.com/"))->host, "two");
  EXPECT_EQ(rules.find(parse_url("https://example.com/"))->port, 4128);
  EXPECT_EQ(ProxyRules({"http://one", "", ""}).find(parse_url("https://example.com/")), nullptr);
}

TEST(ProxyRules, TakeUserAndPasswordFromTheAddress) {
  const ProxyRules rules({"http://me:p%40ss@one:3128", "", ""});
  const Proxy* proxy = rules.find(parse_url("http://example.com/"));
  EXPECT_EQ(proxy->host, "one");
  EXPECT_EQ(proxy->authorization, "Basic bWU6cEBzcw==");  // "me:p@ss"
}

TEST(ProxyRules, RefuseAnAddressThatIsNoneWithoutShowingItsPassword) {
  for (const char* address :
       {"socks5://me:secret@one:1080", "http://me:secret@one:port", "http://"}) {
    try {
      ProxyRules rules({address, "", ""});
      ADD_FAILURE() << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("http proxy"), Not(HasSubstr("secret"))));
    }
  }
}

TEST(ProxyFromEnvironment, PrefersSmallLettersAndDistrustsHttpProxyInCapitals) {
  const std::map<std::string, std::string> values{
      {"HTTP_PROXY", "http://capital"},
      {"https_proxy", "http://small"},
      {"HTTPS_PROXY", "http://large"},
      {"NO_PROXY", "a,b"},
      {"no_proxy", ""},
  };
  const ProxyConfig config =
      proxy_from_environment([&](const std::string& name) -> std::optional<std::string> {
        const auto at = values.find(name);
        return at == values.end() ? std::nullopt : std::optional(at->second);
      });
  EXPECT_EQ(config.http, "");
  EXPECT_EQ(config.https, "http://small");
  EXPECT_EQ(config.no_proxy, "a,b");
}

TEST(Proxy, IsAskedForTheWholeUrlOfAnHttpRequest) {
  run_task([]() -> Task<> {
    const Executor executor = co_await boost::asio::this_coro::executor;
    HttpPeer proxy(executor);
    HttpClientConfig config;
    config.proxy.http = fmt::format("http://me:secret@127.0.0.1:{}", proxy.port());
    HttpClient client(executor, real_clock(), config);
    const auto ask = [&]() -> Task<> {
      const HttpAnswer answer =
          co_await fetch(client, request_to("http://store.test:9000/bucket/key?x=1"));
      EXPECT_EQ(answer.body, "hello");
    };
    co_await (ask() && proxy.answer_all({answer_text(200, "hello")}));
    EXPECT_THAT(proxy.requests().at(0),
                AllOf(StartsWith("GET http://store.test:9000/bucket/key?x=1 HTTP/1.1\r\n"
                                 "Host: store.test:9000\r\n"),
                      HasSubstr("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n")));
  }());
}

TEST(Proxy, IsAskedForATunnelForHttps) {
  const Certificate authority = make_authority();
  const TempFolder folder;
  folder.write("ca.pem", authority.certificate);
  run_task([&]() -> Task<> {
    const Executor executor = co_await boost::asio::this_coro::executor;
    HttpPeer proxy(executor);
    HttpClientConfig config;
    config.ca_file = folder / "ca.pem";
    config.proxy.https = fmt::format("http://me:secret@127.0.0.1:{}", proxy.port());
    HttpClient client(executor, real_clock(), config);
    const auto ask = [&]() -> Task<> {
      const HttpAnswer answer = co_await fetch(client, request_to("https://store.test/key"));
      EXPECT_EQ(answer.body, "hello");
    };
    const auto carry = [&]() -> Task<> {
      PeerConnection connection = co_await proxy.accept();
      EXPECT_EQ(co_await connection.read_head(),
                "CONNECT store.test:443 HTTP/1.1\r\nHost: store.test:443\r\n"
                "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
      co_await connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
      // The proxy of a test is the server as well.
      EXPECT_TRUE(co_await connection.start_tls(make_certificate(authority, "store.test")));
      EXPECT_THAT(co_await connection.read_request(),
                  AllOf(StartsWith("GET /key HTTP/1.1\r\nHost: store.test\r\n"),
                        Not(HasSubstr("Proxy-Authorization"))));
      co_await connection.send(answer_text(200, "hello"));
    };
    co_await (ask() && carry());
  }());
}

TEST(Proxy, ThatRefusesATunnelIsNamed) {
  struct Refusal {
    int status;
    ErrorKind kind;
    const char* message;
  };
  for (const Refusal& row : {Refusal{407, ErrorKind::kInvalid, "user and password (407)"},
                             Refusal{502, ErrorKind::kTransient, "(status 502)"}}) {
    run_task([&]() -> Task<> {
      const Executor executor = co_await boost::asio::this_coro::executor;
      HttpPeer proxy(executor);
      HttpClientConfig config;
      config.proxy.https = proxy.url("");
      HttpClient client(executor, real_clock(), config);
      const auto ask = [&]() -> Task<> {
        const Error error = co_await failure_of(client.send(request_to("https://store.test/")));
        EXPECT_EQ(error.kind(), row.kind);
        EXPECT_THAT(error.what(), AllOf(HasSubstr(row.message), HasSubstr("proxy 127.0.0.1:")));
      };
      co_await (ask() && proxy.answer_all({answer_text(row.status)}));
    }());
  }
}

}  // namespace
}  // namespace headrace
