#include "format/parquet/chunk_writer.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

#include "core/error.h"
#include "format/parquet/encoding.h"

namespace headrace::parquet_file {
namespace {

using parquet::Encoding;

constexpr std::size_t kPageBytes = 1u << 20;
constexpr std::size_t kPageSlots = 1u << 17;
constexpr std::size_t kDictionaryBytes = 1u << 20;
constexpr std::size_t kSample = 2'048;
constexpr std::size_t kMostBoundBytes = 256;  // A longer text makes no statistics.
// zstd's quickest level looks only for matches of 7 bytes; numbers repeat in fewer.
constexpr int kQuickLevel = 1;
constexpr int kTextMatch = 7;
constexpr int kNumberMatch = 6;

/// Do values repeat so often that a dictionary pays? Looks at some, evenly spread.
template <class T>
bool repeats_often(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  // Whole numbers have another good encoding, so that a dictionary has to earn its place.
  constexpr std::size_t kMostDistinctPercent = std::is_floating_point_v<T> ? 67 : 50;
  const std::size_t step = std::max<std::size_t>(1, values.size() / kSample);
  std::vector<std::uint64_t> table(4 * kSample);  // 0 is free; the value 0 counts once too often.
  std::size_t distinct = 0;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < values.size(); i += step, ++looked_at) {
    const auto bits = std::uint64_t{std::bit_cast<Bits>(values[i])} + 1;
    std::size_t place = (bits * 0x9E3779B97F4A7C15u) >> 51;
    while (table[place] != 0 && table[place] != bits) place = (place + 1) % table.size();
    distinct += table[place] == 0;
    table[place] = bits;
  }
  return distinct * 100 < looked_at * kMostDistinctPercent;
}

/// A bound as Parquet's statistics spell it.
std::string encoded_bound(const Column& column, const Bounds& bounds, bool least, int wide_bytes) {
  const auto raw = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const std::int64_t whole = least ? bounds.least : bounds.most;
  const double real = least ? bounds.least_real : bounds.most_real;
  const std::string_view text = least ? bounds.least_text : bounds.most_text;
  switch (column.physical) {
    case Physical::kBool:
      return raw(static_cast<char>(whole));
    case Physical::kInt32:
      return raw(static_cast<std::int32_t>(whole));
    case Physical::kInt64:
      return raw(whole);
    case Physical::kFloat:
      return raw(static_cast<float>(real));
    case Physical::kDouble:
      return raw(real);
    case Physical::kWide:
      return std::string(text.substr(text.size() - static_cast<std::size_t>(wide_bytes)));
    case Physical::kText:
    case Physical::kNone:
      break;
  }
  return std::string(text);
}

parquet::EncodedStatistics statistics(const Column& column, const Bounds& bounds, std::size_t slots,
                                      int wide_bytes) {
  parquet::EncodedStatistics out;
  out.set_null_count(static_cast<std::int64_t>(slots - column.values()));
  out.set_is_signed(column.physical != Physical::kText);
  if (!bounds.any) {
    out.all_null_value = true;
    return out;
  }
  std::string least = encoded_bound(column, bounds, true, wide_bytes);
  std::string most = encoded_bound(column, bounds, false, wide_bytes);
  if (std::max(least.size(), most.size()) <= kMostBoundBytes) {
    out.set_min(std::move(least)).set_max(std::move(most));
    out.is_min_value_exact = out.is_max_value_exact = true;
  }
  return out;
}

}  // namespace

/// Packs pages. One context serves all of them, which spares setting it up each time.
class ChunkWriter::Packer {
 public:
  Packer(Codec codec, int level) : codec_(codec), level_(level) {
    if (codec == Codec::kZstd) {
      zstd_ = ZSTD_createCCtx();
      if (zstd_ == nullptr) throw Error(ErrorKind::kTransient, "out of memory for packing pages");
      check(ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, level));
    }
    if (codec == Codec::kSnappy) {
      snappy_ = arrow::util::Codec::Create(arrow::Compression::SNAPPY).ValueOrDie();
    }
  }
  ~Packer() { ZSTD_freeCCtx(zstd_); }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  BytesView pack(BytesView plain, bool texts) {
    if (codec_ == Codec::kNone) return plain;
    const auto size = static_cast<std::int64_t>(plain.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(plain.data());
    const std::size_t room = codec_ == Codec::kZstd
                                 ? ZSTD_compressBound(plain.size())
                                 : static_cast<std::size_t>(snappy_->MaxCompressedLen(size, bytes));
    packed_.clear();
    char* out = packed_.extend(room);
    if (codec_ == Codec::kZstd) {
      if (level_ == kQuickLevel) {
        check(ZSTD_CCtx_setParameter(zstd_, ZSTD_c_minMatch, texts ? kTextMatch : kNumberMatch));
      }
      return {out, check(ZSTD_compress2(zstd_, out, room, plain.data(), plain.size()))};
    }
    const auto packed = snappy_->Compress(size, bytes, static_cast<std::int64_t>(room),
                                          reinterpret_cast<std::uint8_t*>(out));
    if (!packed.ok()) {
      throw Error(ErrorKind::kBug, "packing a page: " + packed.status().ToString());
    }
    return {out, static_cast<std::size_t>(*packed)};
  }

 private:
  static std::size_t check(std::size_t result) {
    if (ZSTD_isError(result) == 0) return result;
    throw Error(ErrorKind::kBug, fmt::format("packing a page: {}", ZSTD_getErrorName(result)));
  }

  Codec codec_;
  int level_;
  ZSTD_CCtx* zstd_ = nullptr;
  std::unique_ptr<arrow::util::Codec> snappy_;
  Buffer<char> packed_;
};

