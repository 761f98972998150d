// The same with DuckDB. Usage: [THREADS=1] convert_duckdb IN OUT [CODEC [all]]
// "all": it looks at every row before it chooses types, which takes files that it else fails on.
// CODEC "zstd1" is zstd at level 1; "zstd" is DuckDB's own default level. The two thresholds keep
// it from making one map of JSON text of objects with many keys: like us, it makes columns.
#include <duckdb.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool run(duckdb_connection connection, const std::string& sql) {
  duckdb_result result;
  const bool ok = duckdb_query(connection, sql.c_str(), &result) == DuckDBSuccess;
  if (!ok) std::fprintf(stderr, "%s\n", duckdb_result_error(&result));
  duckdb_destroy_result(&result);
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::string codec = argc > 3 ? argv[3] : "zstd";
  std::string more;
  if (codec == "zstd1") {
    codec = "zstd";
    more = ", COMPRESSION_LEVEL 1";
  }
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  if (duckdb_open(nullptr, &database) != DuckDBSuccess ||
      duckdb_connect(database, &connection) != DuckDBSuccess) {
    return 1;
  }
  const char* threads = std::getenv("THREADS");
  const std::string sample = argc > 4 ? ", sample_size=-1" : "";
  const bool ok =
      run(connection, fmt::format("SET threads = {}", threads == nullptr ? "1" : threads)) &&
      run(connection, "SET autoinstall_known_extensions = 0") &&
      run(connection, fmt::format("COPY (SELECT * FROM read_json_auto('{}', "
                                  "format='newline_delimited', map_inference_threshold=-1, "
                                  "field_appearance_threshold=0{})) TO '{}' (FORMAT parquet, "
                                  "COMPRESSION {}{})",
                                  argv[1], sample, argv[2], codec, more));
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  return ok ? 0 : 1;
}
