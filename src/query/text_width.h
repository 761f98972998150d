#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headrace {

/// How many columns of a terminal `text` takes: 2 for East Asian wide characters and emoji, 0 for
/// combining marks, 1 for everything else. `text` holds no control characters.
std::size_t text_width(std::string_view text);

/// `text` cut to at most `width` columns, with "…" as its last character if anything was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

/// `text` as one line that is safe on a terminal: controls become \n, \t, \x1B; bytes that are no
/// UTF-8 become U+FFFD.
std::string one_line(std::string_view text);

}  // namespace headrace
