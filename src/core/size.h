#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace {

/// "512", "64KiB", "128MiB", "5GB" in bytes (KiB is 1024, KB is 1000); nullopt if `text` is none.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "64 KiB", "1.5 GiB": for people, three significant digits.
std::string format_size(std::uint64_t bytes);

}  // namespace headrace
