#include "cli/sql_words.h"

#include <algorithm>
#include <array>
#include <set>

#include "query/sql_text.h"

namespace headrace {
namespace {

// Behind these comes a table.
constexpr std::array<std::string_view, 6> kBeforeTable = {
    "from", "join", "describe", "summarize", "table", "into",
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

bool is_table_word(const SqlToken& token) {
  return std::ranges::any_of(kBeforeTable, [&](std::string_view word) { return token.is(word); });
}

/// A name as SQL takes it.
std::string written(const std::string& name, const SqlWords& words) {
  const bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                     std::ranges::all_of(name, is_word) &&
                     !std::ranges::binary_search(words.keywords, lower(name));
  if (plain) return name;
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

}  // namespace

std::vector<std::string> names_in_from(std::string_view sql) {
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (is_table_word(tokens[i]) && tokens[i + 1].kind != SqlTokenKind::kSymbol) {
      names.push_back(tokens[i + 1].name());
    }
  }
  return names;
}

Completions complete_sql(std::string_view before, const SqlWords& words,
                         const std::vector<std::string>& columns) {
  std::size_t start = before.size();
  while (start > 0 && is_word(before[start - 1])) --start;
  const bool quoted = start > 0 && before[start - 1] == '"';
  const std::string word = lower(before.substr(start));
  if (quoted) --start;
  const std::vector<SqlToken> tokens = sql_tokens(before.substr(0, start));
  const bool in_text = !tokens.empty() && tokens.back().kind == SqlTokenKind::kString &&
                       tokens.back().end() == start &&
                       (tokens.back().text.size() == 1 || !tokens.back().text.ends_with('\''));
  Completions out{.start = start, .choices = {}};
  if (in_text) return out;
  std::set<std::string> found;
  const auto add_names = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (!lower(name).starts_with(word)) continue;
      found.insert(quoted && written(name, words)[0] != '"' ? '"' + name + '"'
                                                            : written(name, words));
    }
  };
  const bool table =
      !tokens.empty() &&
      (is_table_word(tokens.back()) ||
       (tokens.size() > 1 && tokens[tokens.size() - 2].is(".") && tokens.back().is("schema")));
  if (!table) add_names(columns);
  const bool column = !found.empty();
  add_names(words.tables);
  // Columns that fit leave no room for the language's hundreds of words.
  const bool after_dot = start > 0 && before[start - 1] == '.';
  if (!table && !column && !quoted && !after_dot && !word.empty()) {
    const std::string_view typed = before.substr(start);
    const bool loud = typed == upper(typed) && typed != lower(typed);
    for (const auto* list : {&words.keywords, &words.functions}) {
      for (const std::string& one : *list) {
        if (one.starts_with(word)) found.insert(loud ? upper(one) : one);
      }
    }
  }
  out.choices.assign(found.begin(), found.end());
  return out;
}

}  // namespace headrace