/// How a chunk's values are going to be encoded.
struct ChunkWriter::Layout {
  Encoding::type encoding = Encoding::PLAIN;
  std::span<const std::uint32_t> indices;  // With a dictionary: of all values.
  std::size_t entries = 0;
  int index_bits = 0;
  int wide_bytes = 0;
  bool texts = false;
};

struct ChunkWriter::Totals {
  std::int64_t plain_bytes = 0;
  std::int64_t dictionary_offset = 0;
  std::int64_t data_offset = 0;
  std::map<Encoding::type, std::int32_t> dictionary_pages;
  std::map<Encoding::type, std::int32_t> data_pages;
};

ChunkWriter::ChunkWriter(Codec codec, int level)
    : packer_(std::make_unique<Packer>(codec, level)) {}
ChunkWriter::~ChunkWriter() = default;

/// Fills dictionary_ and indices_; false if it would not pay.
template <class T>
bool ChunkWriter::build_dictionary(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  struct Slot {
    Bits bits;
    std::uint32_t index;
  };
  constexpr std::uint32_t kFree = ~0u;
  if (!repeats_often(values)) return false;
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(values.size() * 2, 16));
  std::vector<Slot> slots(size, Slot{0, kFree});
  indices_.clear();
  dictionary_.clear();
  std::uint32_t entries = 0;
  for (const T value : values) {
    const auto bits = std::bit_cast<Bits>(value);
    std::size_t place = ((std::uint64_t{bits} * 0x9E3779B97F4A7C15u) >> 20) & (size - 1);
    while (slots[place].index != kFree && slots[place].bits != bits) {
      place = (place + 1) & (size - 1);
    }
    if (slots[place].index == kFree) {
      slots[place] = {bits, entries++};
      dictionary_.append(reinterpret_cast<const char*>(&value), sizeof value);
      if (dictionary_.size() > kDictionaryBytes) return false;
    }
    indices_.push(slots[place].index);
  }
  return true;
}

ChunkWriter::Layout ChunkWriter::layout_of(const Column& column, int wide_bytes) {
  Layout layout;
  layout.wide_bytes = wide_bytes;
  layout.texts = column.physical == Physical::kText;
  bool dictionary = false;
  if (column.values() == 0) return layout;
  switch (column.physical) {
    case Physical::kInt32:
      dictionary = build_dictionary(column.values_as<std::int32_t>());
      layout.encoding = Encoding::DELTA_BINARY_PACKED;
      layout.entries = dictionary_.size() / 4;
      break;
    case Physical::kInt64:
      dictionary = build_dictionary(column.values_as<std::int64_t>());
      layout.encoding = Encoding::DELTA_BINARY_PACKED;
      layout.entries = dictionary_.size() / 8;
      break;
    case Physical::kFloat:
      dictionary = build_dictionary(column.values_as<float>());
      layout.entries = dictionary_.size() / 4;
      break;
    case Physical::kDouble:
      dictionary = build_dictionary(column.values_as<double>());
      layout.entries = dictionary_.size() / 8;
      break;
    case Physical::kText:
      layout.encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
      dictionary = column.in_dictionary;
      if (dictionary) dictionary_ = column.dictionary.encoded();
      layout.entries = column.dictionary.size();
      break;
    default:
      break;
  }
  if (dictionary) {
    layout.encoding = Encoding::RLE_DICTIONARY;
    layout.indices =
        column.physical == Physical::kText ? column.values_as<std::uint32_t>() : indices_.view();
    layout.index_bits = bits_for(static_cast<std::uint32_t>(layout.entries - 1));
  }
  return layout;
}

