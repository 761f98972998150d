// What is read but not written: packed here by the libraries themselves.
#include "format/unpacker.h"

#include <arrow/util/compression.h>
#include <bzlib.h>
#include <gmock/gmock.h>
#include <lz4frame.h>
#include <lzma.h>

#include "core/random.h"

namespace headrace {
namespace {

Bytes bzip2(BytesView plain) {
  Bytes out(plain.size() + plain.size() / 100 + 600, '\0');
  auto size = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(plain.data()),
                                     static_cast<unsigned>(plain.size()), 1, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

Bytes xz(BytesView plain) {
  Bytes out(lzma_stream_buffer_bound(plain.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(
                0, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(plain.data()),
                plain.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

Bytes lz4(BytesView plain) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  Bytes out(LZ4F_compressFrameBound(plain.size(), &preferences), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences));
  return out;
}

/// CRC-32C bit by bit, as its definition has it.
std::uint32_t crc32c(BytesView bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
  }
  return ~crc;
}

Bytes chunk(unsigned char kind, BytesView body) {
  Bytes out(1, static_cast<char>(kind));
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(body.size() >> shift);
  return out.append(body);
}

/// Some chunks packed, some not, with one between them that readers pass over.
Bytes snappy(BytesView plain) {
  auto codec = arrow::util::Codec::Create(arrow::Compression::SNAPPY).ValueOrDie();
  Bytes out = chunk(0xFF, "sNaPpY");
  for (bool pack = true; !plain.empty(); pack = !pack) {
    const BytesView part = plain.substr(0, 50'000);
    plain.remove_prefix(part.size());
    const std::uint32_t crc = crc32c(part);
    const std::uint32_t masked = (crc >> 15 | crc << 17) + 0xA282EAD8u;
    Bytes body(reinterpret_cast<const char*>(&masked), sizeof masked);
    if (pack) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(part.data());
      const auto size = static_cast<std::int64_t>(part.size());
      Bytes packed(static_cast<std::size_t>(codec->MaxCompressedLen(size, bytes)), '\0');
      packed.resize(static_cast<std::size_t>(
          codec
              ->Compress(size, bytes, static_cast<std::int64_t>(packed.size()),
                         reinterpret_cast<std::uint8_t*>(packed.data()))
              .ValueOrDie()));
      body += packed;
    } else {
      body += part;
    }
    out += chunk(pack ? 0x00 : 0x01, body) + chunk(0xFE, "padding");
  }
  return out;
}

struct Kind {
  const char* name;
  Compression compression;
  Bytes (*pack)(BytesView);
};

Bytes sample(std::size_t size) {
  SeededRandom random(3);
  Bytes out;
  while (out.size() < size) out += random.below(3) == 0 ? random.uuid() : "the same again, ";
  out.resize(size);
  return out;
}

Bytes unpack(BytesView packed, std::size_t piece, DecompressLimits limits = {}) {
  Decompressor unpack(limits);
  Bytes out;
  const auto drain = [&] {
    for (Bytes more = unpack.next(); !more.empty(); more = unpack.next()) out += more;
  };
  for (std::size_t at = 0; at < packed.size(); at += piece) {
    unpack.push(Bytes(packed.substr(at, piece)));
    drain();
  }
  unpack.finish();
  drain();
  return out;
}

class UnpackerTest : public testing::TestWithParam<Kind> {};

TEST_P(UnpackerTest, GivesBackWhatWasPackedForAnyCut) {
  for (const std::size_t size : {0ul, 1ul, 1'000ul, 700'000ul}) {
    const Bytes plain = sample(size);
    const Bytes packed = GetParam().pack(plain);
    if (size > 0) EXPECT_EQ(detect_compression(packed), GetParam().compression);
    for (const std::size_t piece : {1ul, 7ul, 4'096ul, 10'000'000ul}) {
      if (packed.size() / piece > 100'000) continue;
      ASSERT_EQ(unpack(packed, piece), plain) << size << " in pieces of " << piece;
    }
  }
}

TEST_P(UnpackerTest, ReadsStreamsOneAfterAnother) {
  const Bytes two = GetParam().pack("one, ") + GetParam().pack("two");
  EXPECT_EQ(unpack(two, 1), "one, two");
  EXPECT_EQ(unpack(two, two.size()), "one, two");
}

TEST_P(UnpackerTest, RefusesWhatIsCutShort) {
  const Bytes packed = GetParam().pack(sample(3'000));
  // Behind a chunk a stream of snappy's may end.
  const bool chunks = GetParam().compression == Compression::kSnappy;
  for (std::size_t size = 10; size + (chunks ? 12 : 0) < packed.size(); size += 97) {
    if (chunks && size == 10) continue;
    EXPECT_THROW(unpack(packed.substr(0, size), 500), Error) << size;
  }
}

TEST_P(UnpackerTest, NeverGivesOtherBytesForFlippedBits) {
  const Bytes plain = sample(2'000);
  const Bytes packed = GetParam().pack(plain);
  for (std::size_t at = 0; at < packed.size(); at += 13) {
    Bytes flipped = packed;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    if (detect_compression(flipped) != GetParam().compression) continue;
    try {
      EXPECT_THAT(unpack(flipped, 100), testing::AnyOf(plain, "")) << at;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kBug) << error.what();
    }
  }
}

TEST_P(UnpackerTest, RefusesOtherBytesBehindTheEnd) {
  EXPECT_THROW(unpack(GetParam().pack("x") + "and more that is not packed", 1'000), Error);
}

TEST_P(UnpackerTest, IsNotWritten) { EXPECT_THROW(Compressor{GetParam().compression}, Error); }

INSTANTIATE_TEST_SUITE_P(All, UnpackerTest,
                         testing::Values(Kind{"Bzip2", Compression::kBzip2, bzip2},
                                         Kind{"Xz", Compression::kXz, xz},
                                         Kind{"Lz4", Compression::kLz4, lz4},
                                         Kind{"Snappy", Compression::kSnappy, snappy}),
                         [](const auto& row) { return row.param.name; });

TEST(Unpacker, TakesTextForTextThoughItBeginsLikeBzip2) {
  EXPECT_EQ(detect_compression("BZh9 is how some names begin"), Compression::kNone);
}

TEST(Unpacker, LetsXzHavePaddingButNotUnboundedMemory) {
  EXPECT_EQ(unpack(xz("one, ") + Bytes(8, '\0') + xz("two"), 3), "one, two");
  EXPECT_THROW(unpack(xz(sample(10'000)), 1'000, {.window_bytes = 1 << 10}), Error);
}

}  // namespace
}  // namespace headrace
