#include "event/producer_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace headrace {
namespace {

TEST(FormKey, IsDecodedOnce) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"plain/key.txt", "plain/key.txt"},
      {"a+b", "a b"},
      {"a%2Bb", "a+b"},
      {"a%2bb", "a+b"},
      {"a%20b", "a b"},
      {"dir%2Fname", "dir/name"},
      {"%252F", "%2F"},
      {"x%3D1%26y%3D2%3F%23", "x=1&y=2?#"},
      {"%C3%A9", "é"},
      {"%E6%97%A5", "日"},
      {"%F0%9F%98%80", "😀"},
      {"a//b/../c", "a//b/../c"},
      {"+", " "},
      {"", ""},
  };
  for (const auto& [encoded, key] : rows) EXPECT_EQ(decode_form_key(encoded), key) << encoded;
}

TEST(FormKey, StaysAsItIsIfNoEncoderWroteIt) {
  for (const char* raw : {"100%", "50%+x", "a%zz", "a%2", "with space+plus%20", "é ü"}) {
    EXPECT_EQ(decode_form_key(raw), raw);
  }
  EXPECT_EQ(decode_form_key("é+ü"), "é ü") << "bare letters beyond ASCII are no proof";
}

TEST(AwsSequencer, OrdersByTextAsAwsDoesWithPadding) {
  EXPECT_EQ(aws_sequencer("0055AED6DCD90281E5"), "55AED6DCD90281E5");
  EXPECT_EQ(aws_sequencer("55aed6dcd90281e5"), "55AED6DCD90281E5") << "EventBridge's spelling";
  EXPECT_EQ(aws_sequencer("55AED6"), "55AED60000000000");
  EXPECT_EQ(aws_sequencer("55AED6DCD90281E500"), "55AED6DCD90281E5");
  EXPECT_EQ(aws_sequencer("55AED6DCD90281E5F0"), "55AED6DCD90281E5F");
  EXPECT_EQ(aws_sequencer("not hex"), "");
  EXPECT_LT(aws_sequencer("55AED6DCD90281E5"), aws_sequencer("55AED6DCD90281E5F0"));
  EXPECT_LT(aws_sequencer("55AE"), aws_sequencer("55AE1"));
}

TEST(NumberSequencer, OrdersNumbersOfAnyLength) {
  EXPECT_EQ(number_sequencer("17A0F5C8F1D4B0A1"), "17A0F5C8F1D4B0A1");
  EXPECT_EQ(number_sequencer("0"), "0000000000000000");
  EXPECT_LT(number_sequencer("FF"), number_sequencer("100"));
  EXPECT_EQ(number_sequencer("00000000000000000017"), "0000000000000017");
  EXPECT_EQ(number_sequencer("117A0F5C8F1D4B0A1"), "") << "more than 64 bits";
  EXPECT_EQ(number_sequencer("-1"), "");
}

/// Captured from radosgw 16.2.15, in the order in which the requests were made.
TEST(CephSequencer, OrdersWhatRadosgwSent) {
  const std::vector<std::string_view> sent{
      "D6F5026B38BA6A39", "D6F5026BDCFB2D3A", "D9F5026BFF6B9B01",
      "D9F5026BE4C2E105", "D9F5026B58C98A08", "D9F5026B1B957909",
      "D9F5026BD3D61E0E", "D9F5026BC1AC280F", "D9F5026B7B6C8513"};
  std::vector<std::string> canonical;
  for (const std::string_view one : sent) canonical.push_back(ceph_sequencer(one));
  EXPECT_TRUE(std::ranges::is_sorted(canonical));
  EXPECT_FALSE(std::ranges::is_sorted(sent)) << "as AWS's rule would have it";
  EXPECT_EQ(format_time(*time_of_ceph_sequencer(canonical[0])), "2026-11-22T14:01:58.963295Z");
  EXPECT_EQ(ceph_sequencer("D6F5026B"), "");
  EXPECT_EQ(time_of_ceph_sequencer("6B02F5D6FFFFFFFF"), std::nullopt) << "no nanoseconds";
}

TEST(VersitygwSequencer, OrdersAlsoAcrossARestart) {
  const auto time = parse_time("2026-11-22T14:01:58Z");
  const auto later = parse_time("2026-11-22T14:02:00Z");
  EXPECT_LT(versitygw_sequencer("9", time), versitygw_sequencer("10", time));
  EXPECT_LT(versitygw_sequencer("1F", time), versitygw_sequencer("1", later));
  EXPECT_EQ(versitygw_sequencer("1", std::nullopt), "");
}

TEST(GcsSequencer, OrdersGenerations) {
  EXPECT_EQ(gcs_sequencer("1795356118963295"), "00001795356118963295");
  EXPECT_LT(gcs_sequencer("999"), gcs_sequencer("1000"));
  EXPECT_EQ(gcs_sequencer(""), "");
  EXPECT_EQ(gcs_sequencer("1x"), "");
  EXPECT_EQ(gcs_sequencer("123456789012345678901"), "");
}

TEST(Etag, LosesItsQuotes) {
  EXPECT_EQ(without_quotes("\"abc-2\""), "abc-2");
  EXPECT_EQ(without_quotes("abc"), "abc");
  EXPECT_EQ(without_quotes("\""), "\"");
  EXPECT_EQ(base64_to_hex("XUFAKrxLKna5cZ2REBfFkg=="), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(base64_to_hex("?"), std::nullopt);
}

}  // namespace
}  // namespace headrace
