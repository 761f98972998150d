#include "format/parquet/chunk_writer.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "core/error.h"
#include "format/parquet/encoding.h"
#include "format/parquet/stats.h"

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kPageBytes = 1u << 20;
constexpr std::size_t kPageSlots = 1u << 17;
constexpr std::size_t kDictionaryBytes = 1u << 20;
constexpr std::size_t kSample = 2'048;
constexpr std::size_t kTrial = 32'768;        // Values between two looks at how a dictionary does.
constexpr std::size_t kLeastGain = 32;        // A part of a page that packing must save.
constexpr std::size_t kMostBoundBytes = 256;  // A longer text makes no statistics.
// zstd's quickest level looks only for matches of 7 bytes; numbers repeat in fewer.
constexpr int kQuickLevel = 1;
constexpr int kTextMatch = 7;
constexpr int kNumberMatch = 6;

/// A value of 16 bytes.
struct Uuid {
  std::uint64_t halves[2];
};

/// Equal values, bit for bit, have equal hashes.
template <class T>
std::uint64_t hash_of(const T& value) {
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;
  if constexpr (sizeof(T) == 16) {
    return (value.halves[0] ^ (value.halves[1] * kSpread)) * kSpread;
  } else {
    using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    return std::uint64_t{std::bit_cast<Bits>(value)} * kSpread;
  }
}

template <class T>
bool same(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// Do values repeat so often that a dictionary pays? Looks at some, evenly spread.
template <class T>
bool repeats_often(std::span<const T> values) {
  // Whole numbers have another good encoding, so that a dictionary has to earn its place.
  constexpr std::size_t kMostDistinctPercent = std::is_integral_v<T> ? 50 : 67;
  const std::size_t step = std::max<std::size_t>(1, values.size() / kSample);
  std::vector<std::uint64_t> table(4 * kSample);  // 0 is free.
  std::size_t distinct = 0;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < values.size(); i += step, ++looked_at) {
    const std::uint64_t hash = hash_of(values[i]) | 1;
    std::size_t place = hash >> 51;
    while (table[place] != 0 && table[place] != hash) place = (place + 1) % table.size();
    distinct += table[place] == 0;
    table[place] = hash;
  }
  return distinct * 100 < looked_at * kMostDistinctPercent;
}

/// A bound as Parquet's statistics spell it.
std::string encoded_bound(const LeafLayout& leaf, const Bounds& bounds, bool least) {
  const auto raw = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const std::int64_t whole = least ? bounds.least : bounds.most;
  const double real = least ? bounds.least_real : bounds.most_real;
  const std::string_view text = least ? bounds.least_text : bounds.most_text;
  switch (leaf.physical) {
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
      return std::string(text.substr(text.size() - static_cast<std::size_t>(leaf.wide_bytes)));
    case Physical::kText:
    case Physical::kUuid:
    case Physical::kNone:
      break;
  }
  return std::string(text);
}

/// Shortens the bounds of a page's texts, which need not be values. False if there is no bound.
bool shorten(const LeafLayout& leaf, std::string& least, std::string& most) {
  if (leaf.physical != Physical::kText) return true;
  if (leaf.kind == TypeKind::kBinary) return std::max(least.size(), most.size()) <= kMostBoundBytes;
  least = lower_bound_text(least);
  auto upper = upper_bound_text(most);
  if (upper) most = std::move(*upper);
  return upper.has_value();
}

