#include "format/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::HasSubstr;

/// Text that packs well, but not absurdly so.
Bytes sample(std::size_t size) {
  SeededRandom random(7);
  Bytes out;
  while (out.size() < size) {
    out += "{\"id\":" + std::to_string(random.below(1'000'000)) + ",\"kind\":\"click\"}\n";
  }
  out.resize(size);
  return out;
}

Bytes pack(Compression compression, BytesView plain, std::size_t piece = 1 << 20) {
  Compressor compressor(compression);
  Bytes out;
  for (std::size_t at = 0; at < plain.size(); at += piece) {
    out += compressor.push(plain.substr(at, piece));
  }
  return out + compressor.finish();
}

Bytes unpack(BytesView packed, std::size_t piece = 1 << 20, DecompressLimits limits = {}) {
  Decompressor decompressor(limits);
  Bytes out;
  const auto drain = [&] {
    for (Bytes more = decompressor.next(); !more.empty(); more = decompressor.next()) out += more;
  };
  for (std::size_t at = 0; at < packed.size(); at += piece) {
    decompressor.push(Bytes(packed.substr(at, piece)));
    drain();
  }
  decompressor.finish();
  drain();
  return out;
}

/// The Error that unpacking ends in.
Error failure(BytesView packed, DecompressLimits limits = {}, std::size_t piece = 1 << 20) {
  try {
    unpack(packed, piece, limits);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::kBug, "nothing was thrown");
}

struct PackedCase {
  const char* name;
  Compression compression;
};

class CompressionTest : public testing::TestWithParam<PackedCase> {};

