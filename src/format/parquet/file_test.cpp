// What is in the files beside values: the footer, the page index, the order of row groups. Read by
// libparquet.
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>

#include <deque>

#include "core/random.h"
#include "format/read_back.h"

namespace headrace {
namespace {

std::unique_ptr<parquet::ParquetFileReader> open(const Bytes& file) {
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(
      std::make_shared<arrow::Buffer>(reinterpret_cast<const std::uint8_t*>(file.data()),
                                      static_cast<std::int64_t>(file.size()))));
}

/// Rows whose `id` rises, whose `text` is new each time and long, whose `few` repeats; `l` has a
/// list of two; `gap` is there only in the last quarter.
std::string rows_of(int count) {
  SeededRandom random(5);
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += fmt::format(R"({{"id":{},"text":"{}{}","few":"f{}","l":[{},{}])", i, random.uuid(),
                         random.uuid(), i % 7, i, -i);
    lines += i >= count - count / 4 ? fmt::format(R"(,"gap":{}.5}})", i) : "}";
    lines += '\n';
  }
  return lines;
}

TEST(PageIndex, TellsTheRowsAndBoundsOfEachPage) {
  constexpr int kRows = 60'000;
  const auto out = convert(rows_of(kRows));
  const auto reader = open(out.files.at(0).bytes);
  ASSERT_EQ(reader->metadata()->num_row_groups(), 1);
  const auto indexes = reader->GetPageIndexReader();
  ASSERT_NE(indexes, nullptr);
  const auto of_group = indexes->RowGroup(0);
  const auto group = reader->metadata()->RowGroup(0);
  std::size_t most_pages = 0;
  for (int i = 0; i < group->num_columns(); ++i) {
    const auto offsets = of_group->GetOffsetIndex(i);
    const auto column = of_group->GetColumnIndex(i);
    ASSERT_NE(offsets, nullptr);
    ASSERT_NE(column, nullptr);
    const auto& pages = offsets->page_locations();
    most_pages = std::max(most_pages, pages.size());
    EXPECT_EQ(pages[0].first_row_index, 0);
    EXPECT_EQ(pages[0].offset, group->ColumnChunk(i)->data_page_offset());
    std::int64_t nulls = 0;
    for (std::size_t k = 0; k < pages.size(); ++k) {
      nulls += column->null_counts()[k];
      if (k == 0) continue;
      EXPECT_EQ(pages[k].offset, pages[k - 1].offset + pages[k - 1].compressed_page_size);
      EXPECT_GT(pages[k].first_row_index, pages[k - 1].first_row_index);
    }
    EXPECT_EQ(nulls, group->ColumnChunk(i)->statistics()->null_count());
  }
  EXPECT_GT(most_pages, 3u);
}

TEST(PageIndex, HasBoundsThatHoldForThePagesValuesAndTheirOrder) {
  constexpr int kRows = 300'000;
  std::string lines;
  for (int i = 0; i < kRows; ++i) {
    lines +=
        fmt::format("{{\"l\":[{},{},{}],\"n\":{}}}\n", i, i, i, i < kRows / 2 ? "null" : "1.5");
  }
  ConvertOptions options;
  options.schema = schema_of({field_of("n", TypeKind::kDouble)});
  const auto out = convert(lines, options);
  const auto reader = open(out.files.at(0).bytes);
  const auto of_group = reader->GetPageIndexReader()->RowGroup(0);
  const auto list =
      std::dynamic_pointer_cast<parquet::Int64ColumnIndex>(of_group->GetColumnIndex(1));
  const auto offsets = of_group->GetOffsetIndex(1);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->boundary_order(), parquet::BoundaryOrder::Ascending);
  const auto& pages = offsets->page_locations();
  ASSERT_GT(pages.size(), 1u);
  for (std::size_t k = 0; k < pages.size(); ++k) {
    EXPECT_EQ(list->min_values()[k], pages[k].first_row_index);
    if (k > 0) EXPECT_EQ(list->max_values()[k - 1], pages[k].first_row_index - 1);
  }
}

TEST(PageIndex, IsLeftOutWhereEveryColumnHasOnePage) {
  const auto reader = open(convert(rows_of(100)).files.at(0).bytes);
  EXPECT_EQ(reader->metadata()->RowGroup(0)->ColumnChunk(0)->GetOffsetIndexLocation(),
            std::nullopt);
}

