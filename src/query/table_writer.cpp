#include "query/table_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "query/text_width.h"

namespace headrace {
namespace {

constexpr std::size_t kRowsForWidths = 1'000;
constexpr std::size_t kLeastColumn = 5;  // A column is not squeezed below this.

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string padded(std::string_view text, std::size_t width, Align align, bool centred) {
  std::string cut = cut_to_width(text, width);
  const std::size_t room = width - std::min(width, text_width(cut));
  const std::size_t left = centred ? room / 2 : align == Align::kRight ? room : 0;
  return std::string(left, ' ') + cut + std::string(room - left, ' ');
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

TableWriter::TableWriter(std::vector<Column> columns, TextSink sink, TableStyle style)
    : columns_(std::move(columns)), sink_(std::move(sink)), style_(style) {
  for (Column& column : columns_) {
    column.name = one_line(column.name);
    column.type = one_line(column.type);
    typed_ = typed_ || !column.type.empty();
  }
}

void TableWriter::row(std::span<const Cell> cells) {
  ++rows_;
  Line line;
  line.reserve(cells.size());
  for (const Cell& cell : cells) {
    line.push_back(cell.kind == CellKind::kNull ? "NULL" : one_line(cell.text));
  }
  const std::size_t head = style_.max_rows > 0 ? (style_.max_rows + 1) / 2 : kRowsForWidths;
  if (first_.size() < head && !open_) {
    first_.push_back(std::move(line));
  } else if (style_.max_rows > 0) {
    last_.push_back(std::move(line));
    if (last_.size() > style_.max_rows / 2) last_.pop_front();
  } else {
    open_box();
    write_line(line);
  }
}

void TableWriter::finish() {
  open_box();
  if (rows_ > first_.size() + last_.size() && style_.max_rows > 0) write_gap();
  for (const Line& line : last_) write_line(line);
  write_footer();
}

/// Writes the head and the rows kept so far, once; from then on the widths stand.
void TableWriter::open_box() {
  if (open_) return;
  open_ = true;
  choose_widths();
  fit_to_terminal();
  write_rule("┌", "┬", "┐");
  write_head();
  write_rule("├", "┼", "┤");
  for (const Line& line : first_) write_line(line);
}

void TableWriter::choose_widths() {
  for (const Column& column : columns_) {
    widths_.push_back(std::max(text_width(column.name), text_width(column.type)));
  }
  const auto widen = [this](const Line& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths_[i] = std::min(std::max(widths_[i], text_width(line[i])), kWidestCell);
    }
  };
  std::ranges::for_each(first_, widen);
  std::ranges::for_each(last_, widen);
}

/// Cuts all columns to one greatest width that makes the box fit; where even kLeastColumn is too
/// wide, columns in the middle are left out.
void TableWriter::fit_to_terminal() {
  for (std::size_t i = 0; i < columns_.size(); ++i) shown_.push_back(i);
  if (style_.width > 0 && box_width(kWidestCell) > style_.width) {
    std::size_t fits = kLeastColumn;
    for (std::size_t step = kWidestCell; step > 0; step /= 2) {
      if (box_width(fits + step) <= style_.width) fits += step;
    }
    for (std::size_t& width : widths_) width = std::min(width, fits);
    while (box_width() > style_.width && shown_.size() > 2) {
      shown_.erase(shown_.begin() + static_cast<std::ptrdiff_t>(shown_.size() / 2));
    }
  }
  const bool all = shown_.size() == columns_.size();
  gap_at_ = all ? shown_.size() : (shown_.size() + 1) / 2;
}

std::size_t TableWriter::box_width(std::size_t widest) const {
  std::size_t width = 1;
  for (const std::size_t column : shown_) width += std::min(widths_[column], widest) + 3;
  return width + (shown_.size() < columns_.size() ? 4 : 0);
}

void TableWriter::write_head() {
  Line names;
  Line types;
  for (const Column& column : columns_) {
    names.push_back(column.name);
    types.push_back(column.type);
  }
  write_line(names, true);
  if (typed_) write_line(types, true);
}

void TableWriter::write_line(const Line& line, bool centred) {
  std::string out = "│";
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    if (i == gap_at_) out += " … │";
    const std::size_t column = shown_[i];
    out += " " + padded(line[column], widths_[column], columns_[column].align, centred) + " │";
  }
  if (columns_.empty()) out += "│";
  sink_(out + "\n");
}

void TableWriter::write_gap() {
  const Line dots(columns_.size(), "·");
  for (int i = 0; i < 3; ++i) write_line(dots, true);
}

void TableWriter::write_rule(std::string_view left, std::string_view cross,
                             std::string_view right) {
  std::string out(left);
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    if (i > 0) out += cross;
    if (i == gap_at_) out += repeat("─", 3) + std::string(cross);
    out += repeat("─", widths_[shown_[i]] + 2);
  }
  sink_(out + std::string(right) + "\n");
}

void TableWriter::write_footer() {
  if (!style_.footer) {
    write_rule("└", "┴", "┘");
    return;
  }
  std::string rows = counted(rows_, "row");
  const std::size_t shown = first_.size() + last_.size();
  if (style_.max_rows > 0 && shown < rows_) rows += fmt::format(" ({} shown)", shown);
  std::string columns = counted(columns_.size(), "column");
  if (shown_.size() < columns_.size()) columns += fmt::format(" ({} shown)", shown_.size());
  const std::size_t inside = box_width() - std::min<std::size_t>(box_width(), 4);
  const std::size_t needed = rows.size() + columns.size() + 2;
  if (needed > inside) {
    write_rule("└", "┴", "┘");
    sink_(rows + "  " + columns + "\n");
    return;
  }
  write_rule("├", "┴", "┤");
  sink_("│ " + rows + std::string(inside - rows.size() - columns.size(), ' ') + columns + " │\n");
  sink_("└" + repeat("─", inside + 2) + "┘\n");
}

}  // namespace headrace
