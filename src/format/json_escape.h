#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace headrace {

/// The escapes of JSON's strings, for all who read them.

/// Is `c` one of the eight that may follow a backslash alone: " \ / b f n r t?
bool is_short_escape(char c);

/// The four hexadecimal digits of \uXXXX; -1 if they are not.
int escaped_unit(const char* digits);

enum class LoneSurrogate : unsigned char {
  kRefuse,  ///< No UTF-8 can hold it.
  kKeep,    ///< It becomes three bytes that are no UTF-8.
};

/// Undoes the escapes of a string without its quotes, all of which are well formed. Writes to
/// `out`, which has room for raw.size() bytes; the end of what was written, or nullptr.
char* unescape_json(BytesView raw, char* out, LoneSurrogate lone);

}  // namespace headrace
