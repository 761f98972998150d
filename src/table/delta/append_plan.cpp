#include "table/delta/append_plan.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "core/error.h"
#include "core/json.h"
#include "table/delta/action_json.h"
#include "table/delta/features.h"
#include "table/delta/partition.h"
#include "table/delta/schema_json.h"
#include "table/delta/schema_merge.h"

namespace headrace::delta {
namespace {

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

/// The commit under way: what the table is to be, and what of that is new.
class Planner {
 public:
  Planner(const Append& append, const TableState* state, const CommitStamp& stamp)
      : append_(append), state_(state), stamp_(stamp) {}

  void make_table(const std::vector<std::string>& partition_by) {
    schema_ = new_schema(append_.schema);
    metadata_.id = stamp_.new_table_id;
    metadata_.schema_string = schema_json(schema_);
    metadata_.partition_columns = partition_by;
    metadata_.created_time = stamp_.now_ms;
    check_partition_columns();
    protocol_ = protocol_for(schema_);
    metadata_is_new_ = protocol_is_new_ = true;
  }

  void extend_table(const std::vector<std::string>& partition_by) {
    protocol_ = state_->protocol();
    metadata_ = state_->metadata();
    check_readable(stamp_.where, protocol_, metadata_, state_->schema());
    check_appendable(stamp_.where, protocol_, metadata_, state_->schema());
    if (!partition_by.empty() && partition_by != metadata_.partition_columns) {
      refuse(fmt::format("it is partitioned by {}, not by {}", joined(metadata_.partition_columns),
                         joined(partition_by)));
    }
    try {
      schema_ = merge_schema(state_->schema(), append_.schema);
    } catch (const Error& error) {
      throw error.during(stamp_.where);
    }
    if (schema_ != state_->schema()) {
      metadata_.schema_string = schema_json(schema_);
      metadata_is_new_ = true;
    }
    const Protocol needed = protocol_for(schema_, protocol_);
    protocol_is_new_ = needed != protocol_;
    protocol_ = needed;
  }

  Bytes lines() {
    std::string files;
    for (const NewFile& file : append_.files) files += add_line(add_of(file));
    std::string out = commit_info_line();
    if (protocol_is_new_) out += protocol_line(protocol_);
    if (metadata_is_new_) out += metadata_line(metadata_);
    out += transaction_line({.app_id = append_.app_id,
                             .version = static_cast<std::int64_t>(append_.seq),
                             .last_updated = stamp_.now_ms});
    return out + files;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(ErrorKind::kInvalid, fmt::format("{}: {}", stamp_.where, what));
  }

  void check_partition_columns() const {
    for (const std::string& column : metadata_.partition_columns) {
      const Field* field = schema_.find(column);
      if (field == nullptr) refuse(fmt::format("there is no column {} to part it by", column));
      if (!field->type.fields.empty() || field->type.kind == TypeKind::kBinary) {
        refuse(fmt::format("column {} is {}, which cannot part a table", column,
                           to_string(field->type)));
      }
    }
    if (metadata_.partition_columns.size() >= schema_.fields.size()) {
      refuse("a table needs a column besides those it is partitioned by");
    }
  }

  AddFile add_of(const NewFile& file) const {
    AddFile out;
    if (file.path.empty() || is_absolute_path(file.path)) {
      refuse(fmt::format("'{}' is no path of a data file below the table", file.path));
    }
    out.path = encode_path(file.path);
    out.size = file.size;
    out.modification_time = stamp_.now_ms;
    out.stats = file.stats.empty() ? fmt::format(R"({{"numRecords":{}}})", file.rows) : file.stats;
    for (const std::string& column : metadata_.partition_columns) {
      const auto value = file.partition.find(column);
      if (value == file.partition.end()) {
        refuse(fmt::format("{} has no value for the partition column {}", file.path, column));
      }
      const Field* field = schema_.find(column);
      if (field == nullptr) refuse(fmt::format("its partition column {} is no column", column));
      out.partition_values.emplace(column,
                                   normal_partition_value(column, field->type, value->second));
    }
    if (file.partition.size() != metadata_.partition_columns.size()) {
      refuse(fmt::format("{} has partition values, but the table is partitioned by {}", file.path,
                         joined(metadata_.partition_columns)));
    }
    check_not_null(out);
    return out;
  }

