# Arrow and Parquet C++ out of an unpacked pyarrow wheel: headers in include/, libraries named by
# their SONAME, no CMake files of its own. No Python is needed to build or to run.
# Targets: PyArrow::arrow, PyArrow::parquet, PyArrow::compute.
include(FindPackageHandleStandardArgs)
find_path(PyArrow_INCLUDE_DIR parquet/arrow/writer.h PATHS ${PYARROW_ROOT}/include NO_DEFAULT_PATH)
if(PyArrow_INCLUDE_DIR)
  file(STRINGS ${PyArrow_INCLUDE_DIR}/arrow/util/config.h lines REGEX "define ARROW_(SO_)?VERSION_")
  string(REGEX MATCH "ARROW_VERSION_STRING \"([0-9.]+)" _ "${lines}")
  set(PyArrow_VERSION ${CMAKE_MATCH_1})
endif()
file(STRINGS ${PyArrow_INCLUDE_DIR}/arrow/util/config.h so_line REGEX "define ARROW_SO_VERSION ")
string(REGEX MATCH "\"([0-9]+)\"" _ "${so_line}")
set(PyArrow_SO ${CMAKE_MATCH_1})
find_package_handle_standard_args(PyArrow
  REQUIRED_VARS PyArrow_INCLUDE_DIR PyArrow_SO
  VERSION_VAR PyArrow_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup first")
function(_pyarrow_library name file)
  if(TARGET PyArrow::${name})
    return()
  endif()
  add_library(PyArrow::${name} SHARED IMPORTED)
  set_target_properties(PyArrow::${name} PROPERTIES
    IMPORTED_LOCATION ${PYARROW_ROOT}/${file}.so.${PyArrow_SO}
    IMPORTED_SONAME ${file}.so.${PyArrow_SO}
    INTERFACE_INCLUDE_DIRECTORIES ${PyArrow_INCLUDE_DIR})
  # libparquet exports a whole libcrypto: the system's OpenSSL must come first on the link line.
  target_link_libraries(PyArrow::${name} INTERFACE OpenSSL::SSL OpenSSL::Crypto ${ARGN})
endfunction()
_pyarrow_library(arrow libarrow)
_pyarrow_library(compute libarrow_compute PyArrow::arrow)
_pyarrow_library(parquet libparquet PyArrow::arrow)