/// Tells the chunk's bounds, and those of its pages if there are several.
void set_bounds(const LeafLayout& leaf, const Bounds& all, const std::vector<Bounds>& of_pages,
                ChunkMeta& chunk) {
  chunk.has_page_bounds = true;
  std::string least = all.any ? encoded_bound(leaf, all, true) : "";
  std::string most = all.any ? encoded_bound(leaf, all, false) : "";
  chunk.has_bounds = all.any && std::max(least.size(), most.size()) <= kMostBoundBytes;
  if (chunk.has_bounds) {
    chunk.least = least;
    chunk.most = most;
  }
  bool rises = true;
  bool falls = true;
  const Bounds* before = nullptr;
  for (std::size_t i = 0; i < chunk.pages.size(); ++i) {
    PageMeta& page = chunk.pages[i];
    page.any = of_pages[i].any;
    if (!page.any) continue;
    page.least = encoded_bound(leaf, of_pages[i], true);
    page.most = encoded_bound(leaf, of_pages[i], false);
    if (!shorten(leaf, page.least, page.most)) chunk.has_page_bounds = false;
    if (before != nullptr) {
      const int by_least = compare_least(*before, of_pages[i], leaf.physical);
      const int by_most = compare_most(*before, of_pages[i], leaf.physical);
      rises = rises && by_least <= 0 && by_most <= 0;
      falls = falls && by_least >= 0 && by_most >= 0;
    }
    before = &of_pages[i];
  }
  // Of shortened texts the order is not known.
  if (leaf.physical == Physical::kText && !chunk.has_bounds) return;
  if (leaf.physical == Physical::kText && std::max(least.size(), most.size()) > 32) return;
  chunk.order = rises   ? BoundaryOrder::kAscending
                : falls ? BoundaryOrder::kDescending
                        : BoundaryOrder::kUnordered;
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
  Encoding encoding = Encoding::kPlain;
  std::span<const std::uint32_t> indices;  // With a dictionary: of all values.
  std::size_t entries = 0;
  int index_bits = 0;
  int wide_bytes = 0;
  bool texts = false;
};

ChunkWriter::ChunkWriter(Codec codec, int level)
    : packer_(std::make_unique<Packer>(codec, level)) {}
ChunkWriter::~ChunkWriter() = default;

/// Fills dictionary_ and indices_; false if it would not pay.
template <class T>
bool ChunkWriter::build_dictionary(std::span<const T> values) {
  struct Slot {
    T value;
    std::uint32_t index;
  };
  constexpr std::uint32_t kFree = ~0u;
  constexpr std::size_t kMostEntries = kDictionaryBytes / sizeof(T);
  if (!repeats_often(values)) return false;
  std::vector<Slot> slots(1'024, Slot{{}, kFree});
  const auto place_of = [&slots](const T& value) {
    std::size_t place = (hash_of(value) >> 20) & (slots.size() - 1);
    while (slots[place].index != kFree && !same(slots[place].value, value)) {
      place = (place + 1) & (slots.size() - 1);
    }
    return place;
  };
  const auto grow = [&] {
    std::vector<Slot> before(slots.size() * 2, Slot{{}, kFree});
    std::swap(before, slots);
    for (const Slot& slot : before) {
      if (slot.index != kFree) slots[place_of(slot.value)] = slot;
    }
  };
  std::uint32_t* index = (indices_.clear(), indices_.extend(values.size()));
  std::uint32_t entries = 0;
  std::uint32_t entries_then = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = place_of(values[i]);
    if (slots[place].index == kFree) {
      if (entries == kMostEntries) return false;
      slots[place] = {values[i], entries++};
      index[i] = entries - 1;
      if (entries * 2 > slots.size()) grow();
    } else {
      index[i] = slots[place].index;
    }
    if ((i + 1) % kTrial != 0) continue;
    // Going on like this, will it overflow?
    const std::size_t left = (values.size() - i) / kTrial;
    if (entries + left * (entries - entries_then) > kMostEntries) return false;
    entries_then = entries;
  }
  dictionary_.resize(entries * sizeof(T));
  for (const Slot& slot : slots) {
    if (slot.index == kFree) continue;
    std::memcpy(dictionary_.data() + slot.index * sizeof(T), &slot.value, sizeof(T));
  }
  return true;
}

