# DuckDB's C library and header as tools/setup lays them out under DUCKDB_ROOT.
# Target: DuckDB::duckdb. Variables: DuckDB_EXTENSION_DIR, DuckDB_CXX_INCLUDE_DIR (headers of the
# same version, for what the C interface does not have).
include(FindPackageHandleStandardArgs)
find_path(DuckDB_INCLUDE_DIR duckdb.h PATHS ${DUCKDB_ROOT} NO_DEFAULT_PATH)
find_path(DuckDB_CXX_INCLUDE_DIR duckdb/common/file_system.hpp PATHS ${DUCKDB_ROOT}/include
  NO_DEFAULT_PATH)
find_library(DuckDB_LIBRARY duckdb PATHS ${DUCKDB_ROOT} NO_DEFAULT_PATH)
set(DuckDB_EXTENSION_DIR ${DUCKDB_ROOT}/extensions)
if(EXISTS ${DUCKDB_ROOT}/VERSION)
  file(STRINGS ${DUCKDB_ROOT}/VERSION DuckDB_VERSION LIMIT_COUNT 1)
endif()
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR DuckDB_CXX_INCLUDE_DIR
  VERSION_VAR DuckDB_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup first")
if(DuckDB_FOUND AND NOT TARGET DuckDB::duckdb)
  add_library(DuckDB::duckdb SHARED IMPORTED)
  set_target_properties(DuckDB::duckdb PROPERTIES
    IMPORTED_LOCATION ${DuckDB_LIBRARY}
    IMPORTED_SONAME libduckdb.so
    INTERFACE_INCLUDE_DIRECTORIES ${DuckDB_INCLUDE_DIR})
endif()
mark_as_advanced(DuckDB_INCLUDE_DIR DuckDB_CXX_INCLUDE_DIR DuckDB_LIBRARY)
