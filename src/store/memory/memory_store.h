#pragma once

#include <memory>

#include "core/clock.h"
#include "store/store.h"

namespace headrace {

/// A store in this process's memory: for tests and for work that leaves nothing behind. Holds any
/// key of 1 to 1024 bytes. An object's bytes are shared by its readers, and at most 1 GiB long.
std::unique_ptr<Store> make_memory_store(Clock& clock);

}  // namespace headrace