ChunkWriter::Layout ChunkWriter::layout_of(const Column& column, const LeafLayout& leaf) {
  Layout layout;
  layout.wide_bytes = leaf.wide_bytes;
  layout.texts = column.physical == Physical::kText;
  bool dictionary = false;
  if (column.values() == 0) return layout;
  const auto numbers = [&]<class T>(T, Encoding otherwise) {
    dictionary = build_dictionary(column.values_as<T>());
    layout.encoding = otherwise;
    layout.entries = dictionary_.size() / sizeof(T);
  };
  switch (column.physical) {
    case Physical::kInt32:
      numbers(std::int32_t{}, Encoding::kDeltaBinaryPacked);
      break;
    case Physical::kInt64:
      numbers(std::int64_t{}, Encoding::kDeltaBinaryPacked);
      break;
    case Physical::kFloat:
      numbers(float{}, Encoding::kPlain);
      break;
    case Physical::kDouble:
      numbers(double{}, Encoding::kPlain);
      break;
    case Physical::kUuid:
      numbers(Uuid{}, Encoding::kPlain);
      break;
    case Physical::kText:
      layout.encoding = Encoding::kDeltaLengthByteArray;
      dictionary = column.in_dictionary;
      if (dictionary) dictionary_ = column.dictionary.encoded();
      layout.entries = column.dictionary.size();
      break;
    default:
      break;
  }
  if (dictionary) {
    layout.encoding = Encoding::kRleDictionary;
    layout.indices =
        column.physical == Physical::kText ? column.values_as<std::uint32_t>() : indices_.view();
    layout.index_bits = bits_for(static_cast<std::uint32_t>(layout.entries - 1));
  }
  return layout;
}

/// Packs page_ and appends it with its header. The first page shows whether packing pays.
void ChunkWriter::write_page(bool dictionary, const Layout& layout, std::size_t values,
                             Bytes& group, ChunkMeta& chunk) {
  if (page_.size() > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::kInvalid, "a row is too large for a page of Parquet: lower line_bytes");
  }
  BytesView packed = chunk.packed ? packer_->pack(page_, layout.texts) : BytesView(page_);
  const bool first = chunk.plain_bytes == 0 && !dictionary;
  if (first && packed.size() >= page_.size() - page_.size() / kLeastGain) {
    chunk.packed = false;
    packed = page_;
  }
  const std::size_t before = group.size();
  append_page_header(group,
                     {.dictionary = dictionary,
                      .encoding = static_cast<int>(dictionary ? Encoding::kPlain : layout.encoding),
                      .values = static_cast<std::int32_t>(values),
                      .plain_bytes = static_cast<std::int32_t>(page_.size()),
                      .packed_bytes = static_cast<std::int32_t>(packed.size())});
  chunk.plain_bytes += static_cast<std::int64_t>(group.size() - before + page_.size());
  group += packed;
}

