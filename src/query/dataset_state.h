#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "query/data_format.h"
#include "store/store.h"

namespace headrace {

/// A column and its type as the engine spells it. The type kUnknownType is that of a column without
/// any value yet: it reads as JSON and takes the first type that comes.
struct TypedColumn {
  std::string name;
  std::string type;
  bool operator==(const TypedColumn&) const = default;
};
inline constexpr std::string_view kUnknownType = "NULL";

/// What a crawl changed: a new column (`was` empty), another type, or a column that is gone (`now`
/// empty).
struct ColumnChange {
  Time at;
  std::string column;
  std::string was;
  std::string now;
  bool operator==(const ColumnChange&) const = default;
};

/// What is kept of a dataset between crawls; docs/formats/dataset.md is its form on disk.
struct DatasetState {
  std::string place;  ///< "lake://bucket/prefix" with the format: of another place, it is no use.
  DataFormat format = DataFormat::kJsonLines;
  Time crawled;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::vector<TypedColumn> columns;     ///< In the objects, in order of appearance.
  std::vector<TypedColumn> partitions;  ///< In the objects' keys.
  std::vector<ColumnChange> changes;    ///< Newest last; the last kMostChanges.
  std::vector<std::uint64_t> seen;      ///< fingerprint() of each object read, sorted.

  static constexpr std::size_t kMostChanges = 100;

  bool has_seen(const ObjectInfo& object) const;
  bool operator==(const DatasetState&) const = default;
};

/// The same for the same key and content, different (but for one in 2^64) for any other.
std::uint64_t fingerprint(const ObjectInfo& object);

std::string to_json(const DatasetState& state);
/// Throws kCorrupt if `json` is no such state, or one of a later version.
DatasetState parse_dataset_state(std::string_view json);

}  // namespace headrace
