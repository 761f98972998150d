#include "format/parquet/bounds.h"

#include <algorithm>
#include <cstring>

#include "format/parquet/values.h"

namespace headrace::parquet_file {
namespace {

/// The first bytes of a text as a number in the order of texts, up to what follows them.
std::uint64_t leading(std::string_view text) {
  std::uint64_t bytes = 0;
  if (text.size() >= sizeof bytes) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    return __builtin_bswap64(bytes);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    bytes |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (56 - 8 * i);
  }
  return bytes;
}

/// Bounds of texts, told one after another.
class TextBounds {
 public:
  void add(std::string_view text) {
    const std::uint64_t here = leading(text);
    if (here < least_ || !bounds.any || (here == least_ && text < bounds.least_text)) {
      bounds.least_text = text;
      least_ = here;
    }
    if (here > most_ || !bounds.any || (here == most_ && text > bounds.most_text)) {
      bounds.most_text = text;
      most_ = here;
    }
    bounds.any = true;
  }
  Bounds bounds;

 private:
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
};

Bounds bounds_of_texts(const Column& column) {
  TextBounds all;
  if (column.in_dictionary) {
    const auto size = static_cast<std::uint32_t>(column.dictionary.size());
    for (std::uint32_t i = 0; i < size; ++i) all.add(column.dictionary.at(i));
    return all.bounds;
  }
  const char* at = column.bytes.data();
  for (const std::int32_t length : column.lengths.view()) {
    all.add({at, static_cast<std::size_t>(length)});
    at += length;
  }
  return all.bounds;
}

Bounds bounds_of_wides(BytesView values) {
  Bounds bounds;
  for (; !values.empty(); values.remove_prefix(kWideBytes)) {
    const std::string_view value = values.substr(0, kWideBytes);
    if (!bounds.any || less_wide(value, bounds.least_text)) bounds.least_text = value;
    if (!bounds.any || less_wide(bounds.most_text, value)) bounds.most_text = value;
    bounds.any = true;
  }
  return bounds;
}

template <class T>
Bounds bounds_of_numbers(std::span<const T> values) {
  Bounds bounds;
  if (values.empty()) return bounds;
  T least = values[0];
  T most = values[0];
  for (const T value : values) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  bounds.any = true;
  if constexpr (std::is_floating_point_v<T>) {
    bounds.least_real = least == 0 ? -0.0 : least;
    bounds.most_real = most == 0 ? 0.0 : most;
  } else {
    bounds.least = least;
    bounds.most = most;
  }
  return bounds;
}

}  // namespace

bool less_wide(std::string_view a, std::string_view b) { return wide_integer(a) < wide_integer(b); }

Bounds bounds_of(const Column& column) {
  switch (column.physical) {
    case Physical::kBool:
      return bounds_of_numbers(column.values_as<std::uint8_t>());
    case Physical::kInt32:
      return bounds_of_numbers(column.values_as<std::int32_t>());
    case Physical::kInt64:
      return bounds_of_numbers(column.values_as<std::int64_t>());
    case Physical::kFloat:
      return bounds_of_numbers(column.values_as<float>());
    case Physical::kDouble:
      return bounds_of_numbers(column.values_as<double>());
    case Physical::kText:
      return bounds_of_texts(column);
    case Physical::kWide:
      return bounds_of_wides({column.bytes.data(), column.bytes.size()});
    case Physical::kNone:
      return {};
  }
  return {};
}

}  // namespace headrace::parquet_file
