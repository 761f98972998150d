#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

enum class SqlTokenKind : unsigned char {
  kWord,        ///< A keyword, a plain name or a number.
  kQuotedName,  ///< "people"
  kString,      ///< 'people', $$people$$, e'people'
  kSymbol,      ///< One character of anything else.
};

/// A piece of SQL text; blanks and comments are between tokens. What is left open at the end of the
/// text (a string, a comment) goes on to the end: the engine's parser then says what is wrong.
struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::kSymbol;
  std::size_t offset = 0;
  std::string_view text;

  std::size_t end() const { return offset + text.size(); }
  bool is(std::string_view symbol_or_keyword) const;  ///< Case of words does not count.
  /// The name that a kWord, kQuotedName or kString token stands for in FROM.
  std::string name() const;
};

/// The tokens of `sql`, which outlives them.
std::vector<SqlToken> sql_tokens(std::string_view sql);

/// One `name AT (VERSION => 3)` of a statement.
struct TimeTravel {
  std::string view;        ///< The name it was replaced by.
  std::string name;        ///< The table, URL or path.
  bool timestamp = false;  ///< AT (TIMESTAMP => ...), else VERSION.
  std::string expression;  ///< What follows the arrow, as SQL.
};

struct SqlWithoutTimeTravel {
  std::string sql;
  std::vector<TimeTravel> travels;
};

/// Replaces each `name AT (VERSION => n)`, with an alias before or after AT, by one quoted name,
/// because the engine's parser takes AT but its views do not. Statements without AT stay as they
/// are, byte for byte, so that carets in messages point at what was written.
SqlWithoutTimeTravel take_out_time_travel(std::string_view sql);

}  // namespace headrace
