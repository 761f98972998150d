#include "net/tls.h"

#include <gmock/gmock.h>

#include "testing/http_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::HasSubstr;

/// One authority for all tests of this file, and a folder with its certificate.
struct Trust {
  Trust() { folder.write("ca.pem", authority.certificate); }
  Certificate authority = make_authority();
  TempFolder folder;

  HttpClientConfig config() const {
    HttpClientConfig config;
    config.ca_file = folder / "ca.pem";
    return config;
  }
};

std::string secure_url(const HttpPeer& peer, std::string_view host) {
  return fmt::format("https://{}:{}/key", host, peer.port());
}

/// A peer with this certificate that gives one answer after the other.
Side tls_peer(Certificate certificate, std::vector<std::string> answers) {
  return [=](HttpClient&, HttpPeer& peer) -> Task<> {
    PeerConnection connection = co_await peer.accept();
    EXPECT_TRUE(co_await connection.start_tls(certificate));
    for (const std::string& answer : answers) {
      co_await connection.read_request();
      co_await connection.send(answer);
    }
    connection.close();
  };
}

/// A peer whose certificate the client will not have.
Side refused_peer(Certificate certificate) {
  return [=](HttpClient&, HttpPeer& peer) -> Task<> {
    PeerConnection connection = co_await peer.accept();
    co_await connection.start_tls(certificate);
    connection.close();
  };
}

TEST(Tls, ChecksTheCertificateAndReusesTheConnection) {
  const Trust trust;
  for (const char* host : {"localhost", "127.0.0.1"}) {
    meet(
        [&](HttpClient& client, HttpPeer& peer) -> Task<> {
          const std::string url = secure_url(peer, host);
          EXPECT_EQ((co_await fetch(client, request_to(url))).body, "one");
          const Bytes body(1 << 20, 'x');
          EXPECT_EQ((co_await fetch(client, request_to(url, "PUT", body))).body, "two");
          EXPECT_EQ(peer.connections(), 1u);
        },
        tls_peer(make_certificate(trust.authority, host),
                 {answer_text(200, "one"), answer_text(200, "two")}),
        trust.config());
  }
}

TEST(Tls, ReadsALargeBody) {
  const Trust trust;
  const Bytes large(3 << 20, 'y');
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const HttpAnswer answer =
            co_await fetch(client, request_to(secure_url(peer, "localhost")), large.size());
        EXPECT_TRUE(answer.body == large);
      },
      tls_peer(make_certificate(trust.authority, "localhost"), {answer_text(200, large)}),
      trust.config());
}

struct BadCertificate {
  const char* name;
  std::string host;  ///< In the certificate.
  int last;          ///< Day of its end.
  bool known;        ///< Whether the client knows the authority.
  const char* message;
};

class TlsRefusal : public testing::TestWithParam<BadCertificate> {};

TEST_P(TlsRefusal, IsInvalidAndSaysWhatToDo) {
  const BadCertificate& row = GetParam();
  const Trust trust;
  const Certificate authority = row.known ? trust.authority : make_authority();
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error =
            co_await failure_of(client.send(request_to(secure_url(peer, "localhost"))));
        EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
        EXPECT_THAT(error.what(), HasSubstr("the server's certificate"));
        EXPECT_THAT(error.what(), HasSubstr(row.message));
      },
      refused_peer(make_certificate(authority, row.host, row.last)), trust.config());
}

INSTANTIATE_TEST_SUITE_P(
    Certificates, TlsRefusal,
    testing::Values(
        BadCertificate{"ForAnotherName", "elsewhere.test", 1, true,
                       "it is not for 'localhost'; use a name that is in the certificate"},
        BadCertificate{"ForAnAddressOnly", "127.0.0.1", 1, true, "it is not for 'localhost'"},
        BadCertificate{"OfAnUnknownAuthority", "localhost", 1, false,
                       "name the authority's file as ca_file"},
        BadCertificate{"Expired", "localhost", -1, true,
                       "it has expired; have it renewed, or set this machine's clock"}),
    [](const auto& row) { return row.param.name; });

TEST(Tls, TakesAnyCertificateWhenToldNotToVerify) {
  HttpClientConfig config;
  config.verify = false;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        EXPECT_EQ((co_await fetch(client, request_to(secure_url(peer, "localhost")))).body, "ok");
      },
      tls_peer(make_certificate(make_authority(), "elsewhere.test", -1), {answer_text(200, "ok")}),
      config);
}

TEST(Tls, SaysWhenTheServerSpeaksNoTls) {
  const Trust trust;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error =
            co_await failure_of(client.send(request_to(secure_url(peer, "localhost"))));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("TLS handshake: "));
      },
      [](HttpClient&, HttpPeer& peer) -> Task<> {
        PeerConnection connection = co_await peer.accept();
        co_await connection.send(answer_text(400, "plain HTTP"));
        co_await connection.until_closed();
      },
      trust.config());
}

TEST(Tls, DoesNotTakeACutConnectionForTheEndOfABody) {
  const Trust trust;
  meet(
      [](HttpClient& client, HttpPeer& peer) -> Task<> {
        const Error error =
            co_await failure_of(fetch(client, request_to(secure_url(peer, "localhost"))));
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        EXPECT_THAT(error.what(), HasSubstr("closed the connection"));
      },
      // No length: the body ends with the connection, and that needs TLS's own goodbye.
      tls_peer(make_certificate(trust.authority, "localhost"),
               {"HTTP/1.1 200 OK\r\n\r\nhalf a bo"}),
      trust.config());
}

TEST(Tls, RefusesACaFileThatIsNone) {
  const Trust trust;
  trust.folder.write("empty.pem", "nothing");
  for (const char* name : {"empty.pem", "missing.pem"}) {
    run_task([&]() -> Task<> {
      HttpClientConfig config;
      config.ca_file = trust.folder / name;
      HttpClient client(co_await boost::asio::this_coro::executor, real_clock(), config);
      const Error error = co_await failure_of(client.send(request_to("https://127.0.0.1:1/")));
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), HasSubstr(std::string("ca_file ") + (trust.folder / name)));
    }());
  }
}

}  // namespace
}  // namespace headrace
