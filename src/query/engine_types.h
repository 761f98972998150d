#pragma once

#include <duckdb.h>

#include <string>
#include <vector>

namespace headrace {

/// A result column's type with its children, read once so that rows need no further calls.
struct EngineType {
  duckdb_type id = DUCKDB_TYPE_INVALID;
  bool json = false;  ///< VARCHAR that holds JSON.
  int width = 0;      ///< Of a decimal, with its scale.
  int scale = 0;
  duckdb_type internal = DUCKDB_TYPE_INVALID;  ///< How a decimal or an enum is stored.
  std::vector<std::string> names;              ///< Of struct and union members; of enum values.
  std::vector<EngineType> children;
  std::size_t array_size = 0;

  bool nested() const { return !children.empty(); }
  /// Is this, or something in it, a type whose vectors we cannot read? Such a column is cast to
  /// text by the engine instead.
  bool opaque() const;
  bool numeric() const;
};

EngineType engine_type(duckdb_logical_type type);
EngineType vector_type(duckdb_vector vector);

/// "BIGINT", "DECIMAL(18,3)", "STRUCT(a INTEGER, b VARCHAR[])": as SQL spells it.
std::string type_name(const EngineType& type);

}  // namespace headrace
