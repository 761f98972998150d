# Everything from outside the tree. Debian packages come from the system; what tools/setup
# fetched (pins and hashes in tools/deps.lock) lies in HEADRACE_DEPS.
set(HEADRACE_DEPS ${PROJECT_SOURCE_DIR}/third_party/deps CACHE PATH "Where tools/setup put things")
set(PYARROW_ROOT ${HEADRACE_DEPS}/pyarrow)
set(DUCKDB_ROOT ${HEADRACE_DEPS}/duckdb)

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PyArrow 26.0.1 EXACT REQUIRED COMPONENTS compute)
find_package(DuckDB 1.5.5 EXACT REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(CURL REQUIRED)  # Benchmarks only.
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(RocksDB REQUIRED)
find_package(simdjson REQUIRED)
find_package(pugixml REQUIRED)

# libparquet exports a whole libcrypto and a whole simdjson of another version. The loader takes a
# symbol from the first library that has it, so the ones we compile against lead every link line;
# as options, because CMake sorts libraries by their dependencies.
foreach(target IN ITEMS OpenSSL::SSL OpenSSL::Crypto simdjson::simdjson)
  get_target_property(location ${target} LOCATION)
  add_link_options(${location})
endforeach()

foreach(name IN ITEMS zstd lz4 bz2 lzma xxhash rdkafka edit)
  find_library(${name}_LIBRARY NAMES ${name} REQUIRED)
  add_library(headrace::${name} UNKNOWN IMPORTED)
  set_target_properties(headrace::${name} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY})
endforeach()

# Separate compilation keeps the heavy headers of Asio and Beast in one .cpp each.
add_library(headrace_asio INTERFACE)
target_compile_definitions(headrace_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(headrace_asio INTERFACE Boost::headers Threads::Threads)
