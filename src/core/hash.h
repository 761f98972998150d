#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

/// XXH3, 64 bits. Stable for ever: hashes are kept on disk (dedupe, shards, sidecar names).
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace headrace
