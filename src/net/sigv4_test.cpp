#include "net/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// The credentials and moment of the examples in AWS's own reference.
const Credentials kExample{.access_key = "AKIAIOSFODNN7EXAMPLE",
                           .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const Time kMoment = *parse_time("2013-05-24T00:00:00Z");
const std::string kEmptyHash = sha256_hex({});

HttpRequest request(std::string method, std::string host, std::string path,
                    std::string query = {}) {
  HttpRequest result;
  result.method = std::move(method);
  result.url.scheme = "https";
  result.url.port = 443;
  result.url.host = std::move(host);
  result.url.path = std::move(path);
  result.url.query = std::move(query);
  return result;
}

std::string signature_of(const HttpRequest& request) {
  const std::string_view value = request.headers.get("Authorization");
  return std::string(value.substr(value.rfind('=') + 1));
}

std::string signature_of(const Url& url) { return url.query.substr(url.query.rfind('=') + 1); }

std::string signed_headers_of(const HttpRequest& request) {
  const std::string_view value = request.headers.get("Authorization");
  const std::size_t at = value.find("SignedHeaders=") + 14;
  return std::string(value.substr(at, value.find(',', at) - at));
}

TEST(Signer, SignsTheExamplesOfTheS3Reference) {
  const Signer signer({"us-east-1", "s3"});
  const std::string host = "examplebucket.s3.amazonaws.com";

  HttpRequest get = request("GET", host, "/test.txt");
  get.headers.set("Range", "bytes=0-9");
  signer.sign(get, kExample, kMoment, kEmptyHash);
  EXPECT_EQ(get.headers.get("Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  HttpRequest put = request("PUT", host, "/test%24file.text");
  put.headers.set("Date", "Fri, 24 May 2013 00:00:00 GMT");
  put.headers.set("x-amz-storage-class", "REDUCED_REDUNDANCY");
  signer.sign(put, kExample, kMoment, sha256_hex("Welcome to Amazon S3."));
  EXPECT_EQ(signature_of(put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  HttpRequest lifecycle = request("GET", host, "/", "lifecycle");
  signer.sign(lifecycle, kExample, kMoment, kEmptyHash);
  EXPECT_EQ(signature_of(lifecycle),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

  HttpRequest list = request("GET", host, "/", "max-keys=2&prefix=J");
  signer.sign(list, kExample, kMoment, kEmptyHash);
  EXPECT_EQ(signature_of(list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signer, PresignsTheExampleOfTheS3Reference) {
  const Signer signer({"us-east-1", "s3"});
  const HttpRequest get = request("GET", "examplebucket.s3.amazonaws.com", "/test.txt");
  const Url url =
      signer.presign("GET", get.url, {}, kExample, kMoment, std::chrono::seconds(86400));
  EXPECT_EQ(signature_of(url), "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  EXPECT_THAT(url.query, HasSubstr("X-Amz-Expires=86400"));
  EXPECT_THAT(url.query, HasSubstr("X-Amz-SignedHeaders=host"));
}

TEST(Signer, SignsTheExamplePolicyOfTheS3Reference) {
  // "Example: Browser-Based Upload using HTTP POST", whose date is of 2015.
  const std::string policy =
      "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAg"
      "ICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAi"
      "dXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25f"
      "cmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxf"
      "dXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQog"
      "ICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRl"
      "LWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAi"
      "Il0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMt"
      "ZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEy"
      "NTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
  const Signer signer({"us-east-1", "s3"});
  EXPECT_EQ(signer.sign_policy(policy, kExample, *parse_time("2015-12-29T00:00:00Z")),
            "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
}

TEST(Signer, SaysItsScope) {
  EXPECT_EQ(Signer({"eu-central-1", "s3"}).credential_scope(*parse_time("2026-01-31T23:59:59Z")),
            "20260131/eu-central-1/s3/aws4_request");
}

TEST(Signer, NamesThePortInTheHostOnlyWhereItIsNotTheSchemesOwn) {
  const Signer signer({"us-east-1", "s3"});
  HttpRequest here = request("GET", "127.0.0.1", "/bucket/key");
  here.url.scheme = "http";
  here.url.port = 9000;
  signer.sign(here, kExample, kMoment, kUnsignedPayload);
  EXPECT_EQ(here.headers.get("Host"), "127.0.0.1:9000");
  EXPECT_EQ(here.headers.get("X-Amz-Content-Sha256"), kUnsignedPayload);

  HttpRequest there = request("GET", "bucket.example.com", "/key");
  signer.sign(there, kExample, kMoment, kUnsignedPayload);
  EXPECT_EQ(there.headers.get("Host"), "bucket.example.com");
}

TEST(Signer, LeavesOutWhatProxiesChange) {
  const Signer signer({"us-east-1", "s3"});
  HttpRequest plain = request("PUT", "bucket.example.com", "/key");
  HttpRequest dressed = plain;
  for (const char* name : {"User-Agent", "Connection", "Expect", "Transfer-Encoding",
                           "Accept-Encoding", "Proxy-Authorization", "TE"}) {
    dressed.headers.set(name, "whatever");
  }
  signer.sign(plain, kExample, kMoment, kEmptyHash);
  signer.sign(dressed, kExample, kMoment, kEmptyHash);
  EXPECT_EQ(signature_of(plain), signature_of(dressed));
  EXPECT_EQ(signed_headers_of(dressed), "host;x-amz-content-sha256;x-amz-date");
}

TEST(Signer, SigningAgainReplacesTheSignatureBefore) {
  const Signer signer({"us-east-1", "s3"});
  Credentials passing = kExample;
  passing.session_token = "a-token";
  HttpRequest again = request("GET", "bucket.example.com", "/key");
  signer.sign(again, passing, kMoment, kEmptyHash);
  EXPECT_EQ(again.headers.get("X-Amz-Security-Token"), "a-token");
  EXPECT_THAT(signed_headers_of(again), EndsWith("x-amz-security-token"));

  const Time later = kMoment + std::chrono::hours(30);
  signer.sign(again, kExample, later, kEmptyHash);
  HttpRequest fresh = request("GET", "bucket.example.com", "/key");
  signer.sign(fresh, kExample, later, kEmptyHash);
  EXPECT_EQ(again.headers.size(), fresh.headers.size());
  EXPECT_EQ(again.headers.get("Authorization"), fresh.headers.get("Authorization"));
}

TEST(Signer, AddsTheContentHashForS3Only) {
  HttpRequest queue = request("POST", "sqs.us-east-1.amazonaws.com", "/");
  Signer({"us-east-1", "sqs"}).sign(queue, kExample, kMoment, sha256_hex("{}"));
  EXPECT_EQ(queue.headers.find("X-Amz-Content-Sha256"), nullptr);
  EXPECT_EQ(signed_headers_of(queue), "host;x-amz-date");
}

TEST(Signer, SignsAnS3KeyAsItIsAndOtherPathsNormalised) {
  const auto signatures = [](const char* service, const char* one, const char* other) {
    const Signer signer({"us-east-1", service});
    HttpRequest left = request("GET", "host.example.com", one);
    HttpRequest right = request("GET", "host.example.com", other);
    signer.sign(left, kExample, kMoment, kEmptyHash);
    signer.sign(right, kExample, kMoment, kEmptyHash);
    return std::pair(signature_of(left), signature_of(right));
  };
  const auto [s3, s3_normal] = signatures("s3", "/a//b/../c", "/a/c");
  EXPECT_NE(s3, s3_normal);
  const auto [sqs, sqs_normal] = signatures("sqs", "/a//b/../c", "/a/c");
  EXPECT_EQ(sqs, sqs_normal);
}

TEST(Signer, ManySecretsAndDaysDoNotMixTheirKeys) {
  const auto sign = [](const Signer& signer, int secret, int day) {
    Credentials credentials = kExample;
    credentials.secret_key = fmt::format("secret-{}", secret);
    HttpRequest get = request("GET", "host.example.com", "/");
    signer.sign(get, credentials, kMoment + std::chrono::hours(24 * day), kEmptyHash);
    return signature_of(get);
  };
  const Signer kept({"us-east-1", "s3"});
  for (int round = 0; round < 3; ++round) {
    for (int secret = 0; secret < 3; ++secret) {
      for (int day = 0; day < 3; ++day) {
        EXPECT_EQ(sign(kept, secret, day), sign(Signer({"us-east-1", "s3"}), secret, day));
      }
    }
  }
}

TEST(Presign, KeepsTheQueryAndPutsTheTokenIn) {
  const Signer signer({"us-east-1", "s3"});
  Credentials passing = kExample;
  passing.session_token = "a+b/c==";
  const HttpRequest get = request("GET", "bucket.example.com", "/key", "versionId=3");
  const Url url = signer.presign("GET", get.url, {}, passing, kMoment, std::chrono::minutes(5));
  EXPECT_THAT(url.query, testing::StartsWith("versionId=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
  EXPECT_THAT(url.query, HasSubstr("&X-Amz-Security-Token=a%2Bb%2Fc%3D%3D&"));
}

TEST(Presign, BindsTheHeadersItIsGiven) {
  const Signer signer({"us-east-1", "s3"});
  const HttpRequest put = request("PUT", "bucket.example.com", "/key");
  const Headers headers{{"Content-Type", "text/csv"}, {"x-amz-meta-a", "1"}};
  const Url url =
      signer.presign("PUT", put.url, headers, kExample, kMoment, std::chrono::minutes(5));
  EXPECT_THAT(url.query, HasSubstr("X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-meta-a"));
}

TEST(Presign, RefusesTimesThatNoStoreAccepts) {
  const Signer signer({"us-east-1", "s3"});
  const HttpRequest get = request("GET", "bucket.example.com", "/key");
  for (const Duration valid : {Duration(0), Duration(999'999), Duration(std::chrono::hours(169))}) {
    try {
      signer.presign("GET", get.url, {}, kExample, kMoment, valid);
      ADD_FAILURE() << "expected an Error for " << format_duration(valid);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), HasSubstr("1 second to 7 days"));
    }
  }
}

TEST(Sha256Hex, IsThePublishedDigest) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace headrace
