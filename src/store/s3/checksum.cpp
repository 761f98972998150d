#include "store/s3/checksum.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <cstring>

#include "core/base64.h"
#include "core/error.h"
#include "store/s3/crc_fold.h"

namespace headrace::s3 {
namespace {

constexpr std::uint64_t kNvmePolynomial = 0x9A6C9329AC4BC9B5;
constexpr std::size_t kStride = 8;

using Table = std::array<std::array<std::uint64_t, 256>, kStride>;

/// Row 0 takes a byte off the end; row n the same for a byte with n zero bytes behind it. So eight
/// bytes go in one step.
Table make_table() {
  Table table;
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t sum = byte;
    for (int bit = 0; bit < 8; ++bit)
      sum = (sum & 1) != 0 ? (sum >> 1) ^ kNvmePolynomial : sum >> 1;
    table[0][byte] = sum;
  }
  for (std::size_t row = 1; row < kStride; ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t sum = table[row - 1][byte];
      table[row][byte] = (sum >> 8) ^ table[0][sum & 0xff];
    }
  }
  return table;
}

std::uint64_t crc64_register(BytesView bytes, std::uint64_t sum) {
  static const Table table = make_table();
  while (bytes.size() >= kStride) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), kStride);  // Little-endian machines only, as the tree is.
    word ^= sum;
    sum = 0;
    for (std::size_t i = 0; i < kStride; ++i) {
      sum ^= table[kStride - 1 - i][(word >> (8 * i)) & 0xff];
    }
    bytes.remove_prefix(kStride);
  }
  for (const char c : bytes) {
    sum = (sum >> 8) ^ table[0][(sum ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return sum;
}

template <class Sum>
std::string big_endian_base64(Sum sum) {
  std::string raw(sizeof(Sum), '\0');
  for (std::size_t i = 0; i < sizeof(Sum); ++i) {
    raw[i] = static_cast<char>(sum >> (8 * (sizeof(Sum) - 1 - i)));
  }
  return to_base64(raw);
}

}  // namespace

std::uint32_t crc32(BytesView bytes, std::uint32_t before) {
  const auto sum = [](std::uint32_t first, BytesView more) {
    return static_cast<std::uint32_t>(
        ::crc32_z(first, reinterpret_cast<const unsigned char*>(more.data()), more.size()));
  };
  const Folded folded = fold_crc32(bytes, ~before);  // zlib gives and takes registers inverted.
  if (folded.taken == 0) return sum(before, bytes);
  return sum(sum(~std::uint32_t{0}, folded.view()), bytes.substr(folded.taken));
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(length)));
}

std::uint64_t crc64_nvme(BytesView bytes, std::uint64_t before) {
  const Folded folded = fold_crc64_nvme(bytes, ~before);
  if (folded.taken == 0) return ~crc64_register(bytes, ~before);
  return ~crc64_register(bytes.substr(folded.taken), crc64_register(folded.view(), 0));
}

std::string checksum_text(std::uint32_t sum) { return big_endian_base64(sum); }
std::string checksum_text(std::uint64_t sum) { return big_endian_base64(sum); }

std::string md5_raw(BytesView bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 EVP_md5(), nullptr) != 1) {
    throw Error(ErrorKind::kInvalid, "MD5 is switched off in this machine's OpenSSL");
  }
  digest.resize(size);
  return digest;
}

std::string content_md5(BytesView bytes) { return to_base64(md5_raw(bytes)); }

}  // namespace headrace::s3
