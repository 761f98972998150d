#include "format/parquet/footer.h"

#include <algorithm>
#include <cstring>

#include "format/parquet/thrift.h"

namespace headrace::parquet_file {
namespace {

constexpr BytesView kMagic = "PAR1";
constexpr std::int32_t kFormatVersion = 2;
enum PageType { kDataPage = 0, kDictionaryPage = 2 };

std::int32_t parquet_codec(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return 0;
    case Codec::kSnappy:
      return 1;
    case Codec::kZstd:
      return 6;
  }
  return 0;
}

std::int32_t parquet_type(Physical physical) {
  switch (physical) {
    case Physical::kBool:
      return 0;
    case Physical::kInt32:
      return 1;
    case Physical::kInt64:
      return 2;
    case Physical::kFloat:
      return 4;
    case Physical::kDouble:
      return 5;
    case Physical::kText:
    case Physical::kNone:
      return 6;
    case Physical::kWide:
    case Physical::kUuid:
      return 7;
  }
  return 6;
}

/// Where a chunk's entries of the page index lie.
struct IndexPlace {
  std::int64_t column_offset = 0;
  std::int32_t column_bytes = 0;  ///< 0: it has none.
  std::int64_t offsets_offset = 0;
  std::int32_t offsets_bytes = 0;
};

class FooterWriter {
 public:
  FooterWriter(Bytes& out, std::uint64_t file_bytes, const FileLayout& layout,
               const std::vector<GroupMeta>& groups, Codec codec)
      : out_(out),
        before_(static_cast<std::int64_t>(file_bytes - out.size())),
        layout_(layout),
        groups_(groups),
        codec_(codec),
        thrift_(out) {}

  void write() {
    if (pays_index()) write_index();
    const auto begin = here();
    file_metadata();
    const auto length = static_cast<std::uint32_t>(here() - begin);
    char bytes[sizeof length];
    std::memcpy(bytes, &length, sizeof length);
    out_.append(bytes, sizeof length).append(kMagic);
  }

 private:
  std::int64_t here() const { return before_ + static_cast<std::int64_t>(out_.size()); }

  /// Of a chunk with one page the chunk's statistics say all that an index could. Readers want it
  /// for all chunks of a file or for none.
  bool pays_index() const {
    return std::ranges::any_of(groups_, [](const GroupMeta& group) {
      return std::ranges::any_of(group.chunks,
                                 [](const ChunkMeta& chunk) { return chunk.pages.size() > 1; });
    });
  }

  void write_index() {
    for (const GroupMeta& group : groups_) {
      for (const ChunkMeta& chunk : group.chunks) {
        IndexPlace& place = index_.emplace_back();
        if (!chunk.has_page_bounds) continue;
        place.column_offset = here();
        column_index(chunk);
        place.column_bytes = static_cast<std::int32_t>(here() - place.column_offset);
      }
    }
    std::size_t at = 0;
    for (const GroupMeta& group : groups_) {
      for (const ChunkMeta& chunk : group.chunks) {
        IndexPlace& place = index_[at++];
        place.offsets_offset = here();
        offset_index(group, chunk);
        place.offsets_bytes = static_cast<std::int32_t>(here() - place.offsets_offset);
      }
    }
  }

  void column_index(const ChunkMeta& chunk) {
    const auto& pages = chunk.pages;
    thrift_.begin_top();
    thrift_.list_of_booleans(1, pages.size());
    for (const PageMeta& page : pages) thrift_.element_boolean(!page.any);
    thrift_.list_of_texts(2, pages.size());
    for (const PageMeta& page : pages) thrift_.element_text(page.least);
    thrift_.list_of_texts(3, pages.size());
    for (const PageMeta& page : pages) thrift_.element_text(page.most);
    thrift_.i32(4, static_cast<std::int32_t>(chunk.order));
    thrift_.list_of_i64(5, pages.size());
    for (const PageMeta& page : pages) thrift_.element_integer(page.nulls);
    thrift_.end();
  }

  void offset_index(const GroupMeta& group, const ChunkMeta& chunk) {
    thrift_.begin_top();
    thrift_.list_of_structs(1, chunk.pages.size());
    for (const PageMeta& page : chunk.pages) {
      thrift_.begin_element();
      thrift_.i64(1, group.offset + page.offset);
      thrift_.i32(2, page.bytes);
      thrift_.i64(3, page.first_row);
      thrift_.end();
    }
    thrift_.end();
  }

