#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "step/object_batch.h"
#include "step/step.h"
#include "step/target.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `sql: { query: "select a, count(*) n from input group by a", to: "lake://out/{name}.parquet" }`,
/// or with `into: table` in place of `to`, which makes it a sink.
struct SqlConfig : TargetConfig {
  std::string query;
  std::string into;    ///< A table; empty if `to` is given.
  std::string format;  ///< Of the object: ndjson, json, csv, parquet; or empty.
  std::uint64_t memory = 256u << 20;
};

const stack::Spec<SqlConfig>& sql_spec();

/// What a name ends with that tells a format and a packing, ".jsonl.gz"; empty if nothing does.
std::string format_ending(const std::string& name);

/// The same in front of a table: the rows are what the query makes of each object.
ObjectTransform make_sql_transform(const SqlConfig& config, std::filesystem::path folder,
                                   StepServices services);

/// Writes what the query makes of the object's rows to another object, whose name tells its format
/// and packing. The task goes on with the object it had. A second run finds its result by the marks
/// on it and only tells the bad lines again.
///
/// Throws kInvalid for a template that KeyTemplate refuses. `folder` is for files that live as long
/// as a run. Its runs throw as ObjectSql does, and kInvalid if the object lacks a field or would be
/// overwritten itself.
std::unique_ptr<Step> make_sql_step(const SqlConfig& config, std::filesystem::path folder,
                                    const StepServices& services);

}  // namespace headrace
