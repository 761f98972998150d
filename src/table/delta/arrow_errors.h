#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

#include "core/error.h"

namespace headrace::delta {

/// Arrow's answers as our exception: memory is kTransient, everything else `kind`.
inline void check(const arrow::Status& status, ErrorKind kind, std::string_view name) {
  if (status.ok()) return;
  throw Error(status.IsOutOfMemory() ? ErrorKind::kTransient : kind,
              std::string(name) + ": " + status.ToString());
}

template <class T>
T check(arrow::Result<T> result, ErrorKind kind, std::string_view name) {
  check(result.status(), kind, name);
  return std::move(result).MoveValueUnsafe();
}

}  // namespace headrace::delta
