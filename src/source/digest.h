#pragma once

#include <string>
#include <string_view>

namespace headrace {

/// MD5 in lower-case hex: SQS's digest of a message, against accidents only.
std::string md5_hex(std::string_view bytes);
/// HMAC-SHA256, 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// Equal? Takes the same time wherever they differ.
bool same_secret(std::string_view left, std::string_view right);

}  // namespace headrace