  void file_metadata() {
    std::int64_t rows = 0;
    for (const GroupMeta& group : groups_) rows += group.rows;
    thrift_.begin_top();
    thrift_.i32(1, kFormatVersion);
    thrift_.list_of_structs(2, layout_.schema_size);
    out_ += layout_.schema_elements;
    thrift_.i64(3, rows);
    thrift_.list_of_structs(4, groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) row_group(i);
    thrift_.text(6, "headrace");
    thrift_.list_of_structs(7, layout_.leaves.size());  // Bounds are in the order of the types.
    for (std::size_t i = 0; i < layout_.leaves.size(); ++i) {
      thrift_.begin_element();
      thrift_.empty_struct(1);
      thrift_.end();
    }
    thrift_.end();
  }

  void row_group(std::size_t ordinal) {
    const GroupMeta& group = groups_[ordinal];
    std::int64_t plain_bytes = 0;
    std::int64_t bytes = 0;
    thrift_.begin_element();
    thrift_.list_of_structs(1, group.chunks.size());
    for (std::size_t i = 0; i < group.chunks.size(); ++i) {
      const ChunkMeta& chunk = group.chunks[i];
      plain_bytes += chunk.plain_bytes;
      bytes += chunk.bytes;
      const std::size_t place = ordinal * group.chunks.size() + i;
      column_chunk(group, layout_.leaves[i], chunk, index_.empty() ? nullptr : &index_[place]);
    }
    thrift_.i64(2, plain_bytes);
    thrift_.i64(3, group.rows);
    thrift_.i64(5, group.offset);
    thrift_.i64(6, bytes);
    if (ordinal <= INT16_MAX) thrift_.i16(7, static_cast<std::int16_t>(ordinal));
    thrift_.end();
  }

  void column_chunk(const GroupMeta& group, const LeafLayout& leaf, const ChunkMeta& chunk,
                    const IndexPlace* index) {
    thrift_.begin_element();
    thrift_.i64(2, 0);  // Where a copy of the metadata lies: nowhere else.
    thrift_.begin(3);
    column_metadata(group, leaf, chunk);
    thrift_.end();
    if (index != nullptr) {
      thrift_.i64(4, index->offsets_offset);
      thrift_.i32(5, index->offsets_bytes);
      if (index->column_bytes > 0) {
        thrift_.i64(6, index->column_offset);
        thrift_.i32(7, index->column_bytes);
      }
    }
    thrift_.end();
  }

  void column_metadata(const GroupMeta& group, const LeafLayout& leaf, const ChunkMeta& chunk) {
    const auto encoding = static_cast<std::int32_t>(chunk.encoding);
    thrift_.i32(1, parquet_type(leaf.physical));
    thrift_.list_of_i32(2, chunk.dictionary ? 3 : 2);
    if (chunk.dictionary) thrift_.element_integer(static_cast<int>(Encoding::kPlain));
    thrift_.element_integer(static_cast<int>(Encoding::kRle));  // The levels.
    thrift_.element_integer(encoding);
    thrift_.list_of_texts(3, leaf.path.size());
    for (const std::string& part : leaf.path) thrift_.element_text(part);
    thrift_.i32(4, parquet_codec(chunk.packed ? codec_ : Codec::kNone));
    thrift_.i64(5, chunk.values);
    thrift_.i64(6, chunk.plain_bytes);
    thrift_.i64(7, chunk.bytes);
    thrift_.i64(9, group.offset + chunk.pages.front().offset);
    if (chunk.dictionary) thrift_.i64(11, group.offset + chunk.offset);
    thrift_.begin(12);
    thrift_.i64(3, chunk.nulls);
    if (chunk.has_bounds) {
      thrift_.text(5, chunk.most);
      thrift_.text(6, chunk.least);
      thrift_.boolean(7, true);
      thrift_.boolean(8, true);
    }
    thrift_.end();
    if (!chunk.dictionary) return;
    // Says that every page is in the dictionary, so that looking there can rule the chunk out.
    thrift_.list_of_structs(13, 2);
    page_encoding(kDictionaryPage, static_cast<int>(Encoding::kPlain), 1);
    page_encoding(kDataPage, encoding, static_cast<std::int32_t>(chunk.pages.size()));
  }

  void page_encoding(PageType type, std::int32_t encoding, std::int32_t count) {
    thrift_.begin_element();
    thrift_.i32(1, type);
    thrift_.i32(2, encoding);
    thrift_.i32(3, count);
    thrift_.end();
  }

  Bytes& out_;
  std::int64_t before_;  // Bytes of the file that are no longer in out_.
  const FileLayout& layout_;
  const std::vector<GroupMeta>& groups_;
  Codec codec_;
  Thrift thrift_;
  std::vector<IndexPlace> index_;  // Of every chunk, if there is an index.
};

}  // namespace

void append_footer(Bytes& out, std::uint64_t file_bytes, const FileLayout& layout,
                   const std::vector<GroupMeta>& groups, Codec codec) {
  FooterWriter(out, file_bytes, layout, groups, codec).write();
}

}  // namespace headrace::parquet_file
