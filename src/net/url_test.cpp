#include <gmock/gmock.h>

#include "core/error.h"
#include "net/http.h"

namespace headrace {
namespace {

TEST(Url, IsTakenApart) {
  const Url url = parse_url("HTTPS://Store.Example.com:9443/a%2Fb//c?list-type=2&x=%20#part");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "store.example.com");
  EXPECT_EQ(url.port, 9443);
  EXPECT_EQ(url.path, "/a%2Fb//c");
  EXPECT_EQ(url.query, "list-type=2&x=%20");
  EXPECT_EQ(url.authority(), "store.example.com:9443");
  EXPECT_EQ(url.target(), "/a%2Fb//c?list-type=2&x=%20");
  EXPECT_EQ(url.text(), "https://store.example.com:9443/a%2Fb//c");
}

TEST(Url, HasDefaults) {
  const Url plain = parse_url("http://example.com");
  EXPECT_EQ(plain.port, 80);
  EXPECT_EQ(plain.path, "/");
  EXPECT_EQ(plain.authority(), "example.com");
  EXPECT_EQ(parse_url("https://example.com").port, 443);
  EXPECT_EQ(parse_url("https://example.com:443/").authority(), "example.com");
  EXPECT_EQ(parse_url("http://example.com?x=1").target(), "/?x=1");
}

TEST(Url, KeepsAnIpv6AddressWithoutBrackets) {
  const Url url = parse_url("http://[::1]:9000/x");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 9000);
  EXPECT_EQ(url.authority(), "[::1]:9000");
}

TEST(Url, RefusesWhatItIsNotMadeFor) {
  for (const char* text :
       {"", "example.com", "ftp://example.com/", "http://", "http:///path", "http://a b/",
        "http://a/b c", "http://a/\n", "http://a:0/", "http://a:65536/", "http://a:x/",
        "http://[::1/", "http://[host]/", "http://[::1]x/", "http://a\"b/", "http://me@a/"}) {
    try {
      parse_url(text);
      ADD_FAILURE() << "'" << text << "' was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << text;
    }
  }
}

TEST(Url, NeverShowsASecretInAnError) {
  for (const char* text : {"http://me:secret@host/", "http://host:x/?signature=secret"}) {
    try {
      parse_url(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
    }
  }
}

TEST(UriEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(uri_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(uri_encode("a b+c%d&e=f#g?/"), "a%20b%2Bc%25d%26e%3Df%23g%3F%2F");
  EXPECT_EQ(uri_encode("a/b c", true), "a/b%20c");
  EXPECT_EQ(uri_encode("\xc3\xbc"), "%C3%BC");
}

TEST(UriDecode, ReversesTheEncoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(uri_decode(uri_encode(all)), all);
  EXPECT_EQ(uri_decode(uri_encode(all, true)), all);
}

TEST(UriDecode, KeepsWhatIsNoEscapeAndTakesPlusForASpaceWhenAsked) {
  EXPECT_EQ(uri_decode("100%"), "100%");
  EXPECT_EQ(uri_decode("%4"), "%4");
  EXPECT_EQ(uri_decode("%zz%2f"), "%zz/");
  EXPECT_EQ(uri_decode("a+b%2B"), "a+b+");
  EXPECT_EQ(uri_decode("a+b%2B", true), "a b+");
}

TEST(Headers, CompareNamesWithoutRegardToCase) {
  Headers headers{{"ETag", "1"}, {"X-A", "2"}, {"x-a", "3"}};
  EXPECT_EQ(headers.get("etag"), "1");
  EXPECT_EQ(headers.get("X-a"), "2");
  EXPECT_EQ(headers.find("x-b"), nullptr);
  headers.set("X-A", "4");
  EXPECT_EQ(headers.get("x-a"), "4");
  EXPECT_EQ(headers.size(), 2u);
  headers.remove("ETAG");
  EXPECT_EQ(headers.get("etag"), "");
}

}  // namespace
}  // namespace headrace
