#include "stack/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "core/utf8.h"

namespace headrace::stack {
namespace {

/// A line is shown whole up to so many characters, else a stretch around the caret.
constexpr std::size_t kWidestLine = 160;
constexpr std::size_t kBeforeCaret = 60;
constexpr std::size_t kLongestWord = 64;

/// The bytes of the first character; a byte that is no UTF-8 counts as one.
std::size_t step(std::string_view text) {
  return std::max<std::size_t>(utf8_sequence_length(text), 1);
}

std::size_t byte_of_column(std::string_view line, std::uint32_t column) {
  std::size_t at = 0;
  for (std::uint32_t i = 1; i < column && at < line.size(); ++i) at += step(line.substr(at));
  return at;
}

char32_t code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  switch (utf8_sequence_length(text)) {
    case 2:
      return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    case 4:
      return (byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 |
             (byte(3) & 0x3FU);
    default:
      return byte(0);
  }
}

struct Range {
  char32_t first;
  char32_t last;
};

/// Marks that share the place of the character before them.
constexpr std::array kNoWidth{Range{0x0300, 0x036F}, Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF},
                              Range{0xFE00, 0xFE0F}};
/// Characters that take two places in a terminal (Unicode Standard Annex 11, "W" and "F").
constexpr std::array kTwoWide{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x4DBF},
    Range{0x4E00, 0xA4CF},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE30, 0xFE6F},   Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},
    Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1FAFF},
    Range{0x20000, 0x3FFFD}};

std::size_t width(char32_t c) {
  const auto holds = [&](Range range) { return c >= range.first && c <= range.last; };
  if (std::ranges::any_of(kNoWidth, holds)) return 0;
  return std::ranges::any_of(kTwoWide, holds) ? 2 : 1;
}

/// Blanks as wide as `text` is in a terminal; a tab stays a tab.
std::string blanks(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += step(text.substr(i))) {
    if (text[i] == '\t') {
      out += '\t';
    } else {
      out.append(width(code_point(text.substr(i))), ' ');
    }
  }
  return out;
}

/// The line and, below it, a caret under `column`.
std::string with_caret(std::string_view line, std::uint32_t column) {
  std::size_t caret = byte_of_column(line, column);
  std::string before;
  std::string after;
  if (line.size() > kWidestLine) {
    const std::uint32_t first = column > kBeforeCaret + 1 ? column - kBeforeCaret : 1;
    const std::size_t start = byte_of_column(line, first);
    const std::size_t end = byte_of_column(line, first + kWidestLine);
    if (start > 0) before = "...";
    if (end < line.size()) after = "...";
    line = line.substr(start, end - start);
    caret -= start;
  }
  return fmt::format("{}{}{}\n{}{}^\n", before, line, after, std::string(before.size(), ' '),
                     blanks(line.substr(0, caret)));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// How many letters to insert, drop, change or swap with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(cost[0].begin(), cost[0].end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    cost[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

Diagnostics::Diagnostics(std::string file, std::string text)
    : file_(std::move(file)), text_(std::move(text)) {
  for (std::size_t at = 0; at != std::string::npos;) {
    starts_.push_back(at);
    at = text_.find('\n', at);
    if (at != std::string::npos) ++at;
  }
}

std::string_view Diagnostics::line(std::uint32_t line) const {
  if (line == 0 || line > starts_.size()) return {};
  const std::size_t start = starts_[line - 1];
  const std::size_t end = line < starts_.size() ? starts_[line] - 1 : text_.size();
  std::string_view found = std::string_view(text_).substr(start, end - start);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

void Diagnostics::error(Where where, std::string message) {
  ++errors_;
  add({.where = where, .error = true, .message = std::move(message)});
}

void Diagnostics::warning(Where where, std::string message) {
  add({.where = where, .error = false, .message = std::move(message)});
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (list_.size() < kMost) {
    list_.push_back(std::move(diagnostic));
  } else {
    ++dropped_;
  }
}

void Diagnostics::hide(Where where, std::string_view secret) {
  while (!secret.empty()) {
    const std::size_t end = std::min(secret.find('\n'), secret.size());
    if (end > 0) secrets_.push_back({where, std::string(secret.substr(0, end))});
    secret.remove_prefix(std::min(end + 1, secret.size()));
  }
}

std::string Diagnostics::shown_line(std::uint32_t number) const {
  std::string shown(line(number));
  const auto blot = [&](std::size_t from, std::size_t to) {
    // One asterisk for each character, so that carets stay where they belong.
    std::string stars;
    for (std::size_t i = from; i < to; i += step(std::string_view(shown).substr(i))) stars += '*';
    shown.replace(from, to - from, stars);
    return from + stars.size();
  };
  for (const Secret& secret : secrets_) {
    if (secret.where.line == number && !line(number).contains(secret.text)) {
      // Written with escapes: we do not know how far it reaches.
      blot(byte_of_column(shown, secret.where.column), shown.size());
    }
    std::size_t at = shown.find(secret.text);
    while (at != std::string::npos) {
      at = shown.find(secret.text, blot(at, at + secret.text.size()));
    }
  }
  return shown;
}

std::string Diagnostics::text() const {
  std::multimap<Where, const Diagnostic*> sorted;  // Keeps the order of those at one place.
  for (const Diagnostic& diagnostic : list_) sorted.emplace(diagnostic.where, &diagnostic);
  std::string out;
  for (const auto& [where, diagnostic] : sorted) {
    const std::string_view grade = diagnostic->error ? "error" : "warning";
    if (where.line == 0) {
      out += fmt::format("{}: {}: {}\n", file_, grade, diagnostic->message);
      continue;
    }
    out += fmt::format("{}:{}:{}: {}: {}\n", file_, where.line, where.column, grade,
                       diagnostic->message);
    out += with_caret(shown_line(where.line), where.column);
  }
  if (dropped_ > 0) out += fmt::format("{}: and {} more\n", file_, dropped_);
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  if (word.size() > kLongestWord) return {};
  std::size_t best = kLongestWord;
  const std::string* nearest = nullptr;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer > kLongestWord) continue;
    const std::size_t away = distance(word, candidate);
    // One letter is near to every other letter.
    if (away > std::max<std::size_t>(longer / 3, 1) || away == longer || away >= best) continue;
    best = away;
    nearest = &candidate;
  }
  return nearest ? fmt::format("; did you mean `{}`?", *nearest) : std::string();
}

}  // namespace headrace::stack
