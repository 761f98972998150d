#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace headrace {

/// All of a file; "-" is stdin. Throws Exit(kFailed) if it cannot be read.
std::string read_text(const std::string& path);

/// Calls `each` for every line that is not empty, without its end, and with its number from 1.
void for_each_line(const std::string& text,
                   const std::function<void(std::string_view, std::size_t)>& each);

}  // namespace headrace