/// Packs page_ and appends it with its header.
void ChunkWriter::write_page(bool dictionary, const Layout& layout, std::size_t values, Bytes& file,
                             Totals& totals) {
  if (page_.size() > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::kInvalid, "a row is too large for a page of Parquet: lower line_bytes");
  }
  const std::int32_t encoding = dictionary ? Encoding::PLAIN : layout.encoding;
  const BytesView packed = packer_->pack(page_, layout.texts);
  const std::size_t before = file.size();
  append_page_header(file, {.dictionary = dictionary,
                            .encoding = encoding,
                            .values = static_cast<std::int32_t>(values),
                            .plain_bytes = static_cast<std::int32_t>(page_.size()),
                            .packed_bytes = static_cast<std::int32_t>(packed.size())});
  totals.plain_bytes += static_cast<std::int64_t>(file.size() - before + page_.size());
  file += packed;
}

/// Appends `count` of the column's values to page_, beginning with value `first`.
void ChunkWriter::append_values(const Column& column, const Layout& layout, std::size_t first,
                                std::size_t count) {
  if (layout.encoding == Encoding::RLE_DICTIONARY) {
    page_ += static_cast<char>(layout.index_bits);
    return append_runs(page_, layout.indices.subspan(first, count), layout.index_bits);
  }
  const auto plain = [&](std::size_t bytes) {
    page_.append(column.bytes.data() + first * bytes, count * bytes);
  };
  switch (column.physical) {
    case Physical::kBool:
      return append_booleans(page_, column.values_as<std::uint8_t>().subspan(first, count));
    case Physical::kInt32:
      return append_deltas(page_, column.values_as<std::int32_t>().subspan(first, count));
    case Physical::kInt64:
      return append_deltas(page_, column.values_as<std::int64_t>().subspan(first, count));
    case Physical::kFloat:
      return plain(4);
    case Physical::kDouble:
      return plain(8);
    case Physical::kWide:
      for (std::size_t i = first; i < first + count; ++i) {
        const auto bytes = static_cast<std::size_t>(layout.wide_bytes);
        page_.append(column.bytes.data() + (i + 1) * kWideBytes - bytes, bytes);
      }
      return;
    case Physical::kText: {
      const auto lengths = column.lengths.view().subspan(first, count);
      append_deltas(page_, lengths);
      std::size_t size = 0;
      for (const std::int32_t length : lengths) size += static_cast<std::size_t>(length);
      page_.append(column.bytes.data() + text_at_, size);
      text_at_ += size;
      return;
    }
    case Physical::kNone:
      return;
  }
}

void ChunkWriter::write_data_pages(const Columns& columns, const Column& column,
                                   const Layout& layout, Bytes& file, Totals& totals) {
  const std::size_t slots = columns.slots(column);
  const std::span<const std::uint8_t> levels = levels_.view();
  const std::size_t pages = std::max(column.bytes.size() / kPageBytes, slots / kPageSlots) + 1;
  const std::size_t slots_per_page = (slots + pages - 1) / pages;
  std::size_t value = 0;
  text_at_ = 0;
  for (std::size_t begin = 0; begin < slots;) {
    std::size_t end = std::min(slots, begin + slots_per_page);
    page_.clear();
    if (column.space != nullptr) {
      // A row must not be cut: the next page begins with a row.
      const auto repetitions = column.space->repetitions.view();
      while (end < slots && repetitions[end] != 0) ++end;
      append_levels(page_, repetitions.subspan(begin, end - begin),
                    bits_for(column.space->repetition));
    }
    const auto page_levels = levels.subspan(begin, end - begin);
    append_levels(page_, page_levels, bits_for(column.level));
    const auto count = static_cast<std::size_t>(std::ranges::count(page_levels, column.level));
    append_values(column, layout, value, count);
    write_page(false, layout, end - begin, file, totals);
    ++totals.data_pages[layout.encoding];
    value += count;
    begin = end;
  }
}

std::int64_t ChunkWriter::write(Columns& columns, const Column& column, const Bounds& bounds,
                                parquet::ColumnChunkMetaDataBuilder& metadata, Bytes& file) {
  const std::size_t begin = file.size();
  const int wide_bytes = metadata.descr()->type_length();
  columns.definition_levels(column, levels_);
  const Layout layout = layout_of(column, wide_bytes);
  Totals totals;
  const bool dictionary = layout.encoding == Encoding::RLE_DICTIONARY;
  if (dictionary) {
    totals.dictionary_offset = static_cast<std::int64_t>(begin);
    page_ = dictionary_;
    write_page(true, layout, layout.entries, file, totals);
    totals.dictionary_pages[Encoding::PLAIN] = 1;
  }
  totals.data_offset = static_cast<std::int64_t>(file.size());
  write_data_pages(columns, column, layout, file, totals);
  metadata.SetStatistics(statistics(column, bounds, columns.slots(column), wide_bytes));
  metadata.Finish(static_cast<std::int64_t>(columns.slots(column)), totals.dictionary_offset, -1,
                  totals.data_offset, static_cast<std::int64_t>(file.size() - begin),
                  totals.plain_bytes, dictionary, false, totals.dictionary_pages,
                  totals.data_pages);
  return totals.plain_bytes;
}

}  // namespace headrace::parquet_file