/// Appends `count` of the column's values to page_, beginning with value `first`.
void ChunkWriter::append_values(const Column& column, const Layout& layout, std::size_t first,
                                std::size_t count) {
  // A column without any value says PLAIN: nothing may stand where its values would.
  if (count == 0 && layout.encoding == Encoding::kPlain) return;
  if (layout.encoding == Encoding::kRleDictionary) {
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
    case Physical::kUuid:
      return plain(kUuidBytes);
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

/// Puts the levels of the slots from `begin` to `end`, or to the end of the last row there, into
/// page_. Returns where they end.
std::size_t ChunkWriter::begin_page(const Column& column, std::size_t begin, std::size_t end,
                                    PageMeta& page) {
  page_.clear();
  page.first_row = rows_;
  if (column.space == nullptr) {
    rows_ += static_cast<std::int64_t>(end - begin);
  } else {
    // A row must not be cut: the next page begins with a row.
    const auto repetitions = column.space->repetitions.view();
    while (end < repetitions.size() && repetitions[end] != 0) ++end;
    const auto here = repetitions.subspan(begin, end - begin);
    rows_ += std::ranges::count(here, std::uint8_t{0});
    append_levels(page_, here, bits_for(column.space->repetition));
  }
  append_levels(page_, levels_.view().subspan(begin, end - begin), bits_for(column.level));
  return end;
}

void ChunkWriter::write_data_pages(const Columns& columns, const Column& column,
                                   const LeafLayout& leaf, const Layout& layout, Bytes& group,
                                   ChunkMeta& chunk, Bounds& bounds) {
  const std::size_t slots = columns.slots(column);
  const std::size_t pages = std::max(column.bytes.size() / kPageBytes, slots / kPageSlots) + 1;
  const std::size_t slots_per_page = (slots + pages - 1) / pages;
  std::vector<Bounds> of_pages;
  std::size_t value = 0;
  text_at_ = 0;
  rows_ = 0;
  for (std::size_t begin = 0; begin < slots;) {
    PageMeta& page = chunk.pages.emplace_back();
    const std::size_t end =
        begin_page(column, begin, std::min(slots, begin + slots_per_page), page);
    const auto count = static_cast<std::size_t>(
        std::ranges::count(levels_.view().subspan(begin, end - begin), column.level));
    of_pages.push_back(bounds_of(column, value, count, text_at_));
    widen(bounds, of_pages.back(), column.physical);
    append_values(column, layout, value, count);
    page.offset = static_cast<std::int64_t>(group.size());
    page.nulls = static_cast<std::int64_t>(end - begin - count);
    write_page(false, layout, end - begin, group, chunk);
    page.bytes = static_cast<std::int32_t>(static_cast<std::int64_t>(group.size()) - page.offset);
    value += count;
    begin = end;
  }
  set_bounds(leaf, bounds, of_pages, chunk);
}

ChunkMeta ChunkWriter::write(Columns& columns, const Column& column, const LeafLayout& leaf,
                             Bytes& group, Bounds& bounds) {
  const std::size_t begin = group.size();
  columns.definition_levels(column, levels_);
  const Layout layout = layout_of(column, leaf);
  ChunkMeta chunk;
  chunk.encoding = layout.encoding;
  chunk.dictionary = layout.encoding == Encoding::kRleDictionary;
  chunk.offset = static_cast<std::int64_t>(begin);
  chunk.values = static_cast<std::int64_t>(columns.slots(column));
  chunk.nulls = chunk.values - static_cast<std::int64_t>(column.values());
  if (chunk.dictionary) {
    page_ = dictionary_;
    write_page(true, layout, layout.entries, group, chunk);
  }
  write_data_pages(columns, column, leaf, layout, group, chunk, bounds);
  chunk.bytes = static_cast<std::int64_t>(group.size() - begin);
  return chunk;
}

ChunkMeta append_empty_chunk(Bytes& out, std::int64_t begin, const LeafLayout& leaf,
                             std::int64_t rows) {
  const std::vector<std::uint8_t> levels(static_cast<std::size_t>(rows));
  std::string page;
  if (leaf.repetition > 0) append_levels(page, levels, bits_for(leaf.repetition));
  append_levels(page, levels, bits_for(leaf.level));
  const std::size_t before = out.size();
  append_page_header(out, {.encoding = static_cast<int>(Encoding::kPlain),
                           .values = static_cast<std::int32_t>(rows),
                           .plain_bytes = static_cast<std::int32_t>(page.size()),
                           .packed_bytes = static_cast<std::int32_t>(page.size())});
  out += page;
  ChunkMeta chunk;
  chunk.packed = false;
  chunk.values = chunk.nulls = rows;
  chunk.offset = begin;
  chunk.bytes = chunk.plain_bytes = static_cast<std::int64_t>(out.size() - before);
  chunk.has_page_bounds = true;
  chunk.pages.push_back({.offset = begin,
                         .bytes = static_cast<std::int32_t>(chunk.bytes),
                         .first_row = 0,
                         .nulls = rows});
  return chunk;
}

}  // namespace headrace::parquet_file
