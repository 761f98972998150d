#pragma once

#include <cstddef>
#include <string_view>

namespace headrace {

/// Length in bytes (1 to 4) of the well-formed UTF-8 sequence at the start of `text`, 0 if there is
/// none. Overlong forms, surrogates and values beyond U+10FFFF are not well-formed (RFC 3629).
std::size_t utf8_sequence_length(std::string_view text);

/// Is all of `text` well-formed UTF-8?
bool is_utf8(std::string_view text);

}  // namespace headrace
