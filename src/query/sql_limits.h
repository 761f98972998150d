#pragma once

#include <cstdint>
#include <filesystem>

#include "stack/spec.h"

namespace headrace {

/// What `headrace sql` may use on this machine.
struct SqlLimits {
  std::uint64_t memory = 1ull << 30;
  int threads = 2;
  std::filesystem::path temp;  ///< Empty: the machine's folder for temporary files.
  std::uint64_t temp_size = 10ull << 30;
};

inline const stack::Spec<SqlLimits>& sql_limits_spec() {
  static const auto spec =
      stack::Spec<SqlLimits>("sql limits", "Limits of `headrace sql`; its flags come before them")
          .field("memory", &SqlLimits::memory,
                 "What a query may hold; beyond, it spills to the temp folder", stack::bytes(),
                 stack::at_least(16ull << 20), stack::example("4GiB"))
          .field("threads", &SqlLimits::threads, "Threads of the engine", stack::at_least(1),
                 stack::at_most(256))
          .field("temp", &SqlLimits::temp,
                 "Folder that queries spill to; left out: the machine's for temporary files")
          .field("temp_size", &SqlLimits::temp_size,
                 "Most that is spilled; a query that needs more fails", stack::bytes());
  return spec;
}

}  // namespace headrace
