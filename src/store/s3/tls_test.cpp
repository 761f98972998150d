// The store over TLS, set up as a stack's stanza says, against a peer with a certificate of its own
// authority.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <functional>

#include "core/error.h"
#include "store/s3/s3_store.h"
#include "testing/http_peer.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace::s3 {
namespace {

using testing::HasSubstr;

class S3TlsTest : public testing::Test {
 protected:
  using Client = std::function<Task<>(S3Store&)>;

  S3TlsTest() {
    folder_.write("ca.pem", authority_.certificate);
    folder_.write("other-ca.pem", make_authority().certificate);
    stanza_.region = "eu-central-1";
    stanza_.credentials.from = CredentialsStanza::From::kKeys;
    stanza_.credentials.access_key = "AKIA1";
    stanza_.credentials.secret_key = "hush-hush";
  }

  /// Lets `client` talk to a TLS peer on one connection that gives these answers. A client that
  /// does not trust it leaves, and none is given.
  void talk(std::vector<std::string> answers, Client client) {
    run_task([](S3TlsTest& test, std::vector<std::string> given, Client side) -> Task<> {
      using namespace boost::asio::experimental::awaitable_operators;
      const auto executor = co_await boost::asio::this_coro::executor;
      HttpPeer peer(executor);
      test.stanza_.endpoint = fmt::format("https://localhost:{}", peer.port());
      const auto store =
          make_s3_store(test.stanza_, "lake", "", executor, real_clock(), real_random());
      co_await (side(*store) && test.serve(peer, std::move(given)));
    }(*this, std::move(answers), std::move(client)));
  }

  Error refusal() {
    std::optional<Error> caught;
    talk({}, [&](S3Store& store) -> Task<> {
      try {
        co_await store.list("bucket", {});
      } catch (const Error& error) {
        caught = error;
      }
    });
    return caught.value_or(Error(ErrorKind::kBug, "nothing was thrown"));
  }

  Certificate authority_ = make_authority();
  Certificate certificate_ = make_certificate(authority_, "localhost");
  TempFolder folder_;
  S3StoreStanza stanza_;
  std::vector<std::string> requests_;

 private:
  Task<> serve(HttpPeer& peer, std::vector<std::string> answers) {
    PeerConnection connection = co_await peer.accept();
    if (co_await connection.start_tls(certificate_)) {
      for (std::string& answer : answers) {
        requests_.push_back(co_await connection.read_request());
        co_await connection.send(std::move(answer));
      }
    }
    connection.close();
  }
};

TEST_F(S3TlsTest, SpeaksToAServerOfTheAuthorityInItsCaFile) {
  stanza_.ca_file = folder_ / "ca.pem";
  const ObjectKey key{"bucket", "folder/a b"};
  talk(
      {answer_text(200, "", {{"ETag", "\"e1\""}}), answer_text(200, "hello", {{"ETag", "\"e1\""}})},
      [&](S3Store& store) -> Task<> {
        EXPECT_EQ(co_await store.put(key, "hello"), Etag{"e1"});
        EXPECT_EQ(co_await read_object(store, key, 10), "hello");
      });
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_THAT(requests_[0], HasSubstr("PUT /bucket/folder/a%20b HTTP/1.1"));
  EXPECT_THAT(requests_[0], HasSubstr("Host: localhost:"));
  EXPECT_THAT(requests_[0], HasSubstr("/eu-central-1/s3/aws4_request"));
}

/// Nothing of a request, and no signature, goes to a server that is not known.
TEST_F(S3TlsTest, TrustsNoOtherAuthorityAndSaysWhereToNameIt) {
  for (const char* ca_file : {"", "other-ca.pem"}) {
    stanza_.ca_file.reset();
    if (*ca_file != '\0') stanza_.ca_file = folder_ / ca_file;
    const Error error = refusal();
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << ca_file;
    EXPECT_THAT(error.what(), HasSubstr("https://localhost:"));
    EXPECT_THAT(error.what(), HasSubstr("the server's certificate: its authority is not known "
                                        "here; name the authority's file as ca_file"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("hush-hush")));
  }
  EXPECT_THAT(requests_, testing::IsEmpty());
}

TEST_F(S3TlsTest, TakesNoCertificateOfAnotherHost) {
  stanza_.ca_file = folder_ / "ca.pem";
  certificate_ = make_certificate(authority_, "elsewhere.test");
  const Error error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), HasSubstr("it is not for 'localhost'"));
}

TEST_F(S3TlsTest, TakesAnyCertificateWhenToldNotToVerify) {
  stanza_.verify = false;
  certificate_ = make_certificate(make_authority(), "elsewhere.test");
  talk({answer_text(200, "", {{"ETag", "\"e1\""}})},
       [&](S3Store& store) -> Task<> { EXPECT_TRUE(co_await store.head({"bucket", "key"})); });
}

}  // namespace
}  // namespace headrace::s3
