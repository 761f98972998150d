#include "format/parquet/bounds.h"

#include <algorithm>
#include <cstring>
#include <vector>

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

Bounds bounds_of_dictionary(const Column& column, std::size_t first, std::size_t count) {
  TextBounds all;
  const auto size = static_cast<std::uint32_t>(column.dictionary.size());
  if (count == column.values()) {
    for (std::uint32_t i = 0; i < size; ++i) all.add(column.dictionary.at(i));
    return all.bounds;
  }
  std::vector<char> used(size);
  for (const auto index : column.values_as<std::uint32_t>().subspan(first, count)) used[index] = 1;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (used[i] != 0) all.add(column.dictionary.at(i));
  }
  return all.bounds;
}

Bounds bounds_of_texts(const Column& column, std::size_t first, std::size_t count,
                       std::size_t text_at) {
  TextBounds all;
  const char* at = column.bytes.data() + text_at;
  for (const std::int32_t length : column.lengths.view().subspan(first, count)) {
    all.add({at, static_cast<std::size_t>(length)});
    at += length;
  }
  return all.bounds;
}

Bounds bounds_of_uuids(BytesView values) {
  TextBounds all;
  for (; !values.empty(); values.remove_prefix(kUuidBytes)) all.add(values.substr(0, kUuidBytes));
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

Bounds bounds_of(const Column& column, std::size_t first, std::size_t count, std::size_t text_at) {
  const auto numbers = [&]<class T>(T) {
    return bounds_of_numbers(column.values_as<T>().subspan(first, count));
  };
  const auto fixed = [&](std::size_t size) {
    return BytesView(column.bytes.data() + first * size, count * size);
  };
  if (count == 0) return {};
  switch (column.physical) {
    case Physical::kBool:
      return numbers(std::uint8_t{});
    case Physical::kInt32:
      return numbers(std::int32_t{});
    case Physical::kInt64:
      return numbers(std::int64_t{});
    case Physical::kFloat:
      return numbers(float{});
    case Physical::kDouble:
      return numbers(double{});
    case Physical::kText:
      return column.in_dictionary ? bounds_of_dictionary(column, first, count)
                                  : bounds_of_texts(column, first, count, text_at);
    case Physical::kWide:
      return bounds_of_wides(fixed(kWideBytes));
    case Physical::kUuid:
      return bounds_of_uuids(fixed(kUuidBytes));
    case Physical::kNone:
      return {};
  }
  return {};
}

namespace {

template <class T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int order_of_texts(std::string_view a, std::string_view b, Physical physical) {
  if (physical == Physical::kWide) return order_of(wide_integer(a), wide_integer(b));
  return order_of(a, b);
}

enum class Kept : unsigned char { kWhole, kReal, kText };

Kept kept_as(Physical physical) {
  switch (physical) {
    case Physical::kFloat:
    case Physical::kDouble:
      return Kept::kReal;
    case Physical::kText:
    case Physical::kWide:
    case Physical::kUuid:
      return Kept::kText;
    default:
      return Kept::kWhole;
  }
}

}  // namespace

int compare_least(const Bounds& a, const Bounds& b, Physical physical) {
  switch (kept_as(physical)) {
    case Kept::kReal:
      return order_of(a.least_real, b.least_real);
    case Kept::kText:
      return order_of_texts(a.least_text, b.least_text, physical);
    case Kept::kWhole:
      break;
  }
  return order_of(a.least, b.least);
}

int compare_most(const Bounds& a, const Bounds& b, Physical physical) {
  switch (kept_as(physical)) {
    case Kept::kReal:
      return order_of(a.most_real, b.most_real);
    case Kept::kText:
      return order_of_texts(a.most_text, b.most_text, physical);
    case Kept::kWhole:
      break;
  }
  return order_of(a.most, b.most);
}

void widen(Bounds& all, const Bounds& more, Physical physical) {
  if (!more.any) return;
  if (!all.any) {
    all = more;
    return;
  }
  if (compare_least(more, all, physical) < 0) {
    all.least = more.least;
    all.least_real = more.least_real;
    all.least_text = more.least_text;
  }
  if (compare_most(more, all, physical) > 0) {
    all.most = more.most;
    all.most_real = more.most_real;
    all.most_text = more.most_text;
  }
}

}  // namespace headrace::parquet_file
