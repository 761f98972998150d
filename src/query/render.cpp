#include "query/render.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/json.h"
#include "query/table_writer.h"

namespace headrace {
namespace {

constexpr std::pair<OutputFormat, std::string_view> kFormats[] = {
    {OutputFormat::kTable, "table"},
    {OutputFormat::kJson, "json"},
    {OutputFormat::kNdjson, "ndjson"},
    {OutputFormat::kCsv, "csv"},
};

/// The columns' names as the opening of each member, `"name":`, ready to be copied. A name that
/// comes twice gets a number (id, id_1): most readers of JSON drop all but one of equal names.
std::vector<std::string> member_names(const std::vector<Column>& columns) {
  std::set<std::string> used;
  for (const Column& column : columns) used.insert(column.name);
  std::set<std::string> given;
  std::vector<std::string> members;
  for (const Column& column : columns) {
    std::string name = column.name;
    for (int n = 1; given.contains(name); ++n) {
      std::string numbered = column.name + "_" + std::to_string(n);
      if (!used.contains(numbered) && !given.contains(numbered)) name = std::move(numbered);
    }
    given.insert(name);
    std::string member;
    append_json_string(member, name);
    members.push_back(member + ":");
  }
  return members;
}

class JsonRows final : public RowWriter {
 public:
  JsonRows(const std::vector<Column>& columns, TextSink sink, bool lines)
      : members_(member_names(columns)), sink_(std::move(sink)), lines_(lines) {}

  void row(std::span<const Cell> cells) override {
    line_.clear();
    if (!lines_) line_ += any_ ? ",\n" : "[";
    any_ = true;
    line_ += '{';
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line_ += ',';
      line_ += members_[i];
      append_cell(cells[i]);
    }
    line_ += '}';
    if (lines_) line_ += '\n';
    sink_(line_);
  }

  void finish() override {
    if (lines_) return;
    sink_(any_ ? "]\n" : "[]\n");
  }

 private:
  void append_cell(const Cell& cell) {
    switch (cell.kind) {
      case CellKind::kNull:
        line_ += "null";
        break;
      case CellKind::kText:
        append_json_string(line_, cell.text);
        break;
      case CellKind::kLiteral:
        line_ += cell.text;
        break;
    }
  }

  std::vector<std::string> members_;
  TextSink sink_;
  bool lines_;
  bool any_ = false;
  std::string line_;
};

class CsvRows final : public RowWriter {
 public:
  CsvRows(const std::vector<Column>& columns, TextSink sink) : sink_(std::move(sink)) {
    for (std::size_t i = 0; i < columns.size(); ++i) append_field(i, columns[i].name);
    end_line();
  }

  void row(std::span<const Cell> cells) override {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].kind == CellKind::kNull) {
        if (i > 0) line_ += ',';
      } else {
        append_field(i, cells[i].text);
      }
    }
    end_line();
  }

  void finish() override {}

 private:
  void append_field(std::size_t index, std::string_view text) {
    if (index > 0) line_ += ',';
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      line_ += text;
      return;
    }
    line_ += '"';
    for (const char c : text) {
      if (c == '"') line_ += '"';
      line_ += c;
    }
    line_ += '"';
  }

  void end_line() {
    line_ += '\n';
    sink_(line_);
    line_.clear();
  }

  TextSink sink_;
  std::string line_;
};

}  // namespace

std::string_view to_string(OutputFormat format) {
  return std::ranges::find(kFormats, format, &std::pair<OutputFormat, std::string_view>::first)
      ->second;
}

std::optional<OutputFormat> parse_output_format(std::string_view text) {
  for (const auto& [format, name] : kFormats) {
    if (name == text) return format;
  }
  return std::nullopt;
}

std::unique_ptr<RowWriter> make_row_writer(OutputFormat format, std::vector<Column> columns,
                                           TextSink sink, TableStyle style) {
  switch (format) {
    case OutputFormat::kTable:
      return std::make_unique<TableWriter>(std::move(columns), std::move(sink), style);
    case OutputFormat::kCsv:
      return std::make_unique<CsvRows>(columns, std::move(sink));
    case OutputFormat::kJson:
    case OutputFormat::kNdjson:
      break;
  }
  return std::make_unique<JsonRows>(columns, std::move(sink), format == OutputFormat::kNdjson);
}

}  // namespace headrace
