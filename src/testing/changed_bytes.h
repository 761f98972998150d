#pragma once

#include <algorithm>
#include <string_view>

#include "core/bytes.h"

namespace headrace {

/// Bytes that are whole, changed as a fuzzer says: a corrupt file that still looks like one. Each
/// four bytes of `changes` are one change: what to do, where (counted from the front or, where
/// footers are, from the back), and with which byte.
inline Bytes changed_bytes(Bytes whole, std::string_view changes) {
  for (; changes.size() >= 4; changes.remove_prefix(4)) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(changes[i]); };
    std::size_t at = (byte(1) | static_cast<std::size_t>(byte(2)) << 8) % (whole.size() + 1);
    if ((byte(0) & 8u) != 0) at = whole.size() - at;
    switch (byte(0) & 7u) {
      case 0:
        whole.insert(at, 1, changes[3]);
        break;
      case 1:
        whole.erase(at, 1 + byte(3) % 16u);
        break;
      case 2:
        if (byte(3) == 0) whole.resize(at);
        break;
      default:
        if (at < whole.size()) whole[at] = changes[3];
    }
  }
  return whole;
}

}  // namespace headrace
