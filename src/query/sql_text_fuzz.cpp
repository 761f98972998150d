// The input is SQL: bytes below 0x80 stand for pieces out of a list, so that statements come about
// that write, and ways to hide them; each other byte is followed by one that is taken as it is.
// Whatever passes for a statement that only reads is none that the engine takes for one that
// writes.
#include <duckdb.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "query/engine.h"
#include "query/query.h"
#include "query/sql_effects.h"
#include "query/sql_text.h"
#include "query/statement.h"

namespace headrace {
namespace {

constexpr std::string_view kPieces[] = {
    "COPY ",
    "(SELECT 1)",
    " TO ",
    "'f.csv'",
    " FROM ",
    "t",
    "SELECT ",
    "1",
    ";",
    " ",
    "\n",
    "\r",
    "\t",
    "\f",
    "\v",
    "--",
    "/*",
    "*/",
    "'",
    "''",
    "\"",
    "\\",
    "e'",
    "x'",
    "U&'",
    "$$",
    "$a$",
    "$",
    "a",
    "$1",
    "\xc2\xa0",
    "EXPLAIN ",
    "ANALYZE ",
    "ANALYSE ",
    "VERBOSE ",
    "(FORMAT json) ",
    "PREPARE p AS ",
    "EXECUTE p",
    "ATTACH ",
    "':memory:'",
    " AS d",
    "LOAD ",
    "INSTALL ",
    "FORCE ",
    "UPDATE ",
    "EXTENSIONS",
    "EXPORT DATABASE ",
    "(",
    ")",
    ",",
    ".",
    "-",
    "/",
    "*",
    "BEGIN ",
    "(FORMAT csv)",
    " AT (VERSION => 1)",
    " AT (TIMESTAMP => ",
    "CREATE TEMP VIEW v AS ",
    "WITH t AS ",
    "PIVOT t ON a ",
    "\xe2\x80\x8b",
    "\xe3\x80\x80",
    "\xef\xbb\xbf",
    "\xc3\xa9",
};

std::string sql_of(const std::uint8_t* data, std::size_t size) {
  std::string sql;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] < 0x80) {
      sql += kPieces[data[i] % std::size(kPieces)];
    } else if (++i < size) {
      sql += static_cast<char>(data[i]);
    }
  }
  return sql;
}

void check_tokens(const std::string& sql) {
  std::size_t end = 0;
  for (const SqlToken& token : sql_tokens(sql)) {
    if (token.text.empty() || token.offset < end || token.end() > sql.size()) {
      std::abort();
    }
    end = token.end();
    token.name();
  }
  const SqlWithoutTimeTravel without = take_out_time_travel(sql);
  if (without.travels.empty() && without.sql != sql) std::abort();
  if (const auto target = copy_target(sql); target && target->end > sql.size()) {
    std::abort();
  }
  changes_table(sql);
  hides_references(sql);
}

/// What the engine takes a text for, if for one statement. Prepared only: nothing is run.
duckdb_statement_type type_of(Engine& engine, const std::string& sql) {
  duckdb_statement_type type = DUCKDB_STATEMENT_TYPE_INVALID;
  duckdb_extracted_statements statements = nullptr;
  if (duckdb_extract_statements(engine.connection(), sql.c_str(), &statements) == 1) {
    duckdb_prepared_statement one = nullptr;
    if (duckdb_prepare_extracted_statement(engine.connection(), statements, 0, &one) ==
        DuckDBSuccess) {
      type = duckdb_prepared_statement_type(one);
    }
    duckdb_destroy_prepare(&one);
  }
  duckdb_destroy_extracted(&statements);
  return type;
}

/// Of several statements the engine's room refuses those that write by their kind.
void check_reads_only(Engine& engine, const std::string& sql) {
  const std::vector<std::string> statements = split_statements(sql);
  if (statements.size() != 1 || outside_write(statements[0])) return;
  const std::string inner(without_wrapping(statements[0]));
  switch (type_of(engine, inner)) {
    case DUCKDB_STATEMENT_TYPE_COPY:
      if (!reads_by_copy(inner)) std::abort();
      break;
    case DUCKDB_STATEMENT_TYPE_EXPORT:
    case DUCKDB_STATEMENT_TYPE_LOAD:
    case DUCKDB_STATEMENT_TYPE_ATTACH:
    case DUCKDB_STATEMENT_TYPE_EXPLAIN:  // Not seen to be one: what does it hold?
    case DUCKDB_STATEMENT_TYPE_PREPARE:
      std::abort();
    default:
      break;
  }
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  static Engine& engine = *[] {
    auto* made = new Engine({.memory_bytes = 64u << 20, .threads = 1});
    made->execute("CREATE TEMP TABLE t (a INTEGER); CREATE TEMP TABLE \"a$a$\" (a INTEGER)");
    return made;
  }();
  const std::string sql = sql_of(data, std::min<std::size_t>(size, 400));
  if (sql.find('\0') != std::string::npos) return 0;  // The engine's interface ends text there.
  check_tokens(sql);
  check_reads_only(engine, sql);
  return 0;
}
