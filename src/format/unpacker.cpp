#include "format/unpacker.h"

#include <arrow/util/compression.h>
#include <bzlib.h>
#include <fmt/format.h>
#include <immintrin.h>
#include <lz4frame.h>
#include <lzma.h>

#include <algorithm>
#include <cstring>

namespace headrace::unpacking {

Error out_of_memory() { return Error(ErrorKind::kTransient, "out of memory while compressing"); }

Error broken(Compression compression, std::uint64_t position, std::string_view why) {
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} is broken at byte {}: {}", to_string(compression), position, why));
}

namespace {

constexpr std::size_t kMostOffered = 1u << 30;

class Bzip2Unpacker final : public Unpacker {
 public:
  Bzip2Unpacker() { begin(); }
  ~Bzip2Unpacker() override { BZ2_bzDecompressEnd(&stream_); }
  Bzip2Unpacker(const Bzip2Unpacker&) = delete;
  Bzip2Unpacker& operator=(const Bzip2Unpacker&) = delete;

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(room);
    // What a full buffer held back comes without input.
    while (stream_.avail_out > 0 && (input.at < input.bytes.size() || in_stream_)) {
      if (!in_stream_) {
        BZ2_bzDecompressEnd(&stream_);
        begin();
      }
      const std::size_t before = input.at;
      const unsigned room_before = stream_.avail_out;
      step(input);
      if (in_stream_ && input.at == before && stream_.avail_out == room_before) break;
    }
    return room - stream_.avail_out;
  }

  bool complete() const override { return !in_stream_; }

 private:
  void begin() {
    char* out = stream_.next_out;
    const unsigned room = stream_.avail_out;
    stream_ = {};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw out_of_memory();
    stream_.next_out = out;
    stream_.avail_out = room;
    in_stream_ = true;
  }

  void step(Input& input) {
    const BytesView rest = input.rest();
    const auto offered = static_cast<unsigned>(std::min(rest.size(), kMostOffered));
    stream_.next_in = const_cast<char*>(rest.data());  // The library's next_in is not const.
    stream_.avail_in = offered;
    const int answer = BZ2_bzDecompress(&stream_);
    input.at += offered - stream_.avail_in;
    if (answer == BZ_MEM_ERROR) throw out_of_memory();
    if (answer == BZ_STREAM_END) {
      in_stream_ = false;
    } else if (answer != BZ_OK) {
      throw broken(Compression::kBzip2, input.position(),
                   answer == BZ_DATA_ERROR_MAGIC ? "no bzip2 follows" : "its data is damaged");
    }
  }

  bz_stream stream_{};
  bool in_stream_ = false;
};

class XzUnpacker final : public Unpacker {
 public:
  explicit XzUnpacker(std::uint64_t memory) : memory_(memory) { begin(); }
  ~XzUnpacker() override { lzma_end(&stream_); }
  XzUnpacker(const XzUnpacker&) = delete;
  XzUnpacker& operator=(const XzUnpacker&) = delete;

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = room;
    while (stream_.avail_out > 0 && (input.at < input.bytes.size() || in_stream_)) {
      if (!in_stream_ && !begin_next(input)) break;
      const std::size_t before = input.at;
      const std::size_t room_before = stream_.avail_out;
      step(input);
      if (in_stream_ && input.at == before && stream_.avail_out == room_before) break;
    }
    return room - stream_.avail_out;
  }

  bool complete() const override { return !in_stream_; }

 private:
  void begin() {
    auto* out = stream_.next_out;
    const std::size_t room = stream_.avail_out;
    if (lzma_stream_decoder(&stream_, memory_, 0) != LZMA_OK) throw out_of_memory();
    stream_.next_out = out;
    stream_.avail_out = room;
    in_stream_ = true;
  }

  /// Behind a stream zeros are padding. False if there is nothing else.
  bool begin_next(Input& input) {
    while (input.at < input.bytes.size() && input.bytes[input.at] == '\0') ++input.at;
    if (input.at == input.bytes.size()) return false;
    begin();
    return true;
  }

  void step(Input& input) {
    const BytesView rest = input.rest();
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(rest.data());
    stream_.avail_in = rest.size();
    const lzma_ret answer = lzma_code(&stream_, LZMA_RUN);
    input.at += rest.size() - stream_.avail_in;
    switch (answer) {
      case LZMA_OK:
      case LZMA_BUF_ERROR:
        return;
      case LZMA_STREAM_END:
        in_stream_ = false;
        return;
      case LZMA_MEM_ERROR:
        throw out_of_memory();
      case LZMA_MEMLIMIT_ERROR:
        throw Error(ErrorKind::kInvalid,
                    fmt::format("xz needs more memory than the limit of {} bytes: pack it with a "
                                "smaller preset",
                                memory_));
      case LZMA_FORMAT_ERROR:
        throw broken(Compression::kXz, input.position(), "no xz follows");
      case LZMA_OPTIONS_ERROR:
        throw broken(Compression::kXz, input.position(), "it uses what this version cannot");
      default:
        throw broken(Compression::kXz, input.position(), "its data is damaged");
    }
  }

  std::uint64_t memory_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool in_stream_ = false;
};

