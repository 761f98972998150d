#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace {

/// Bytes as text of A-Z a-z 0-9 + / with = at the end (RFC 4648 section 4).
std::string to_base64(std::string_view bytes);
/// The reverse; nullopt unless `text` is exactly what to_base64 gives for some bytes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace headrace
