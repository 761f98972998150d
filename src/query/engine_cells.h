#pragma once

#include <duckdb.h>

#include <string>

#include "query/engine_types.h"
#include "query/render.h"

namespace headrace {

/// The value of one row of a vector as a cell. See Query for which types become literals.
Cell read_cell(const EngineType& type, duckdb_vector vector, idx_t row);

/// The same as a JSON value.
void append_json_value(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row);

}  // namespace headrace
