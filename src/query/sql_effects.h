#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace {

// What a statement does beside giving rows, as far as its words tell. They guard against slips;
// what must not be written at all is for the file system's permissions.

/// What it would change outside of the session, for a message: "COPY ... TO writes a file". nullopt
/// if nothing: tables and views of the session's own live in memory.
std::optional<std::string> outside_write(std::string_view sql);

/// The quoted target of a COPY ... TO: its bytes in the SQL, and what they say.
struct CopyTarget {
  std::size_t offset = 0;
  std::size_t end = 0;
  std::string name;
};
std::optional<CopyTarget> copy_target(std::string_view sql);

/// Is it a COPY ... FROM, into a table of the session's own?
bool reads_by_copy(std::string_view sql);

/// Does the statement change the rows or the shape of a table that it names?
bool changes_table(std::string_view sql);

/// The statement inside of an EXPLAIN, with ANALYZE or options, and of PREPARE ... AS; else `sql`.
std::string_view without_wrapping(std::string_view sql);

}  // namespace headrace
