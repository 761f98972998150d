# The compiler's settings: one place, for every preset.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# simdjson falls back to plain code without carry-less multiplication, which every x86-64-v3
# processor has. Designated initializers are there to name a few fields and leave the rest at
# their defaults.
add_compile_options(-Wall -Wextra -Werror -Wno-missing-designated-field-initializers
  -march=x86-64-v3 -mpclmul -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
add_link_options(-fuse-ld=lld)

set(HEADRACE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
option(HEADRACE_FUZZ "Build the fuzzers" OFF)
if(HEADRACE_SANITIZE)
  # At -O0 simdjson runs at 6 MB/s under ASan; -O1 keeps the tests quick.
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")
  add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HEADRACE_SANITIZE})
endif()
if(HEADRACE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  set(HEADRACE_PCH_OPTIONS "SHELL:-Xclang -fno-pch-timestamp")
endif()
