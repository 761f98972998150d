#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"

namespace headrace {

/// `body`, held to its size: it throws kTransient, rather than end, when fewer or more bytes came
/// than the object has. A connection that breaks may look like an end; what is rewritten or copied
/// from such a body would lose the rest.
std::unique_ptr<ByteSource> whole_body(std::unique_ptr<ByteSource> body, std::uint64_t size);

}  // namespace headrace
