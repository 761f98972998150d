#include "format/as_lines.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>

#include <limits>

#include "core/error.h"
#include "format/columnar/columnar_lines.h"
#include "format/jsonl/moment.h"
#include "format/read_back.h"
#include "testing/refusal.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

std::string lines_of(Bytes object, std::string_view name, std::uint64_t limit = 1 << 20,
                     CpuPool* cpu = nullptr) {
  auto lines = as_json_lines(source_of(std::move(object), 100), name, limit, cpu);
  return run_task(read_all(*lines, 64 << 20));
}

Bytes orc_of(const std::shared_ptr<arrow::Table>& table) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = arrow::adapters::orc::ORCFileWriter::Open(out.get()).ValueOrDie();
  EXPECT_TRUE(writer->Write(*table).ok());
  EXPECT_TRUE(writer->Close().ok());
  return out->Finish().ValueOrDie()->ToString();
}

template <class Builder, class... Values>
std::shared_ptr<arrow::Array> column(Builder&& builder, Values... values) {
  EXPECT_TRUE((builder.Append(values).ok() && ...));
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

TEST(AsLines, PassesJsonThrough) {
  for (const Bytes text : {"{\"a\":1}\n{\"a\":2}\n", "[{\"a\":1}]", "", "{}"}) {
    EXPECT_EQ(lines_of(text, "x.json"), text);
  }
}

TEST(AsLines, TellsCsvByItsName) {
  EXPECT_EQ(lines_of("a,b\n1,2\n", "dir/x.csv"), "\n{\"a\":1,\"b\":2}\n");
  EXPECT_EQ(lines_of("a,b\n1,2\n", "dir/x.json"), "a,b\n1,2\n");
  for (const char* name : {"a.csv", "A.CSV", "a.tsv.gz", "a.csv.bz2"})
    EXPECT_TRUE(is_csv_name(name));
  for (const char* name : {"csv", "a.csv.json", "a.gz", ""}) EXPECT_FALSE(is_csv_name(name));
}

TEST(AsLines, ReadsParquetByItsFirstBytes) {
  const std::string rows =
      R"({"i":1,"x":1.0,"t":"ü\"","l":[1,null],"s":{"a":true},"at":"2026-01-31T09:08:07.25Z","d":"2026-01-31"})"
      "\n"
      R"({"i":null,"x":null,"t":null,"l":null,"s":null,"at":null,"d":null})"
      "\n";
  const Converted made = convert(rows);
  ASSERT_EQ(made.schema,
            "i:long,x:double,t:string,l:array<long>,s:struct<a:boolean>,at:timestamp,d:date");
  boost::asio::thread_pool pool(1);
  EXPECT_EQ(lines_of(made.files[0].bytes, "x.json"), rows);
  EXPECT_EQ(lines_of(made.files[0].bytes, "x.csv", 1 << 20, &pool), rows);
}

TEST(AsLines, ReadsOrcByItsFirstBytes) {
  const auto micros = arrow::timestamp(arrow::TimeUnit::NANO);
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("x", arrow::float64()),
                     arrow::field("t", arrow::utf8()), arrow::field("b", arrow::binary()),
                     arrow::field("at", micros), arrow::field("n", arrow::decimal128(10, 2))}),
      {column(arrow::Int32Builder(), 7), column(arrow::DoubleBuilder(), 1e300),
       column(arrow::StringBuilder(), "text"), column(arrow::BinaryBuilder(), "\x01\x02"),
       column(arrow::TimestampBuilder(micros, arrow::default_memory_pool()), 1'500'000'000),
       column(arrow::Decimal128Builder(arrow::decimal128(10, 2)), arrow::Decimal128(1250))});
  EXPECT_EQ(lines_of(orc_of(table), "inventory.orc"),
            R"({"i":7,"x":1e+300,"t":"text","b":"AQI=","at":"1970-01-01T00:00:01.5Z","n":12.50})"
            "\n"
            R"({"i":null,"x":null,"t":null,"b":null,"at":null,"n":null})"
            "\n");
}

TEST(AsLines, RefusesWhatIsBrokenOrTooLarge) {
  const auto kind_of = [](const Bytes& object, std::uint64_t limit) {
    try {
      lines_of(object, "x", limit);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kBug;
  };
  const Bytes parquet = convert("{\"a\":1}\n").files[0].bytes;
  EXPECT_EQ(kind_of(parquet.substr(0, parquet.size() - 9), 1 << 20), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of("ORC and nothing of the kind", 1 << 20), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of(parquet, parquet.size() / 2), ErrorKind::kInvalid);
}

/// 50 bytes may claim any number of rows.
TEST(AsLines, RefusesAFileOfRowsWithoutColumns) {
  using namespace std::string_literals;
  const Bytes footer =
      "\x15\x02\x19\x1c\x48\x01s\x15\x00\x00"               // Version 1; the root, no members.
      "\x16\x0a\x19\x1c\x19\x0c\x16\x00\x16\x0a\x00\x00"s;  // 5 rows in one row group.
  const Bytes file = "PAR1" + footer + static_cast<char>(footer.size()) + "\0\0\0PAR1"s;
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { ColumnarLines lines(file); }),
              testing::HasSubstr("the Parquet file has no columns"));
}

TEST(AsLines, UnpacksNoMoreThanItMay) {
  std::string rows;
  for (int i = 0; i < 3'000; ++i) rows += "{\"n\":" + std::to_string(i * 7919) + "}\n";
  const Bytes parquet = convert(rows).files[0].bytes;
  EXPECT_THAT(ColumnarLines(parquet, 1 << 20).next(), testing::StartsWith("{\"n\":0}\n"));
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { ColumnarLines(parquet, 1'000).next(); }),
              testing::HasSubstr("the Parquet file takes more than 1000 bytes to unpack"));
}

TEST(AsLines, KnowsTheDaysOfAllYears) {
  EXPECT_EQ(jsonl::format_date(-1), "1969-12-31");
  EXPECT_EQ(jsonl::format_date(11'016), "2000-02-29");
  EXPECT_EQ(jsonl::format_date(-719'528), "0000-01-01");
  EXPECT_EQ(jsonl::format_date(2'932'896), "9999-12-31");
  EXPECT_EQ(jsonl::format_date(2'932'897), "10000-01-01");
  EXPECT_EQ(jsonl::format_date(std::numeric_limits<std::int32_t>::max()), "5881580-07-11");
  EXPECT_EQ(jsonl::format_date(106'751'991'167), "292278994-08-17");  // 2^63 milliseconds.
}

}  // namespace
}  // namespace headrace
