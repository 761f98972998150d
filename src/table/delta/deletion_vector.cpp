#include "table/delta/deletion_vector.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

#include "core/error.h"
#include "table/delta/partition.h"

namespace headrace::delta {
namespace {

constexpr std::uint32_t kMagic = 1681511377;  // RoaringBitmapArray, portable layout.
constexpr std::uint32_t kNativeMagic = 1681511376;
constexpr std::uint64_t kMostRows = 16u << 20;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kUuidText = 20;  // 16 bytes in Z85.

// The standard layout of one 32-bit Roaring bitmap.
constexpr std::uint32_t kCookieWithRuns = 12347;
constexpr std::uint32_t kCookieWithoutRuns = 12346;
constexpr std::uint32_t kFewContainers = 4;  // Fewer, with runs, have no table of offsets.
constexpr std::uint32_t kMostContainers = 1u << 16;
constexpr std::uint32_t kMostInArray = 4'096;
constexpr std::size_t kBitsetWords = 1'024;

[[noreturn]] void corrupt(const DeletionVector& vector, std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("deletion vector {}: {}", vector.unique_id(), what));
}

/// Little-endian numbers off the front of bytes.
class Input {
 public:
  Input(const DeletionVector& vector, BytesView bytes) : vector_(vector), bytes_(bytes) {}

  std::uint64_t take(std::size_t width) {
    const BytesView bytes = take_bytes(width);
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  std::uint32_t take16() { return static_cast<std::uint32_t>(take(2)); }
  std::uint32_t take32() { return static_cast<std::uint32_t>(take(4)); }
  BytesView take_bytes(std::size_t count) {
    if (bytes_.size() < count) corrupt(vector_, "ends too early");
    const BytesView taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  const DeletionVector& vector_;
  BytesView bytes_;
};

/// Reads the bitmaps, and trusts no count in them.
class BitmapReader {
 public:
  BitmapReader(const DeletionVector& vector, BytesView bytes)
      : vector_(vector), in_(vector, bytes), most_(static_cast<std::uint64_t>(vector.cardinality)) {
    rows_.reserve(most_);
  }

  std::vector<std::uint64_t> read() {
    const std::uint32_t magic = in_.take32();
    if (magic == kNativeMagic) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("deletion vector {}: in the native layout, which is not supported",
                              vector_.unique_id()));
    }
    if (magic != kMagic) corrupt(vector_, "has a layout that is not known");
    const std::uint64_t bitmaps = in_.take(8);
    for (std::uint64_t i = 0; i < bitmaps; ++i) {
      const std::uint64_t high = in_.take32();
      read_bitmap(high << 32);
    }
    if (rows_.size() != most_) {
      corrupt(vector_, fmt::format("has {} rows, and should have {}", rows_.size(), most_));
    }
    return std::move(rows_);
  }

 private:
  struct Container {
    std::uint32_t key = 0;
    std::uint32_t count = 0;
    bool runs = false;
  };

  void read_bitmap(std::uint64_t base) {
    const std::uint32_t cookie = in_.take32();
    const bool with_runs = (cookie & 0xFFFF) == kCookieWithRuns;
    if (!with_runs && cookie != kCookieWithoutRuns) corrupt(vector_, "holds no Roaring bitmap");
    const std::uint32_t count = with_runs ? (cookie >> 16) + 1 : in_.take32();
    if (count > kMostContainers) corrupt(vector_, "has too many containers");
    const BytesView run_flags = with_runs ? in_.take_bytes((count + 7) / 8) : BytesView();
    std::vector<Container> containers(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      containers[i].key = in_.take16();
      containers[i].count = in_.take16() + 1;
      containers[i].runs =
          with_runs && (static_cast<unsigned char>(run_flags[i / 8]) >> (i % 8) & 1) != 0;
    }
    // Containers follow in their order, so where each begins is known without the table.
    if (!with_runs || count >= kFewContainers) in_.take_bytes(std::size_t{4} * count);
    for (const Container& container : containers) {
      read_container(base | std::uint64_t{container.key} << 16, container);
    }
  }

  void read_container(std::uint64_t base, const Container& container) {
    if (container.runs) {
      const std::uint32_t runs = in_.take16();
      for (std::uint32_t i = 0; i < runs; ++i) {
        const std::uint32_t first = in_.take16();
        const std::uint32_t more = in_.take16();
        if (first + more > 0xFFFF) corrupt(vector_, "has a run that is too long");
        for (std::uint32_t row = first; row <= first + more; ++row) put(base | row);
      }
    } else if (container.count <= kMostInArray) {
      for (std::uint32_t i = 0; i < container.count; ++i) put(base | in_.take16());
    } else {
      for (std::size_t word = 0; word < kBitsetWords; ++word) {
        for (std::uint64_t bits = in_.take(8); bits != 0; bits &= bits - 1) {
          put(base | (word * 64 + static_cast<std::size_t>(std::countr_zero(bits))));
        }
      }
    }
  }

