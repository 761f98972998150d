#pragma once

namespace headrace {

inline constexpr const char* kVersion = HEADRACE_VERSION;

}  // namespace headrace
