#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/line_editor.h"

namespace headrace {

/// What can be completed: words of the language, and names of the session.
struct SqlWords {
  std::vector<std::string> keywords;   ///< Lower case.
  std::vector<std::string> functions;  ///< Lower case.
  std::vector<std::string> tables;
};

/// The tables and quoted places that a statement names behind FROM, JOIN and the like, as far as it
/// is written.
std::vector<std::string> names_in_from(std::string_view sql);

/// What the word at the end of `before` may become: a table where a table is expected, else one of
/// `columns` (of the tables named) or a table, or if no column fits, a word of the language. Names
/// are quoted where they have to be; words of the language follow the case of what is typed.
Completions complete_sql(std::string_view before, const SqlWords& words,
                         const std::vector<std::string>& columns);

}  // namespace headrace