  void put(std::uint64_t row) {
    if (!rows_.empty() && row <= rows_.back()) corrupt(vector_, "has rows out of order");
    if (rows_.size() == most_) corrupt(vector_, fmt::format("has more than its {} rows", most_));
    rows_.push_back(row);
  }

  const DeletionVector& vector_;
  Input in_;
  std::uint64_t most_;
  std::vector<std::uint64_t> rows_;
};

std::uint64_t big_endian(BytesView bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

/// The bits of a vector in a file: between a length and a checksum.
BytesView checked_bits(const DeletionVector& vector, BytesView stored) {
  const auto size = static_cast<std::size_t>(vector.size_in_bytes);
  if (stored.size() < kLengthBytes + size + kChecksumBytes) corrupt(vector, "ends too early");
  const std::uint64_t length = big_endian(stored.substr(0, kLengthBytes));
  if (length != size) {
    corrupt(vector, fmt::format("is {} bytes long, and should be {}", length, size));
  }
  const BytesView bits = stored.substr(kLengthBytes, size);
  const auto sum =
      ::crc32(0, reinterpret_cast<const Bytef*>(bits.data()), static_cast<uInt>(bits.size()));
  if (big_endian(stored.substr(kLengthBytes + size, kChecksumBytes)) != sum) {
    corrupt(vector, "has another checksum than its bytes");
  }
  return bits;
}

std::string uuid_text(BytesView bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return out;
}

}  // namespace

std::optional<Bytes> decode_z85(std::string_view text) {
  static constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  if (text.size() % 5 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 5 * 4);
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::uint64_t value = 0;
    for (const char c : text.substr(i, 5)) {
      const std::size_t digit = kDigits.find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 85 + digit;
    }
    if (value > 0xFFFF'FFFF) return std::nullopt;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  }
  return out;
}

std::optional<VectorPlace> place_of(const DeletionVector& vector) {
  if (vector.size_in_bytes < 0 || vector.cardinality < 0 || vector.offset.value_or(0) < 0) {
    corrupt(vector, "has a negative size");
  }
  if (vector.storage_type == "i") return std::nullopt;
  VectorPlace place{
      .path = {},
      .offset = static_cast<std::uint64_t>(vector.offset.value_or(0)),
      .length = kLengthBytes + static_cast<std::uint64_t>(vector.size_in_bytes) + kChecksumBytes};
  const std::string& said = vector.path_or_inline_dv;
  if (vector.storage_type == "p") {
    place.path = decode_path(said);
    return place;
  }
  if (vector.storage_type != "u") {
    throw Error(ErrorKind::kInvalid,
                fmt::format("deletion vector {}: stored in a way '{}' that is not supported",
                            vector.unique_id(), vector.storage_type));
  }
  // A random folder, maybe, and then a UUID.
  const std::size_t folder = said.size() < kUuidText ? 0 : said.size() - kUuidText;
  const auto uuid = decode_z85(std::string_view(said).substr(folder));
  if (!uuid || uuid->size() != 16) corrupt(vector, "has a path that is no UUID");
  place.path = fmt::format("{}{}deletion_vector_{}.bin", said.substr(0, folder),
                           folder > 0 ? "/" : "", uuid_text(*uuid));
  return place;
}

std::vector<std::uint64_t> deleted_rows(const DeletionVector& vector, BytesView stored) {
  const bool in_file = place_of(vector).has_value();
  if (static_cast<std::uint64_t>(vector.cardinality) > kMostRows) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("deletion vector {}: {} rows are more than the {} allowed: compact the "
                            "table with its own engine",
                            vector.unique_id(), vector.cardinality, kMostRows));
  }
  if (in_file) return BitmapReader(vector, checked_bits(vector, stored)).read();
  const auto bits = decode_z85(vector.path_or_inline_dv);
  const auto size = static_cast<std::size_t>(vector.size_in_bytes);
  if (!bits || bits->size() < size) corrupt(vector, "is no Z85, or too short");
  return BitmapReader(vector, BytesView(*bits).substr(0, size)).read();
}

}  // namespace headrace::delta
