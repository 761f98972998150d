#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// Text as the words a POSIX shell would make of it, with quotes and backslashes but without
/// variables, globs or operators: how the AWS tools read `credential_process` and section names.
/// nullopt if a quote is open or a backslash ends the text.
std::optional<std::vector<std::string>> shell_words(std::string_view text);

}  // namespace headrace
