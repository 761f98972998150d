#pragma once

#include <string>
#include <string_view>

#include "cli/cli.h"
#include "cli/sql_session.h"

namespace headrace {

/// The prompt of `headrace sql`: statements over as many lines as they need, up to a semicolon, and
/// commands that start with a dot. Ctrl-C stops the statement that runs or drops what is typed;
/// Ctrl-D leaves. Returns the exit code.
int run_sql_prompt(Cli& cli, SqlSession& session);

/// Does the text end a statement: is its last token a semicolon?
bool ends_statement(std::string_view sql);

}  // namespace headrace