TEST(Chunks, AreLeftAsTheyAreWherePackingGainsNothing) {
  ConvertOptions options;
  options.plain_types = true;
  SeededRandom random(1);
  std::string lines;
  for (int i = 0; i < 20'000; ++i) {
    lines += fmt::format("{{\"id\":\"{}\",\"few\":\"value {}\"}}\n", random.uuid(), i % 5);
  }
  const auto reader = open(convert(lines, options).files.at(0).bytes);
  const auto group = reader->metadata()->RowGroup(0);
  EXPECT_EQ(group->ColumnChunk(0)->compression(), parquet::Compression::UNCOMPRESSED);
  EXPECT_EQ(group->ColumnChunk(1)->compression(), parquet::Compression::ZSTD);
  EXPECT_TRUE(reader->metadata()->schema()->Column(0)->logical_type()->is_UUID());
}

/// Helpers that do their work late, by turns, or never.
enum class Help : unsigned char { kAtOnce, kLater, kNever };

std::vector<ParquetFile> convert_with(Help help, ConvertOptions options, const std::string& lines,
                                      std::size_t* asked = nullptr) {
  std::deque<std::function<void()>> waiting;
  options.helpers = 3;
  options.run_on_helper = [&](std::function<void()> work) {
    if (asked != nullptr) ++*asked;
    if (help == Help::kAtOnce) return work();
    waiting.push_back(std::move(work));
    if (help == Help::kLater && waiting.size() > 2) {
      waiting.front()();
      waiting.pop_front();
    }
  };
  LinesToParquet convert(options);
  convert.begin_object();
  convert.write(lines);
  convert.end_object();
  auto files = convert.finish();
  for (const auto& work : waiting) work();  // Too late, which must harm nothing.
  return files;
}

