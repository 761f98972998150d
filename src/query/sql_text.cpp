#include "query/sql_text.h"

#include <algorithm>
#include <array>
#include <optional>

#include "query/engine.h"
#include "query/query.h"

namespace headrace {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Blanks of other alphabets that the engine takes for blanks: U+00A0, 202F, 205F, 2060, 3000, FEFF,
// and, by their last byte, 2000 to 200B.
constexpr std::array<std::string_view, 6> kWideBlanks = {
    "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe2\x81\xa0", "\xe3\x80\x80", "\xef\xbb\xbf",
};

/// The length of the blank that is not ASCII at the start of `text`; 0 if there is none.
std::size_t wide_blank(std::string_view text) {
  for (const std::string_view blank : kWideBlanks) {
    if (text.starts_with(blank)) return blank.size();
  }
  const bool spaces = text.size() > 2 && text.starts_with("\xe2\x80") &&
                      static_cast<unsigned char>(text[2]) <= 0x8b;
  return spaces ? 3 : 0;
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Reads one token after another.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::optional<SqlToken> next() {
    skip_blanks();
    if (at_ == sql_.size()) return std::nullopt;
    const std::size_t from = at_;
    const SqlTokenKind kind = scan();
    return SqlToken{kind, from, sql_.substr(from, at_ - from)};
  }

 private:
  bool here(std::string_view text) const { return sql_.substr(at_).starts_with(text); }
  void go_past(std::string_view end, std::size_t from) {
    const std::size_t found = sql_.find(end, from);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  void skip_blanks() {
    while (at_ < sql_.size()) {
      if (is_blank(sql_[at_])) {
        ++at_;
      } else if (const std::size_t wide = wide_blank(sql_.substr(at_))) {
        at_ += wide;
      } else if (here("--")) {
        at_ = std::min(sql_.find_first_of("\n\r", at_), sql_.size());
      } else if (here("/*")) {
        skip_comment();
      } else {
        return;
      }
    }
  }

  /// Comments nest, as in PostgreSQL.
  void skip_comment() {
    int depth = 0;
    do {
      if (here("/*")) {
        ++depth;
        at_ += 2;
      } else if (here("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < sql_.size());
    at_ = std::min(at_, sql_.size());
  }

  SqlTokenKind scan() {
    const char c = sql_[at_];
    if (c == '\'') return scan_quoted('\'', false);
    if (c == '"') return scan_quoted('"', false);
    if (lower(c) == 'e' && at_ + 1 < sql_.size() && sql_[at_ + 1] == '\'') {
      ++at_;
      return scan_quoted('\'', true);
    }
    if (c == '$' && scan_dollar_quoted()) return SqlTokenKind::kString;
    if (!is_word(c)) {
      ++at_;
      return SqlTokenKind::kSymbol;
    }
    scan_word();
    return SqlTokenKind::kWord;
  }

  /// A name may hold $, a number ends where a name may begin: 1e'x' is a number and a string.
  void scan_word() {
    const bool number = is_digit(sql_[at_]);
    const auto goes_on = [&](char c) {
      return number ? is_digit(c) || c == '_' : is_word(c) || c == '$';
    };
    while (at_ < sql_.size() && goes_on(sql_[at_]) && wide_blank(sql_.substr(at_)) == 0) ++at_;
  }

  SqlTokenKind scan_quoted(char quote, bool backslashes) {
    ++at_;
    while (at_ < sql_.size()) {
      const char c = sql_[at_++];
      if (backslashes && c == '\\' && at_ < sql_.size()) ++at_;
      if (c != quote) continue;
      if (at_ == sql_.size() || sql_[at_] != quote) break;
      ++at_;
    }
    return quote == '"' ? SqlTokenKind::kQuotedName : SqlTokenKind::kString;
  }

  /// $$ ... $$ or $tag$ ... $tag$; false for $1 and a lone $.
  bool scan_dollar_quoted() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && is_word(sql_[end])) ++end;
    if (end == sql_.size() || sql_[end] != '$') return false;
    if (end > at_ + 1 && sql_[at_ + 1] >= '0' && sql_[at_ + 1] <= '9') return false;
    go_past(sql_.substr(at_, end + 1 - at_), end + 1);
    return true;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

// Words that may follow a table in FROM and are no alias for it.
constexpr std::array kAfterTable = {
    "anti",   "asof",        "cross",     "except",     "fetch",   "for",       "full",    "group",
    "having", "inner",       "intersect", "join",       "left",    "limit",     "natural", "offset",
    "on",     "order",       "pivot",     "positional", "qualify", "returning", "right",   "select",
    "semi",   "tablesample", "union",     "unpivot",    "using",   "where",     "window",  "set",
};

/// Words (and symbols) that a table in FROM stands right behind.
bool introduces_table(const SqlToken& token) {
  return token.is("from") || token.is("join") || token.is(",") || token.is("(") ||
         token.is("describe") || token.is("summarize") || token.is("table");
}

bool is_name(const SqlToken& token) { return token.kind != SqlTokenKind::kSymbol; }

bool is_alias(const SqlToken& token) {
  if (token.kind == SqlTokenKind::kQuotedName) return true;
  if (token.kind != SqlTokenKind::kWord) return false;
  return token.is("as") ||
         std::ranges::none_of(kAfterTable, [&](std::string_view word) { return token.is(word); });
}

/// An AT clause found in the tokens: indexes of the table's name, the word AT, the arrow's end and
/// the closing parenthesis.
struct AtClause {
  std::size_t name = 0;
  std::size_t at = 0;
  std::size_t value = 0;
  std::size_t close = 0;
  bool timestamp = false;
  bool alias_before = false;
};

/// Is tokens[at] the AT of a time travel? Then which tokens make it up.
std::optional<AtClause> at_clause(const std::vector<SqlToken>& tokens, std::size_t at) {
  if (!tokens[at].is("at") || at == 0 || at + 5 >= tokens.size()) return std::nullopt;
  AtClause clause{.name = at - 1, .at = at, .value = at + 5};
  clause.timestamp = tokens[at + 2].is("timestamp");
  if (!tokens[at + 1].is("(") || !(clause.timestamp || tokens[at + 2].is("version")) ||
      !tokens[at + 3].is("=") || !tokens[at + 4].is(">") || !is_name(tokens[at - 1])) {
    return std::nullopt;
  }
  if (at >= 3 && tokens[at - 2].is("as")) {
    clause.name = at - 3;
    clause.alias_before = true;
  } else if (at >= 2 && !introduces_table(tokens[at - 2])) {
    clause.name = at - 2;
    clause.alias_before = true;
  }
  int depth = 1;
  for (clause.close = at + 5; clause.close < tokens.size(); ++clause.close) {
    if (tokens[clause.close].is("(")) ++depth;
    if (tokens[clause.close].is(")") && --depth == 0) return clause;
  }
  return std::nullopt;
}

}  // namespace

bool SqlToken::is(std::string_view symbol_or_keyword) const {
  return (kind == SqlTokenKind::kWord || kind == SqlTokenKind::kSymbol) &&
         equal_ignoring_case(text, symbol_or_keyword);
}

std::string SqlToken::name() const {
  if (kind == SqlTokenKind::kWord || kind == SqlTokenKind::kSymbol || text.size() < 2) {
    return std::string(text);
  }
  const char quote = text.back();
  if (quote == '$') {
    const std::size_t tag = text.find('$', 1) + 1;
    return text.size() < 2 * tag ? "" : std::string(text.substr(tag, text.size() - 2 * tag));
  }
  const std::size_t from = text.find(quote) + 1;
  std::string out;
  for (std::size_t i = from; i + 1 < text.size(); ++i) {
    out += text[i];
    if (text[i] == quote) ++i;
  }
  return out;
}

std::vector<SqlToken> sql_tokens(std::string_view sql) {
  Scanner scanner(sql);
  std::vector<SqlToken> tokens;
  while (const auto token = scanner.next()) tokens.push_back(*token);
  return tokens;
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  std::size_t from = 0;
  bool any = false;
  for (const SqlToken& token : sql_tokens(sql)) {
    if (!token.is(";")) {
      if (!any) from = token.offset;
      any = true;
      continue;
    }
    if (any) statements.emplace_back(sql.substr(from, token.offset - from));
    any = false;
  }
  if (any) statements.emplace_back(sql.substr(from));
  return statements;
}

SqlWithoutTimeTravel take_out_time_travel(std::string_view sql) {
  SqlWithoutTimeTravel out;
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  std::size_t copied = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto clause = at_clause(tokens, i);
    if (!clause) continue;
    const SqlToken& name = tokens[clause->name];
    const std::size_t end = tokens[clause->close].end();
    const std::string arrow(sql.substr(tokens[clause->at].offset, end - tokens[clause->at].offset));
    TimeTravel travel{.view = name.name() + " " + arrow,
                      .name = name.name(),
                      .timestamp = clause->timestamp,
                      .expression = std::string(
                          sql.substr(tokens[clause->value].offset,
                                     tokens[clause->close].offset - tokens[clause->value].offset))};
    out.sql += sql.substr(copied, name.offset - copied);
    out.sql += sql_name(travel.view);
    const bool alias_after =
        clause->close + 1 < tokens.size() && is_alias(tokens[clause->close + 1]);
    if (clause->alias_before) {
      out.sql += sql.substr(name.end(), tokens[clause->at].offset - name.end());
    } else if (!alias_after) {
      out.sql += " AS " + sql_name(travel.name);
    }
    copied = end;
    i = clause->close;
    out.travels.push_back(std::move(travel));
  }
  out.sql += sql.substr(copied);
  return out;
}

}  // namespace headrace
