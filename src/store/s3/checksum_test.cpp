#include "store/s3/checksum.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace headrace::s3 {
namespace {

/// The check values that catalogues of CRCs give for each.
TEST(Checksum, IsThatOfTheCatalogue) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(crc64_nvme("123456789"), 0xae8b14860a799888u);
  EXPECT_EQ(checksum_text(crc32("123456789")), "y/Q5Jg==");
  EXPECT_EQ(checksum_text(crc64_nvme("123456789")), "rosUhgp5mIg=");
  EXPECT_EQ(content_md5(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
}

TEST(Checksum, OfPiecesIsThatOfTheWhole) {
  SeededRandom random(3);
  Bytes bytes(300, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const BytesView first = BytesView(bytes).substr(0, cut);
    const BytesView second = BytesView(bytes).substr(cut);
    ASSERT_EQ(crc64_nvme(second, crc64_nvme(first)), crc64_nvme(bytes)) << cut;
    ASSERT_EQ(crc32(second, crc32(first)), crc32(bytes)) << cut;
    ASSERT_EQ(crc32_joined(crc32(first), crc32(second), second.size()), crc32(bytes)) << cut;
  }
}

/// Long messages are folded first; in pieces that are too short for that, they must sum to the
/// same.
TEST(Checksum, OfALongMessageIsThatOfItsShortPieces) {
  SeededRandom random(4);
  Bytes bytes(2000, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  for (std::size_t size = 200; size <= bytes.size(); ++size) {
    const BytesView message = BytesView(bytes).substr(bytes.size() - size);
    std::uint32_t sum32 = 7;
    std::uint64_t sum64 = 7;
    for (std::size_t at = 0; at < size; at += 100) {
      sum32 = crc32(message.substr(at, 100), sum32);
      sum64 = crc64_nvme(message.substr(at, 100), sum64);
    }
    ASSERT_EQ(crc32(message, 7), sum32) << size;
    ASSERT_EQ(crc64_nvme(message, 7), sum64) << size;
  }
}

}  // namespace
}  // namespace headrace::s3