  /// Columns that other writers declared NOT NULL. Ours never are.
  void check_not_null(const AddFile& file) const {
    for (const Field& field : schema_.fields) {
      if (has_required_inside(field.type)) {
        refuse(fmt::format("column {} has a NOT NULL member, which is not supported", field.name));
      }
      if (field.nullable) continue;
      const auto part = file.partition_values.find(field.name);
      const bool holds = part != file.partition_values.end()
                             ? part->second.has_value()
                             : append_.schema.find(field.name) != nullptr &&
                                   null_count(file.stats, field.name) == 0;
      if (!holds) refuse(fmt::format("column {} is NOT NULL, and new rows have none", field.name));
    }
  }

  static bool has_required_inside(const DataType& type) {
    return std::ranges::any_of(type.fields, [&](const Field& inner) {
      const bool map_key = type.kind == TypeKind::kMap && &inner == &type.fields.front();
      return (!inner.nullable && !map_key) || has_required_inside(inner.type);
    });
  }

  static std::optional<std::uint64_t> null_count(const std::string& stats,
                                                 const std::string& name) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    std::uint64_t count = 0;
    if (parser.parse(stats).get(document) != simdjson::SUCCESS) return std::nullopt;
    const auto at = document["nullCount"].at_key(name);
    return at.get(count) == simdjson::SUCCESS ? std::optional(count) : std::nullopt;
  }

  std::string commit_info_line() const {
    JsonWriter json;
    json.begin_object().key("commitInfo").begin_object();
    if (in_commit_timestamps_on(protocol_, metadata_)) {
      const std::int64_t before = state_ == nullptr ? 0 : state_->in_commit_timestamp.value_or(0);
      json.key("inCommitTimestamp").number(std::max(stamp_.now_ms, before + 1));
    }
    json.key("timestamp").number(stamp_.now_ms).key("operation").string("WRITE");
    JsonWriter columns;
    columns.begin_array();
    for (const std::string& column : metadata_.partition_columns) columns.string(column);
    columns.end_array();
    json.key("operationParameters").begin_object().key("mode").string("Append");
    json.key("partitionBy").string(columns.text()).end_object();
    if (state_ != nullptr) json.key("readVersion").number(state_->version);
    json.key("isolationLevel").string("Serializable").key("isBlindAppend").boolean(true);
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const NewFile& file : append_.files) {
      rows += file.rows;
      bytes += file.size;
    }
    json.key("operationMetrics").begin_object();
    json.key("numFiles").string(fmt::format("{}", append_.files.size()));
    json.key("numOutputRows").string(fmt::format("{}", rows));
    json.key("numOutputBytes").string(fmt::format("{}", bytes)).end_object();
    json.key("engineInfo").string(stamp_.engine).key("txnId").string(stamp_.txn_id);
    json.end_object().end_object();
    return std::move(json).text() + "\n";
  }

  const Append& append_;
  const TableState* state_;
  const CommitStamp& stamp_;
  Schema schema_;
  Metadata metadata_;
  Protocol protocol_;
  bool metadata_is_new_ = false;
  bool protocol_is_new_ = false;
};

}  // namespace

AppendPlan plan_append(const Append& append, const TableState* state,
                       const std::vector<std::string>& partition_by, const CommitStamp& stamp) {
  Planner planner(append, state, stamp);
  if (state == nullptr) {
    planner.make_table(partition_by);
  } else {
    planner.extend_table(partition_by);
  }
  return {.version = state == nullptr ? 0 : state->version + 1, .lines = planner.lines()};
}

}  // namespace headrace::delta