TEST(Helpers, MakeTheSameFilesAsIfThereWereNone) {
  const std::string lines = rows_of(400'000);
  for (const std::uint64_t file_bytes : {1ull << 30, 4ull << 20}) {
    ConvertOptions options;
    options.file_bytes = file_bytes;
    const auto alone = convert(lines, options).files;
    EXPECT_EQ(alone.size() > 1, file_bytes < 1 << 30);
    for (const Help help : {Help::kAtOnce, Help::kLater, Help::kNever}) {
      const auto helped = convert_with(help, options, lines);
      std::uint64_t rows = 0;
      for (const ParquetFile& file : helped) rows += file.rows;
      EXPECT_EQ(rows, 400'000u);
      if (file_bytes < 1 << 30) continue;  // Where files are cut may differ.
      ASSERT_EQ(helped.size(), alone.size());
      EXPECT_TRUE(helped[0].bytes == alone[0].bytes);
      EXPECT_EQ(helped[0].stats, alone[0].stats);
    }
  }
}

TEST(Helpers, ServePartitionsAndAreNotAskedWhereMemoryIsShort) {
  std::string lines;
  for (int i = 0; i < 300'000; ++i) {
    lines += fmt::format("{{\"p\":\"p{}\",\"text\":\"{} is long enough to count\"}}\n", i % 3, i);
  }
  for (const std::uint64_t memory : {256u << 20, 4u << 20}) {
    ConvertOptions options;
    options.partition_by = {"p"};
    options.memory_bytes = memory;
    std::size_t asked = 0;
    std::uint64_t rows = 0;
    for (const ParquetFile& file : convert_with(Help::kNever, options, lines, &asked)) {
      rows += file.rows;
      EXPECT_EQ(read_back(file.bytes).size(), file.rows);
    }
    EXPECT_EQ(rows, 300'000u);
    EXPECT_EQ(asked > 0, memory > 4u << 20);
  }
}

TEST(RowGroups, AreSmallerWhereMemoryIsShort) {
  constexpr std::int64_t kMiB = 1 << 20;
  SeededRandom random(8);
  std::string lines;
  for (int i = 0; i < 6'000; ++i) {
    lines += R"({"text":")";
    for (int part = 0; part < 100; ++part) lines += random.uuid();
    lines += "\"}\n";
  }
  const auto sizes = [&lines](std::uint64_t memory) {
    ConvertOptions options;
    options.memory_bytes = memory;
    const auto files = convert(lines, options).files;
    std::vector<std::int64_t> found;
    for (const ParquetFile& file : files) {
      const auto metadata = open(file.bytes)->metadata();
      for (int i = 0; i < metadata->num_row_groups(); ++i) {
        found.push_back(metadata->RowGroup(i)->total_byte_size());
      }
    }
    return found;
  };
  EXPECT_THAT(sizes(256 * kMiB), testing::SizeIs(1));
  const auto small = sizes(16 * kMiB);
  EXPECT_THAT(small, testing::SizeIs(3));
  EXPECT_THAT(small, testing::Each(testing::Le(10 * kMiB)));  // 8, and a piece of input.
}

/// A plain column, a struct and a list of lists that come after the first row group; a member that
/// comes into a struct which is there.
TEST(LateColumns, JoinTheFileAndAreEmptyInItsRowsSoFar) {
  constexpr int kRows = 125'000;
  std::string lines;
  for (int i = 0; i < kRows; ++i) {
    lines += fmt::format(R"({{"n":{})", i);
    if (i >= kRows - 10) lines += R"(,"late":"x","s":{"a":1},"l":[[1],[]])";
    lines += "}\n";
  }
  ConvertOptions options;
  options.infer_bytes = 1'000;
  const auto out = convert(lines, options);
  ASSERT_EQ(out.files.size(), 1u);
  ASSERT_EQ(out.rows.size(), kRows);
  EXPECT_EQ(out.rows[5], R"({"n":5,"late":null,"s":null,"l":null})");
  EXPECT_EQ(out.rows[kRows - 1], R"({"n":124999,"late":"x","s":{"a":1},"l":[[1],[]]})");
  EXPECT_THAT(
      out.files[0].stats,
      testing::HasSubstr(R"("nullCount":{"n":0,"late":124990,"s":{"a":124990},"l":124990})"));
  const auto reader = open(out.files[0].bytes);
  EXPECT_EQ(reader->metadata()->num_row_groups(), 2);
  EXPECT_EQ(reader->metadata()->RowGroup(0)->ColumnChunk(1)->statistics()->null_count(), 122'880);
}

TEST(LateColumns, OfAStructThatIsThereBeginANewFile) {
  std::string lines;
  for (int i = 0; i < 125'000; ++i) {
    lines += i < 124'000 ? "{\"s\":{\"a\":1}}\n" : "{\"s\":{\"a\":1,\"b\":2}}\n";
  }
  ConvertOptions options;
  options.infer_bytes = 1'000;
  const auto out = convert(lines, options);
  ASSERT_EQ(out.files.size(), 2u);
  EXPECT_EQ(out.files[0].rows, 122'880u);
  EXPECT_THAT(out.files[0].stats, testing::HasSubstr(R"("nullCount":{"s":{"a":0}})"));
  EXPECT_EQ(out.rows.back(), R"({"s":{"a":1,"b":2}})");
}

/// The file of `convert` is one, also if something has to be rescued late.
TEST(LateColumns, MayBeThatOfRescuedData) {
  std::string lines;
  for (int i = 0; i < 200'000; ++i) lines += "{\"n\":1}\n";
  lines += "{\"n\":\"x\"}\n";
  ConvertOptions options;
  options.infer_bytes = 1'000;
  options.one_schema = true;
  const auto out = convert(lines, options);
  ASSERT_EQ(out.files.size(), 1u);
  EXPECT_EQ(out.rows.back(), R"({"n":null,"_rescued_data":"{\"n\":\"x\"}"})");
}

TEST(TakeBytes, GivesTheFilePieceByPiece) {
  const std::string lines = rows_of(300'000);
  ConvertOptions options;
  options.one_schema = true;
  options.file_bytes = 1ull << 40;
  const Bytes whole = convert(lines, options).files.at(0).bytes;
  LinesToParquet convert(options);
  convert.begin_object();
  Bytes pieces;
  std::size_t times = 0;
  for (std::size_t at = 0; at < lines.size(); at += 100'000) {
    convert.write(std::string_view(lines).substr(at, 100'000));
    const Bytes piece = convert.take_bytes();
    times += !piece.empty();
    pieces += piece;
  }
  convert.end_object();
  const auto rest = convert.finish();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_GT(times, 1u);
  EXPECT_TRUE(pieces + rest[0].bytes == whole);
}

}  // namespace
}  // namespace headrace
