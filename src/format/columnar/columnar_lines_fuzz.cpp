// Parquet files with bytes changed, put in, left out or cut off: rows or an Error, within the limit
// of memory. The libraries are not built for the fuzzer, so it sees our code alone and changes
// files that are whole, which gets further than bytes of its own would. ORC is left out: its
// library believes the sizes in a damaged file, asks malloc for them whatever pool it is given, and
// uses what it gets, be it null. That is for it to mend.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "format/columnar/columnar_lines.h"
#include "format/lines_to_parquet.h"
#include "testing/changed_bytes.h"

namespace headrace {
namespace {

constexpr std::uint64_t kMemory = 64u << 20;
constexpr std::size_t kEnough = 16u << 20;  // Repeated values unpack to any number of rows.

std::string rows_of(int count, bool plain) {
  std::string rows = "[";
  for (int i = 0; i < count; ++i) {
    rows += fmt::format(R"({}{{"i":{},"x":{},"t":"{}","b":{})", i > 0 ? "," : "", i % 7 * 1'000'003,
                        i / 2.5, i % 5 == 0 ? "a longer text" : std::to_string(i), i % 2 == 0);
    if (i % 3 == 0) {
      rows += R"(,"l":null,"s":null})";
    } else {
      rows += fmt::format(R"(,"l":[{},null],"s":{{"a":{},"b":"{}"}}{}}})", i, i, i,
                          plain ? R"(,"m":[["k",1]],"d":"12.50","at":86399000000,"z":"x")" : "");
    }
  }
  return rows + "]";
}

std::shared_ptr<arrow::Table> table() {
  using namespace arrow;
  const auto type = struct_({field("i", int32()), field("x", float64()), field("t", utf8()),
                             field("b", boolean()), field("l", list(int64())),
                             field("s", struct_({field("a", int16()), field("b", utf8())})),
                             field("m", map(utf8(), int32())), field("d", decimal128(12, 2)),
                             field("at", timestamp(TimeUnit::MICRO)), field("z", binary())});
  const auto array = json::ArrayFromJSONString(type, rows_of(200, true)).ValueOrDie();
  return Table::FromRecordBatches({RecordBatch::FromStructArray(array).ValueOrDie()}).ValueOrDie();
}

Bytes parquet_of(parquet::Compression::type codec, parquet::ParquetDataPageVersion pages) {
  const auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto how = parquet::WriterProperties::Builder()
                       .compression(codec)
                       ->data_page_version(pages)
                       ->data_pagesize(512)
                       ->build();
  const auto arrow_too = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto status =
      parquet::arrow::WriteTable(*table(), arrow::default_memory_pool(), out, 120, how, arrow_too);
  if (!status.ok()) std::abort();
  return out->Finish().ValueOrDie()->ToString();
}

/// Ours, with page indexes.
Bytes own_parquet() {
  LinesToParquet convert({.codec = Codec::kNone});
  convert.begin_object();
  convert.write(rows_of(300, false));
  convert.end_object();
  return convert.finish().at(0).bytes;
}

const std::vector<Bytes>& files() {
  static const std::vector<Bytes> all = {
      own_parquet(),
      parquet_of(parquet::Compression::UNCOMPRESSED, parquet::ParquetDataPageVersion::V1),
      parquet_of(parquet::Compression::SNAPPY, parquet::ParquetDataPageVersion::V2),
      parquet_of(parquet::Compression::ZSTD, parquet::ParquetDataPageVersion::V1)};
  return all;
}

void check(BytesView input) {
  const Bytes& file = files()[static_cast<unsigned char>(input[0]) % files().size()];
  Bytes broken = changed_bytes(file, input.substr(1));
  if (!is_columnar(broken)) return;
  std::size_t size = 0;
  try {
    ColumnarLines lines(std::move(broken), kMemory);
    for (Bytes some = lines.next(); !some.empty() && size < kEnough; some = lines.next()) {
      if (!some.ends_with("}\n")) std::abort();
      size += some.size();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kInvalid) std::abort();
    if (input.size() < 5) std::abort();  // Nothing was changed.
  }
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  headrace::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
