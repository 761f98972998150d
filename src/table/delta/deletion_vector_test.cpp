#include "table/delta/deletion_vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Little-endian bytes, one after the other.
class Writer {
 public:
  Writer& put(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  Writer& u16(std::uint64_t value) { return put(value, 2); }
  Writer& u32(std::uint64_t value) { return put(value, 4); }
  Writer& u64(std::uint64_t value) { return put(value, 8); }
  /// A vector's start: `bitmaps` bitmaps follow, each after its high 32 bits.
  Writer& head(std::uint64_t bitmaps) { return u32(1681511377).u64(bitmaps); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

Bytes encode_z85(Bytes bytes) {
  static constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
  Bytes out;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint64_t value = 0;
    for (std::size_t j = 0; j < 4; ++j)
      value = value << 8 | static_cast<unsigned char>(bytes[i + j]);
    Bytes digits;
    for (int j = 0; j < 5; ++j, value /= 85) digits.insert(0, 1, kDigits[value % 85]);
    out += digits;
  }
  return out;
}

DeletionVector inlined(const Bytes& bits, std::int64_t cardinality) {
  return {.storage_type = "i",
          .path_or_inline_dv = encode_z85(bits),
          .size_in_bytes = static_cast<std::int32_t>(bits.size()),
          .cardinality = cardinality};
}

std::string refusal(const DeletionVector& vector, BytesView stored, ErrorKind kind) {
  try {
    deleted_rows(vector, stored);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// What other readers take: an inline vector of theirs, and the path that PROTOCOL.md has as
// example.

TEST(DeletionVectorTest, ReadsAnInlineOne) {
  const DeletionVector vector{
      .storage_type = "i",
      .path_or_inline_dv = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
      .size_in_bytes = 44,
      .cardinality = 6};
  EXPECT_FALSE(place_of(vector));
  EXPECT_THAT(deleted_rows(vector, ""), ElementsAre(3, 4, 7, 11, 18, 29));
}

TEST(DeletionVectorTest, FindsItsFileByTheUuid) {
  const DeletionVector vector{.storage_type = "u",
                              .path_or_inline_dv = "ab^-aqEH.-t@S}K{vb[*k^",
                              .offset = 4,
                              .size_in_bytes = 40,
                              .cardinality = 6};
  const auto place = place_of(vector);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
  EXPECT_EQ(place->offset, 4u);
  EXPECT_EQ(place->length, 48u);
  const DeletionVector absolute{.storage_type = "p", .path_or_inline_dv = "s3://b/a%20b.bin"};
  EXPECT_EQ(place_of(absolute)->path, "s3://b/a b.bin");
}

/// What Spark wrote: the file of the table with-short-dv, from the vector's offset on.
constexpr std::string_view kStored{
    "\x00\x00\x00\x26\xd1\xd3\x39\x64\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x02\x00\x10\x00\x00\x00\x00\x00\x01\x00\x02\x00"
    "\x74\x8a\xd0\xd0",
    46};
const DeletionVector kInFile{.storage_type = "u",
                             .path_or_inline_dv = "^-aqEH.-t@S}K{vb[*k^",
                             .offset = 1,
                             .size_in_bytes = 38,
                             .cardinality = 3};

TEST(DeletionVectorTest, ReadsOneFromAFile) {
  EXPECT_THAT(deleted_rows(kInFile, kStored), ElementsAre(0, 1, 2));
}

TEST(DeletionVectorTest, IsCorruptWhenItsFileIs) {
  Bytes flipped(kStored);
  flipped[40] ^= 1;
  EXPECT_THAT(refusal(kInFile, flipped, ErrorKind::kCorrupt), HasSubstr("checksum"));
  EXPECT_THAT(refusal(kInFile, kStored.substr(0, 45), ErrorKind::kCorrupt),
              HasSubstr("ends too early"));
  EXPECT_THAT(refusal(kInFile, "", ErrorKind::kCorrupt), HasSubstr("ends too early"));
  DeletionVector longer = kInFile;
  longer.size_in_bytes = 37;
  EXPECT_THAT(refusal(longer, kStored, ErrorKind::kCorrupt),
              HasSubstr("is 38 bytes long, and should be 37"));
}

TEST(DeletionVectorTest, ReadsAllThreeKindsOfContainersAndRowsBeyond32Bits) {
  Writer bits;
  // Bitmap 0, with runs: an array, a run and a set of bits.
  bits.head(2).u32(0);
  bits.u32((2u << 16) | 12347).put(0b010, 1);
  bits.u16(0).u16(1).u16(1).u16(3).u16(5).u16(4'999);
  bits.u16(7).u16(9);                         // 7, 9
  bits.u16(2).u16(2).u16(1).u16(100).u16(1);  // 2-3 and 100-101 of 65,536
  for (int word = 0; word < 1'024; ++word) bits.u64(word < 78 ? ~0ull : word == 78 ? 0xFF : 0);
  // Bitmap 1, without: one row.
  bits.u32(1).u32(12346).u32(1).u16(0).u16(0).u32(16).u16(5);
  const std::vector<std::uint64_t> rows =
      deleted_rows(inlined(bits.bytes(), 2 + 4 + 5'000 + 1), "");
  ASSERT_EQ(rows.size(), 5'007u);
  EXPECT_THAT(std::vector(rows.begin(), rows.begin() + 7),
              ElementsAre(7, 9, 65'538, 65'539, 65'636, 65'637, 5 * 65'536));
  EXPECT_EQ(rows[5'005], 5u * 65'536 + 4'999);
  EXPECT_EQ(rows[5'006], (1ull << 32) + 5);
}

TEST(DeletionVectorTest, SkipsTheTableOfOffsetsOfManyContainersWithRuns) {
  Writer bits;
  bits.head(1).u32(0).u32((3u << 16) | 12347).put(0b0001, 1);
  for (std::uint64_t key = 0; key < 4; ++key) bits.u16(key).u16(0);
  for (int i = 0; i < 4; ++i) bits.u32(0);
  bits.u16(1).u16(8).u16(0).u16(1).u16(2).u16(3);
  EXPECT_THAT(deleted_rows(inlined(bits.bytes(), 4), ""), ElementsAre(8, 65'537, 131'074, 196'611));
}

TEST(DeletionVectorTest, IsEmptyIfNothingIsGone) {
  EXPECT_THAT(deleted_rows(inlined(Writer().head(0).bytes(), 0), ""), testing::IsEmpty());
}

struct BrokenCase {
  const char* name;
  Bytes bits;
  std::int64_t cardinality;
  const char* says;
};
class BrokenVectorTest : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenVectorTest, IsCorruptAndSaysWhy) {
  EXPECT_THAT(refusal(inlined(GetParam().bits, GetParam().cardinality), "", ErrorKind::kCorrupt),
              HasSubstr(GetParam().says));
}

Bytes one_array(std::initializer_list<int> rows) {
  Writer bits;
  bits.head(1).u32(0).u32(12346).u32(1).u16(0).u16(rows.size() - 1).u32(16);
  for (const int row : rows) bits.u16(static_cast<std::uint64_t>(row));
  return bits.bytes();
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, BrokenVectorTest,
    testing::Values(
        BrokenCase{"AnotherMagic", Writer().u32(7).u64(0).bytes(), 0, "layout"},
        BrokenCase{"AnotherCookie", Writer().head(1).u32(0).u32(1).bytes(), 0, "no Roaring bitmap"},
        BrokenCase{"NoBitmap", Writer().head(1'000'000'000).bytes(), 0, "ends too early"},
        BrokenCase{"TooManyContainers", Writer().head(1).u32(0).u32(12346).u32(65'537).bytes(), 0,
                   "too many containers"},
        BrokenCase{"MoreRows", one_array({1, 2, 3}), 2, "more than its 2 rows"},
        BrokenCase{"FewerRows", one_array({1, 2, 3}), 4, "has 3 rows, and should have 4"},
        BrokenCase{"OutOfOrder", one_array({1, 3, 2, 4}), 4, "out of order"},
        BrokenCase{"LongRun",
                   Writer()
                       .head(1)
                       .u32(0)
                       .u32(12347)
                       .put(1, 1)
                       .u16(0)
                       .u16(9)
                       .u16(1)
                       .u16(65'530)
                       .u16(9)
                       .bytes(),
                   10, "run that is too long"}),
    [](const auto& row) { return row.param.name; });

TEST(DeletionVectorTest, RefusesWhatIsNotKnownOrTooLarge) {
  DeletionVector other{.storage_type = "x"};
  EXPECT_THAT(refusal(other, "", ErrorKind::kInvalid), HasSubstr("'x' that is not supported"));
  EXPECT_THAT(refusal(inlined(Writer().u32(1681511376).u32(0).bytes(), 0), "", ErrorKind::kInvalid),
              HasSubstr("native layout"));
  DeletionVector large = inlined(Writer().head(0).bytes(), 1ll << 40);
  EXPECT_THAT(refusal(large, "", ErrorKind::kInvalid), HasSubstr("more than the 16777216 allowed"));
  EXPECT_THAT(refusal({.storage_type = "u", .path_or_inline_dv = "short"}, "", ErrorKind::kCorrupt),
              HasSubstr("no UUID"));
  EXPECT_THAT(refusal({.storage_type = "i", .size_in_bytes = -1}, "", ErrorKind::kCorrupt),
              HasSubstr("negative"));
  EXPECT_THAT(refusal({.storage_type = "i", .path_or_inline_dv = "~~~~~", .size_in_bytes = 4}, "",
                      ErrorKind::kCorrupt),
              HasSubstr("no Z85"));
}

TEST(Z85Test, LeadsBack) {
  for (const char* text : {"", "four", "eight888"}) {
    EXPECT_EQ(decode_z85(encode_z85(text)), text);
  }
  EXPECT_EQ(decode_z85("HelloWorld"), Bytes("\x86\x4F\xD2\x6F\xB5\x59\xF7\x5B", 8));
  EXPECT_FALSE(decode_z85("#####"));  // More than 32 bits.
  EXPECT_FALSE(decode_z85("abc"));
}

}  // namespace
}  // namespace headrace::delta
