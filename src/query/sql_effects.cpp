#include "query/sql_effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "query/sql_text.h"

namespace headrace {
namespace {

using Tokens = std::vector<SqlToken>;

// What comes first in statements that reach out of the session, and what they do.
constexpr std::pair<std::string_view, std::string_view> kOutside[] = {
    {"export", "EXPORT DATABASE writes files"},
    {"attach", "ATTACH opens or makes a database file"},
    {"install", "INSTALL fetches and keeps an extension"},
    {"force", "FORCE INSTALL fetches and keeps an extension"},
    {"load", "LOAD runs the code of an extension"},
};

constexpr std::array<std::string_view, 8> kChanges = {
    "insert", "update", "delete", "merge", "truncate", "alter", "drop", "replace",
};

/// The index behind the closing parenthesis of tokens[open].
std::size_t behind(const Tokens& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].is("(")) ++depth;
    if (tokens[i].is(")") && --depth == 0) return i + 1;
  }
  return tokens.size();
}

bool is_analyze(const SqlToken& token) { return token.is("analyze") || token.is("analyse"); }

/// The index of the first token behind EXPLAIN or PREPARE ... AS; `at` itself if neither is there.
std::size_t unwrap(const Tokens& tokens, std::size_t at) {
  if (at + 1 >= tokens.size()) return at;
  if (tokens[at].is("explain")) {
    ++at;
    const bool options = tokens[at].is("(") && at + 1 < tokens.size() &&
                         (tokens[at + 1].is("format") || is_analyze(tokens[at + 1]));
    if (options) return behind(tokens, at);
    if (is_analyze(tokens[at])) ++at;
    if (at < tokens.size() && tokens[at].is("verbose")) ++at;
    return at;
  }
  if (tokens[at].is("prepare")) {
    const auto as = std::find_if(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens.end(),
                                 [](const SqlToken& token) { return token.is("as"); });
    if (as != tokens.end()) return static_cast<std::size_t>(as - tokens.begin()) + 1;
  }
  return at;
}

std::size_t first_token(const Tokens& tokens) {
  std::size_t at = 0;
  for (std::size_t next = unwrap(tokens, at); next != at; next = unwrap(tokens, at)) at = next;
  return at;
}

/// The index of the FROM or TO of a COPY; none if it is another statement.
std::optional<std::size_t> copy_direction(const Tokens& tokens) {
  std::size_t at = first_token(tokens);
  if (at >= tokens.size() || !tokens[at].is("copy")) return std::nullopt;
  while (++at < tokens.size()) {
    if (tokens[at].is("(")) {
      at = behind(tokens, at) - 1;
    } else if (tokens[at].is("from") || tokens[at].is("to")) {
      return at;
    }
  }
  return std::nullopt;
}

/// The index of the TO of a COPY; none if it reads.
std::optional<std::size_t> copy_to(const Tokens& tokens) {
  const auto at = copy_direction(tokens);
  return at && tokens[*at].is("to") ? at : std::nullopt;
}

}  // namespace

std::optional<std::string> outside_write(std::string_view sql) {
  const Tokens tokens = sql_tokens(sql);
  if (copy_to(tokens)) return "COPY ... TO writes a file";
  const std::size_t at = first_token(tokens);
  if (at >= tokens.size()) return std::nullopt;
  for (const auto& [word, effect] : kOutside) {
    if (tokens[at].is(word)) return std::string(effect);
  }
  const bool extensions =
      tokens[at].is("update") && at + 1 < tokens.size() && tokens[at + 1].is("extensions");
  if (extensions) return "UPDATE EXTENSIONS fetches and keeps extensions";
  return std::nullopt;
}

std::optional<CopyTarget> copy_target(std::string_view sql) {
  const Tokens tokens = sql_tokens(sql);
  const auto to = copy_to(tokens);
  if (!to || *to + 1 >= tokens.size() || tokens[*to + 1].kind != SqlTokenKind::kString) {
    return std::nullopt;
  }
  const SqlToken& target = tokens[*to + 1];
  return CopyTarget{target.offset, target.end(), target.name()};
}

bool reads_by_copy(std::string_view sql) {
  const Tokens tokens = sql_tokens(sql);
  const auto at = copy_direction(tokens);
  return at && tokens[*at].is("from");
}

bool changes_table(std::string_view sql) {
  const Tokens tokens = sql_tokens(sql);
  const std::size_t at = first_token(tokens);
  return at < tokens.size() &&
         std::ranges::any_of(kChanges, [&](std::string_view word) { return tokens[at].is(word); });
}

std::string_view without_wrapping(std::string_view sql) {
  const Tokens tokens = sql_tokens(sql);
  const std::size_t at = first_token(tokens);
  return at < tokens.size() ? sql.substr(tokens[at].offset) : sql;
}

}  // namespace headrace