class Lz4Unpacker final : public Unpacker {
 public:
  Lz4Unpacker() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) {
      throw out_of_memory();
    }
  }
  ~Lz4Unpacker() override { LZ4F_freeDecompressionContext(context_); }
  Lz4Unpacker(const Lz4Unpacker&) = delete;
  Lz4Unpacker& operator=(const Lz4Unpacker&) = delete;

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    std::size_t done = 0;
    while (done < room && (input.at < input.bytes.size() || holds_output_)) {
      const BytesView rest = input.rest();
      std::size_t taken = rest.size();
      std::size_t given = room - done;
      const std::size_t answer =
          LZ4F_decompress(context_, out + done, &given, rest.data(), &taken, nullptr);
      if (LZ4F_isError(answer) != 0) {
        throw broken(Compression::kLz4, input.position(), LZ4F_getErrorName(answer));
      }
      input.at += taken;
      done += given;
      in_frame_ = answer != 0;
      holds_output_ = in_frame_ && done == room;
      if (taken == 0 && given == 0) break;
    }
    return done;
  }

  bool complete() const override { return !in_frame_; }

 private:
  LZ4F_dctx* context_ = nullptr;
  bool in_frame_ = true;
  bool holds_output_ = false;
};

/// Snappy's framing format: chunks of at most 64 KiB of plain bytes, each with its CRC-32C.
class SnappyUnpacker final : public Unpacker {
 public:
  SnappyUnpacker() : codec_(arrow::util::Codec::Create(arrow::Compression::SNAPPY).ValueOrDie()) {}

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    std::size_t done = 0;
    while (done < room) {
      if (at_ == plain_.size() && !next_chunk(input)) break;
      const std::size_t size = std::min(room - done, plain_.size() - at_);
      std::memcpy(out + done, plain_.data() + at_, size);
      at_ += size;
      done += size;
    }
    return done;
  }

  bool complete() const override { return !half_chunk_ && at_ == plain_.size(); }

 private:
  enum Chunk : unsigned char { kPacked = 0x00, kPlain = 0x01, kLastNeeded = 0x7F, kName = 0xFF };
  static constexpr std::size_t kHead = 4;
  static constexpr std::size_t kChecksum = 4;
  static constexpr std::size_t kMostPlain = 65'536;
  static constexpr std::string_view kIdentifier = "sNaPpY";

  /// Fills plain_ from the next chunk that holds bytes. False if more input is needed.
  bool next_chunk(Input& input) {
    plain_.clear();
    at_ = 0;
    while (plain_.empty()) {
      const BytesView rest = input.rest();
      half_chunk_ = !rest.empty();
      if (rest.size() < kHead) return false;
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
      const std::size_t size = byte(1) | byte(2) << 8 | byte(3) << 16;
      if (rest.size() < kHead + size) return false;
      take_chunk(byte(0), rest.substr(kHead, size), input.position());
      input.at += kHead + size;
      half_chunk_ = false;
    }
    return true;
  }

  void take_chunk(unsigned char kind, BytesView body, std::uint64_t position) {
    const auto fail = [&](std::string_view why) {
      throw broken(Compression::kSnappy, position, why);
    };
    if (kind == kName) {
      if (body != kIdentifier) fail("a stream begins with other bytes than it should");
      return;
    }
    if (kind > kLastNeeded) return;  // Padding, and what readers may pass over.
    if (kind > kPlain) fail("a chunk is of a kind that this version does not know");
    if (body.size() < kChecksum) fail("a chunk is too short");
    const BytesView packed = body.substr(kChecksum);
    if (kind == kPlain) {
      plain_ = packed;
    } else if (!inflate(packed)) {
      fail("a chunk is damaged");
    }
    if (plain_.size() > kMostPlain) fail("a chunk is too long");
    std::uint32_t told;
    std::memcpy(&told, body.data(), sizeof told);
    if (told != masked_checksum()) fail("a chunk's checksum is not right");
  }

  bool inflate(BytesView packed) {
    // The length of the plain bytes stands before them, seven bits a byte.
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < packed.size() && i < 4; ++i) {
      const auto byte = static_cast<unsigned char>(packed[i]);
      size |= std::uint64_t{byte & 0x7Fu} << (7 * i);
      if (byte < 0x80) break;
    }
    if (size > kMostPlain) return false;
    plain_.resize(static_cast<std::size_t>(size));
    const auto done = codec_->Decompress(static_cast<std::int64_t>(packed.size()),
                                         reinterpret_cast<const std::uint8_t*>(packed.data()),
                                         static_cast<std::int64_t>(size),
                                         reinterpret_cast<std::uint8_t*>(plain_.data()));
    return done.ok();
  }

  std::uint32_t masked_checksum() const {
    std::uint64_t crc = ~0u;
    for (const char byte : plain_) {
      crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<unsigned char>(byte));
    }
    const auto sum = ~static_cast<std::uint32_t>(crc);
    return (sum >> 15 | sum << 17) + 0xA282EAD8u;
  }

  std::unique_ptr<arrow::util::Codec> codec_;
  Bytes plain_;
  std::size_t at_ = 0;
  bool half_chunk_ = false;
};

}  // namespace

std::unique_ptr<Unpacker> make_other_unpacker(Compression compression, DecompressLimits limits) {
  switch (compression) {
    case Compression::kBzip2:
      return std::make_unique<Bzip2Unpacker>();
    case Compression::kXz:
      return std::make_unique<XzUnpacker>(limits.window_bytes);
    case Compression::kLz4:
      return std::make_unique<Lz4Unpacker>();
    case Compression::kSnappy:
      return std::make_unique<SnappyUnpacker>();
    default:
      return nullptr;
  }
}

}  // namespace headrace::unpacking
