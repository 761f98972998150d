// Any bytes as the bits of a deletion vector, and as the file that holds one: rows that rise, as
// many as were said, or an Error.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "table/delta/deletion_vector.h"

namespace headrace::delta {
namespace {

void check(const DeletionVector& vector, BytesView stored) {
  try {
    const std::vector<std::uint64_t> rows = deleted_rows(vector, stored);
    if (rows.size() != static_cast<std::size_t>(vector.cardinality)) __builtin_trap();
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i - 1] >= rows[i]) __builtin_trap();
    }
  } catch (const Error&) {
  }
}

std::string encode_z85(std::string bytes) {
  static constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  bytes.resize((bytes.size() + 3) / 4 * 4);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint64_t value = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      value = value << 8 | static_cast<unsigned char>(bytes[i + j]);
    }
    std::string digits(5, '0');
    for (std::size_t j = 5; j-- > 0; value /= 85) digits[j] = kDigits[value % 85];
    out += digits;
  }
  return out;
}

}  // namespace
}  // namespace headrace::delta

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  if (size < 2) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::int64_t cardinality = data[0] | data[1] << 8;
  delta::check({.storage_type = "i",
                .path_or_inline_dv = delta::encode_z85(bytes),
                .size_in_bytes = static_cast<std::int32_t>(bytes.size()),
                .cardinality = cardinality},
               "");
  const std::size_t around = bytes.size() < 8 ? bytes.size() : 8;
  delta::check({.storage_type = "u",
                .path_or_inline_dv = "^-aqEH.-t@S}K{vb[*k^",
                .offset = 1,
                .size_in_bytes = static_cast<std::int32_t>(bytes.size() - around),
                .cardinality = cardinality},
               bytes);
  return 0;
}
