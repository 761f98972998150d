#include "query/parquet_parts.h"

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/page_index.h>
#include <parquet/schema.h>

#include "core/error.h"
#include "format/jsonl/infer.h"
#include "format/schema_text.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Schema schema_of(std::initializer_list<std::pair<const char*, const char*>> columns) {
  Schema schema;
  for (const auto& [name, type] : columns) {
    schema.fields.push_back({.name = name, .type = *parse_type(type)});
  }
  jsonl::number_fields(schema);
  return schema;
}

class ParquetParts : public testing::Test {
 protected:
  std::vector<std::filesystem::path> write(const std::string& sql, const Schema& schema,
                                           PartOptions options = {}) {
    return write_parquet_parts(engine_, sql, schema, folder_.path(), options);
  }
  std::string first_cell(const std::string& sql) { return engine_.rows(sql).at(0).at(0).text; }
  static std::unique_ptr<parquet::ParquetFileReader> open(const std::filesystem::path& path) {
    return parquet::ParquetFileReader::OpenFile(path.string());
  }

  TempFolder folder_;
  Engine engine_{{}};
};

TEST_F(ParquetParts, HaveAPageIndexAndFieldIdsInAllDepths) {
  const Schema schema = schema_of(
      {{"id", "long"}, {"s", "struct<x:integer,l:array<string>>"}, {"m", "map<string,double>"}});
  const auto paths = write(
      "SELECT range AS id, {'x': range::INTEGER, 'l': ['a', NULL]} AS s, "
      "MAP {'k': range::DOUBLE} AS m FROM range(200000)",
      schema);
  ASSERT_THAT(paths, SizeIs(1));
  const auto reader = open(paths[0]);
  const auto pages = reader->GetPageIndexReader()->RowGroup(0);
  ASSERT_NE(pages, nullptr);
  const auto offsets = pages->GetOffsetIndex(0);
  ASSERT_NE(offsets, nullptr);
  EXPECT_EQ(offsets->page_locations().at(0).first_row_index, 0);
  ASSERT_NE(pages->GetColumnIndex(0), nullptr);
  EXPECT_EQ(pages->GetColumnIndex(0)->boundary_order(), parquet::BoundaryOrder::Ascending);
  std::vector<std::string> ids;
  for (const auto& row : engine_.rows(
           fmt::format("SELECT name, field_id FROM parquet_schema('{}') WHERE field_id IS NOT NULL",
                       paths[0].string()))) {
    ids.push_back(row[0].text + row[1].text);
  }
  EXPECT_THAT(ids, ElementsAre("id1", "s2", "x3", "l4", "element5", "m6", "key7", "value8"));
}

TEST_F(ParquetParts, AreCutAtTheSizeAskedForAndKeepTheOrder) {
  const Schema schema = schema_of({{"id", "long"}, {"h", "long"}});
  const auto paths = write("SELECT range AS id, (hash(range) >> 1)::BIGINT AS h FROM range(300000)",
                           schema, {.codec = "uncompressed", .cut_bytes = 1u << 20});
  ASSERT_GT(paths.size(), 3u);
  std::int64_t next = 0;
  for (const auto& path : paths) {
    EXPECT_LT(std::filesystem::file_size(path), 3u << 19);
    const auto ends = engine_.rows(
        fmt::format("SELECT min(id), max(id), count(*) FROM read_parquet('{}')", path.string()));
    EXPECT_EQ(ends[0][0].text, std::to_string(next));
    next += std::stol(ends[0][2].text);
    EXPECT_EQ(ends[0][1].text, std::to_string(next - 1));
  }
  EXPECT_EQ(next, 300'000);
}

TEST_F(ParquetParts, AreNoneWithoutRows) {
  EXPECT_THAT(write("SELECT 1::BIGINT AS id WHERE false", schema_of({{"id", "long"}})), IsEmpty());
}

TEST_F(ParquetParts, TakeTheCodecAskedForAndZstdForOneThatIsNotThere) {
  const auto codec = [&](const char* asked) {
    const auto paths =
        write("SELECT 1::BIGINT AS id", schema_of({{"id", "long"}}), {.codec = asked});
    return first_cell(
        fmt::format("SELECT compression FROM parquet_metadata('{}')", paths.at(0).string()));
  };
  EXPECT_EQ(codec("zstd"), "ZSTD");
  EXPECT_EQ(codec("snappy"), "SNAPPY");
  EXPECT_EQ(codec("uncompressed"), "UNCOMPRESSED");
  EXPECT_EQ(codec("gzip"), "GZIP");
  EXPECT_EQ(codec("lz4_raw"), "LZ4_RAW");
  EXPECT_EQ(codec("lzo"), "ZSTD");
}

TEST_F(ParquetParts, OfATypeThatIsNotMeantAreRefused) {
  try {
    write("SELECT 'x' AS id", schema_of({{"id", "long"}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBug);
    EXPECT_THAT(error.what(), HasSubstr("gives string where int64"));
  }
}

TEST_F(ParquetParts, EndWithTheStatementsError) {
  EXPECT_THROW(write("SELECT CASE WHEN range < 5000 THEN 1 ELSE 'x'::BIGINT END AS id "
                     "FROM range(5001)",
                     schema_of({{"id", "long"}})),
               Error);
}

}  // namespace
}  // namespace headrace
