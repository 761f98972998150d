#pragma once

#include <string>

#include "store/stores.h"

namespace headrace {

/// What a person typed: a store's URL, or a path on this machine.
StoreUrl read_url(const std::string& text);

/// "lake://bucket/key": the reverse, for messages.
std::string to_text(const StoreUrl& url);

}  // namespace headrace
