// Any bytes, as lines and as a document, in pieces, with and without known columns: no crash, every
// line is a row or a fault as a plain checker of JSON says, and the files read back.
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "format/json_scan.h"
#include "format/lines_to_parquet.h"

namespace headrace {
namespace {

ConvertOptions options_from(std::uint8_t choice) {
  ConvertOptions options;
  options.codec = Codec::kNone;
  options.infer_bytes = choice & 1 ? 0 : 1 << 20;
  options.evolve = (choice & 2) == 0;
  options.depth = 40;
  options.columns = 200;
  options.line_bytes = 4'096;
  options.open_partitions = 2;
  if (choice & 4) options.partition_by = {"a"};
  if (choice & 8) {
    const auto add = [&](const char* name, DataType type) {
      options.schema.fields.push_back({.name = name, .type = std::move(type)});
    };
    add("b", {.kind = TypeKind::kByte});
    add("c", {.kind = TypeKind::kDecimal, .precision = 20, .scale = 2});
    add("d", {.kind = TypeKind::kTimestamp});
    add("e", {.kind = TypeKind::kList,
              .fields = {{.name = "element", .type = {.kind = TypeKind::kFloat}}}});
    add("f", {.kind = TypeKind::kMap,
              .fields = {{.name = "key", .nullable = false},
                         {.name = "value", .type = {.kind = TypeKind::kDouble}}}});
  }
  return options;
}

struct Counts {
  std::uint64_t rows = 0;
  std::uint64_t faults = 0;
};

Counts run(const ConvertOptions& options, std::string_view text, std::size_t piece) {
  LinesToParquet convert(options);
  convert.begin_object({{"a", "from the key"}});
  for (std::size_t at = 0; at < text.size(); at += piece) convert.write(text.substr(at, piece));
  const ObjectRows object = convert.end_object();
  std::uint64_t in_files = 0;
  for (const ParquetFile& file : convert.finish()) in_files += file.rows;
  if (in_files != object.rows) std::abort();
  return {object.rows, object.fault_count};
}

/// The verdict of a checker that shares no code with the converter.
Counts expected(std::string_view text, const ConvertOptions& options) {
  Counts counts;
  JsonScan scan(options.depth);
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    scan.begin(line);
    scan.skip_space();
    bool row = line.size() <= options.line_bytes && scan.peek() == '{' && scan.value();
    if (row) scan.skip_space();
    row = row && scan.at == scan.end;
    ++(row ? counts.rows : counts.faults);
  }
  return counts;
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  if (size < 2) return 0;
  const ConvertOptions options = options_from(data[0]);
  const std::size_t piece = data[1] + 1u;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  try {
    run(options, text, piece);
    // An object in the first line makes it lines.
    const std::string lines = "{}\n" + text;
    const Counts found = run(options, lines, piece);
    const Counts wanted = expected(lines, options);
    if (found.rows != wanted.rows || found.faults != wanted.faults) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) std::abort();
  }
  return 0;
}
