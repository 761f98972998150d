#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/columns.h"
#include "format/schema.h"

namespace headrace::parquet_file {

/// A leaf of a file's schema.
struct LeafLayout {
  std::uint32_t node = 0;
  TypeKind kind = TypeKind::kString;
  Physical physical = Physical::kText;
  std::uint8_t level = 0;         ///< Definition level of a present value,
  std::uint8_t repetition = 0;    ///< and how many lists are around it.
  int wide_bytes = 0;             ///< Of a value of fixed length.
  int indexed = -1;               ///< Its place among the columns of Delta's stats; -1: none.
  std::vector<std::string> path;  ///< As Parquet spells it: "l", "list", "element".
};

/// What a file's columns are, fixed when its first rows are written. Immutable: row groups of one
/// layout are encoded on any thread while the plan grows on another.
struct FileLayout {
  FileLayout(const jsonl::Plan& plan, const Schema& schema, const StatsColumns& stats);

  std::uint32_t plan_version = 0;
  std::vector<LeafLayout> leaves;      ///< In the order of the file.
  std::vector<std::uint32_t> indexed;  ///< Nodes of the columns of Delta's stats.
  /// Lists and maps of Delta's stats: their nodes, and their places among its columns.
  std::vector<std::pair<std::uint32_t, std::size_t>> lists;
  /// Has `earlier` the same columns, but for some at the end that are there only here?
  bool extends(const FileLayout& earlier) const;

  /// Parquet's schema elements, in Thrift's compact protocol, and how many.
  std::string schema_elements;
  std::size_t schema_size = 0;
};

/// Bytes of a decimal's two's complement for precisions beyond 18.
int decimal_bytes(int precision);

}  // namespace headrace::parquet_file