TEST_P(CompressionTest, GivesBackWhatWasPackedForAnyCut) {
  const Bytes plain = sample(300'000);
  const Bytes packed = pack(GetParam().compression, plain, 10'000);
  for (const std::size_t piece : {1u, 2u, 7u, 4'096u, 1'000'000u}) {
    EXPECT_EQ(unpack(packed, piece), plain) << "cut every " << piece << " bytes";
  }
}

TEST_P(CompressionTest, IsToldByItsFirstBytes) {
  const Bytes packed = pack(GetParam().compression, sample(1'000));
  EXPECT_EQ(detect_compression(BytesView(packed).substr(0, kCompressionMagicBytes)),
            GetParam().compression);
}

TEST_P(CompressionTest, PacksNothingIntoSomethingThatUnpacksToNothing) {
  EXPECT_EQ(unpack(pack(GetParam().compression, "")), "");
}

TEST_P(CompressionTest, PacksTheSameBytesTheSameWay) {
  EXPECT_EQ(pack(GetParam().compression, sample(50'000)),
            pack(GetParam().compression, sample(50'000)));
}

TEST_P(CompressionTest, UnpacksAStreamInPiecesOfBoundedSize) {
  Decompressor decompressor;
  decompressor.push(pack(GetParam().compression, Bytes(5'000'000, ' ')));
  decompressor.finish();
  std::size_t total = 0;
  for (Bytes out = decompressor.next(); !out.empty(); out = decompressor.next()) {
    if (GetParam().compression != Compression::kNone) EXPECT_LE(out.size(), 256u << 10);
    total += out.size();
  }
  EXPECT_EQ(total, 5'000'000u);
}

INSTANTIATE_TEST_SUITE_P(All, CompressionTest,
                         testing::Values(PackedCase{"Plain", Compression::kNone},
                                         PackedCase{"Gzip", Compression::kGzip},
                                         PackedCase{"Zstd", Compression::kZstd}),
                         [](const auto& row) { return row.param.name; });

TEST(Compression, PassesThroughWhatIsShorterThanAMagicNumber) {
  EXPECT_EQ(unpack(""), "");
  EXPECT_EQ(unpack("\x28\xb5\x2f"), "\x28\xb5\x2f");
  EXPECT_EQ(unpack("{}"), "{}");
}

TEST(Compression, WritesNoTimeIntoAGzipHeader) {
  const Bytes packed = pack(Compression::kGzip, "x");
  EXPECT_EQ(packed.substr(0, 8), Bytes("\x1f\x8b\x08\x00\x00\x00\x00\x00", 8));
}

TEST(Compression, ReadsAllMembersOfAGzipAndThePaddingAfterThem) {
  const Bytes two = pack(Compression::kGzip, "one,") + pack(Compression::kGzip, "two");
  for (const std::size_t piece : {1u, 3u, 1'000u}) {
    EXPECT_EQ(unpack(two, piece), "one,two");
    EXPECT_EQ(unpack(two + Bytes(512, '\0'), piece), "one,two");
  }
}

TEST(Compression, ReadsAllFramesOfAZstdAndSkipsWhatIsMarkedSo) {
  const Bytes skipped("\x5a\x2a\x4d\x18\x03\x00\x00\x00???", 11);
  const Bytes frames =
      skipped + pack(Compression::kZstd, "one,") + skipped + pack(Compression::kZstd, "two");
  for (const std::size_t piece : {1u, 3u, 1'000u}) EXPECT_EQ(unpack(frames, piece), "one,two");
}

TEST(Compression, RefusesOtherBytesAfterTheEnd) {
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const Bytes packed = pack(compression, sample(1'000));
    for (const BytesView after : {"garbage", "\x1fgarbage", "{\"a\":1}"}) {
      const Error error = failure(packed + Bytes(after), {}, 5);
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    }
  }
  const Bytes padded =
      pack(Compression::kGzip, "x") + Bytes(3, '\0') + pack(Compression::kGzip, "y");
  EXPECT_THAT(failure(padded).what(), HasSubstr("what follows there is no gzip"));
}

TEST(Compression, NoticesEveryPlaceWhereAStreamCanBeCutShort) {
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const Bytes packed = pack(compression, "some text, some text, some text");
    for (std::size_t size = kCompressionMagicBytes; size < packed.size(); ++size) {
      const Error error = failure(packed.substr(0, size));
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      EXPECT_EQ(error.what(),
                fmt::format("{} ends early at byte {}", to_string(compression), size));
    }
  }
}

TEST(Compression, NoticesFlippedBits) {
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    Bytes packed = pack(compression, sample(10'000));
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x10);
    const Error error = failure(packed);
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr("is broken at byte"));
  }
}

TEST(Compression, StopsABombByItsRatio) {
  Compressor compressor(Compression::kZstd);
  Bytes bomb;
  for (int i = 0; i < 200; ++i) bomb += compressor.push(Bytes(1 << 20, '\0'));
  bomb += compressor.finish();
  const Error error = failure(bomb);
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.what(), HasSubstr("bomb"));
}

TEST(Compression, LetsASmallAndVeryRegularObjectPass) {
  const Bytes regular(10'000'000, 'a');
  EXPECT_EQ(unpack(pack(Compression::kZstd, regular)), regular);
}

TEST(Compression, StopsAtTheOutputLimit) {
  const Error error = failure(pack(Compression::kGzip, sample(600'000)), {.output_bytes = 500'000});
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), HasSubstr("limit of 500000 bytes"));
}

TEST(Compression, RefusesAZstdWindowBeyondTheLimit) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 24);
  const Bytes plain = sample(1'000);
  Bytes packed(ZSTD_compressBound(plain.size()), '\0');
  ZSTD_outBuffer to{packed.data(), packed.size(), 0};
  ZSTD_inBuffer from{plain.data(), 500, 0};
  ZSTD_compressStream2(context, &to, &from, ZSTD_e_flush);  // So that the size is unknown.
  from.size = plain.size();
  ASSERT_EQ(ZSTD_compressStream2(context, &to, &from, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  packed.resize(to.pos);

  EXPECT_EQ(unpack(packed), plain);
  const Error error = failure(packed, {.window_bytes = 1 << 20});
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), HasSubstr("limit of 1048576 bytes"));
}

TEST(Compression, WrapsASourceOnAPoolOrWithout) {
  const Bytes plain = sample(2'000'000);
  CpuPool pool(1);
  for (CpuPool* const cpu : {static_cast<CpuPool*>(nullptr), &pool}) {
    for (const Compression compression : {Compression::kNone, Compression::kGzip}) {
      const auto source =
          decompressing(source_of(pack(compression, plain), 10'000), DecompressLimits{}, cpu);
      EXPECT_EQ(run_task(read_all(*source, 10'000'000)), plain);
      EXPECT_EQ(run_task(source->read()), "") << "a source stays at its end";
    }
  }
}

TEST(Compression, TellsAReaderOfACutSource) {
  const Bytes packed = pack(Compression::kGzip, sample(1'000));
  const auto source = decompressing(source_of(packed.substr(0, packed.size() - 1)));
  EXPECT_THROW(run_task(read_all(*source, 10'000)), Error);
}

}  // namespace
}  // namespace headrace
