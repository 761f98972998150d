#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// How rows are shown: `-o` of everything that lists.
enum class OutputFormat : unsigned char { kTable, kJson, kNdjson, kCsv };

std::string_view to_string(OutputFormat format);
/// nullopt if `text` is none of table, json, ndjson, csv.
std::optional<OutputFormat> parse_output_format(std::string_view text);

enum class Align : unsigned char { kLeft, kRight };

struct Column {
  std::string name;
  std::string type = {};       ///< Shown under the name in a table if any column has one.
  Align align = Align::kLeft;  ///< Numbers go to the right.
};

/// kText is quoted where the format quotes text. kLiteral is a JSON value already (a number, true,
/// an object): it goes into JSON as it is and into tables and CSV as text.
enum class CellKind : unsigned char { kNull, kText, kLiteral };

struct Cell {
  CellKind kind = CellKind::kNull;
  std::string text;

  static Cell null() { return {}; }
  static Cell of_text(std::string text) { return {CellKind::kText, std::move(text)}; }
  static Cell literal(std::string json) { return {CellKind::kLiteral, std::move(json)}; }
  static Cell number(std::int64_t value) { return literal(std::to_string(value)); }
  static Cell boolean(bool value) { return literal(value ? "true" : "false"); }

  bool operator==(const Cell&) const = default;
};

/// How a table is drawn; the other formats show everything.
struct TableStyle {
  std::size_t width = 0;     ///< Columns of the terminal; 0 draws as wide as needed.
  std::size_t max_rows = 0;  ///< Beyond, only the first and last rows are shown; 0 shows all.
  bool footer = false;       ///< Says at the end how many rows and columns there are.
};

/// Takes rows one by one and writes them to a sink.
///
/// Promises  json is one array, ndjson one object per line; both are valid JSON whatever bytes the
///           cells hold. csv quotes as RFC 4180 says, ends lines with LF, writes null as nothing
///           and empty text as "". A table shows control characters as escapes, so that no cell can
///           steer a terminal.
/// Memory    A table holds at most max_rows rows, or the 1,000 that set the widths when all are
///           shown (later cells are cut to fit); the other formats hold none.
/// Threads   One at a time. Errors are the sink's own.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  /// One cell per column.
  virtual void row(std::span<const Cell> cells) = 0;
  /// Writes what is left: the end of the array, the table. Call once, after the last row.
  virtual void finish() = 0;
};

using TextSink = std::function<void(std::string_view)>;

std::unique_ptr<RowWriter> make_row_writer(OutputFormat format, std::vector<Column> columns,
                                           TextSink sink, TableStyle style = {});

}  // namespace headrace
