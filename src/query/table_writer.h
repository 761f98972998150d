#pragma once

#include <deque>
#include <string>
#include <vector>

#include "query/render.h"

namespace headrace {

/// The box of make_row_writer(kTable): columns as wide as their cells, cut to the terminal.
class TableWriter final : public RowWriter {
 public:
  TableWriter(std::vector<Column> columns, TextSink sink, TableStyle style);

  void row(std::span<const Cell> cells) override;
  void finish() override;

 private:
  static constexpr std::size_t kWidestCell = 4'096;  // On a terminal of unknown width.

  /// One row made safe for a terminal; nulls are shown as NULL.
  using Line = std::vector<std::string>;

  void choose_widths();
  void fit_to_terminal();
  void open_box();
  void write_head();
  void write_line(const Line& line, bool centred = false);
  void write_gap();
  void write_rule(std::string_view left, std::string_view cross, std::string_view right);
  void write_footer();
  /// The width of the whole box if no column were wider than `widest`.
  std::size_t box_width(std::size_t widest = kWidestCell) const;

  std::vector<Column> columns_;
  TextSink sink_;
  TableStyle style_;
  bool typed_ = false;       // Any column has a type to show.
  std::vector<Line> first_;  // Rows kept until the widths are known.
  std::deque<Line> last_;    // With max_rows: the newest rows.
  std::uint64_t rows_ = 0;
  bool open_ = false;                // The head is written, widths are fixed.
  std::vector<std::size_t> shown_;   // Indexes of the columns drawn, in order.
  std::size_t gap_at_ = 0;           // How many of them lie before the gap; all if none is hidden.
  std::vector<std::size_t> widths_;  // By column.
};

}  // namespace headrace
