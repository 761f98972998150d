// Any bytes, as lines and as a document, in pieces, with and without known columns: no crash, every
// line is a row or a fault as a plain checker of JSON says, and the files, read by Arrow, hold what
// simdjson finds in the lines.
#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "format/column_name.h"
#include "format/json_scan.h"
#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/read_back_test.cpp"  // Tests are in no library, so the reader comes as text.

namespace headrace {
namespace {

ConvertOptions options_from(std::uint8_t choice) {
  ConvertOptions options;
  options.codec = choice & 16 ? Codec::kZstd : Codec::kNone;
  options.infer_bytes = choice & 1 ? 0 : 1 << 20;
  options.evolve = (choice & 2) == 0;
  options.depth = 40;
  options.columns = 200;
  options.line_bytes = 4'096;
  options.open_partitions = 2;
  options.plain_types = (choice & 32) != 0;
  if (choice & 64) {  // Some row groups are encoded by another, some are left to the caller.
    options.helpers = 2;
    options.run_on_helper = [turn = 0](const std::function<void()>& work) mutable {
      if (++turn % 2 == 0) work();
    };
  }
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

using simdjson::dom::element;
using simdjson::dom::element_type;

void require(bool holds) {
  if (!holds) std::abort();
}

void expect_same(const Field& field, element line, element row);

void expect_members(const std::vector<Field>& fields, element line, element row) {
  for (const Field& field : fields) {
    element kept;
    const bool is_kept = row[field.name].get(kept) == simdjson::SUCCESS && !kept.is_null();
    bool is_met = false;
    for (const auto [key, value] : line.get_object().value()) {
      if (is_met || value.is_null() || column_name_of(key) != field.name) continue;
      is_met = true;
      require(is_kept);
      expect_same(field, value, kept);
    }
    require(is_met == is_kept);
  }
}

void expect_same_numbers(const Field& field, element line, element row) {
  const double wanted = line.get_double().value();
  const double found = row.get_double().value();
  if (field.type.kind == TypeKind::kFloat) {
    require(static_cast<float>(wanted) == static_cast<float>(found));
  } else {
    require(wanted == found);
  }
}

/// Neither is null. What the types' own tests show (moments, dates) is only looked at.
void expect_same(const Field& field, element line, element row) {
  const auto& parts = field.type.fields;
  switch (field.type.kind) {
    case TypeKind::kStruct:
      return expect_members(parts, line, row);
    case TypeKind::kMap:
      for (const auto [key, value] : line.get_object().value()) {
        if (value.is_null()) continue;
        expect_same(parts[1], value, row[key].value());
      }
      return;
    case TypeKind::kList: {
      const auto elements = row.get_array().value();
      auto kept = elements.begin();
      for (const element value : line.get_array().value()) {
        require(kept != elements.end());
        require(value.is_null() == (*kept).is_null());
        if (!value.is_null()) expect_same(parts[0], value, *kept);
        ++kept;
      }
      return require(!(kept != elements.end()));
    }
    case TypeKind::kString: {
      const std::string text(row.get_string().value());
      if (line.is_string() && !jsonl::is_json_text(field)) {
        return require(text == line.get_string().value());
      }
      simdjson::dom::parser parser;
      return require(simdjson::minify(parser.parse(text).value()) == simdjson::minify(line));
    }
    case TypeKind::kBoolean:
      return require(line.get_bool().value() == row.get_bool().value());
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
    case TypeKind::kDate:
      return require(line.is_string() && row.is_string());
    default:
      return expect_same_numbers(field, line, row);
  }
}

/// The rows of all files, in order, against the lines that became rows. Leaves out lines that
/// simdjson's document cannot hold (numbers beyond its range), and rows that rescued something.
void expect_kept(const std::vector<std::string>& lines, const Schema& schema,
                 const std::vector<std::string>& rows) {
  simdjson::dom::parser of_line;
  simdjson::dom::parser of_row;
  std::vector<Field> fields = schema.fields;
  std::erase_if(fields, [](const Field& field) { return field.name == kRescuedColumn; });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    element line;
    if (of_line.parse(lines[i]).get(line) != simdjson::SUCCESS) continue;
    element row;
    if (of_row.parse(rows[i]).get(row) != simdjson::SUCCESS) continue;  // A wide decimal.
    element rescued;
    const bool has = row[kRescuedColumn].get(rescued) == simdjson::SUCCESS;
    if (!has || rescued.is_null()) expect_members(fields, line, row);
  }
}

Counts run(const ConvertOptions& options, std::string_view text, std::size_t piece,
           const std::vector<std::string>* lines = nullptr) {
  LinesToParquet convert(options);
  convert.begin_object({{"a", "from the key"}});
  for (std::size_t at = 0; at < text.size(); at += piece) convert.write(text.substr(at, piece));
  const ObjectRows object = convert.end_object();
  std::vector<std::string> rows;
  std::uint64_t in_files = 0;
  for (const ParquetFile& file : convert.finish()) {
    in_files += file.rows;
    const auto of_file = read_back(file.bytes);
    require(of_file.size() == file.rows);
    rows.insert(rows.end(), of_file.begin(), of_file.end());
  }
  require(in_files == object.rows);
  if (lines != nullptr && options.partition_by.empty()) {
    require(lines->size() == rows.size());
    expect_kept(*lines, convert.schema(), rows);
  }
  return {object.rows, object.fault_count};
}

/// The verdict of a checker that shares no code with the converter.
Counts expected(std::string_view text, const ConvertOptions& options,
                std::vector<std::string>& rows) {
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
    if (row) rows.emplace_back(line);
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
    std::vector<std::string> rows;
    const Counts wanted = expected(lines, options, rows);
    const Counts found = run(options, lines, piece, &rows);
    require(found.rows == wanted.rows && found.faults == wanted.faults);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) std::abort();
  }
  return 0;
}
