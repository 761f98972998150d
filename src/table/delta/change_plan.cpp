#include "table/delta/change_plan.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/json.h"
#include "table/delta/action_json.h"
#include "table/delta/features.h"
#include "table/delta/partition.h"
#include "table/delta/schema_json.h"
#include "table/delta/schema_merge.h"
#include "table/delta/stats_limit.h"

namespace headrace::delta {
namespace {

using OverwriteKind = Overwrite::Kind;

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse_at(std::string_view where, std::string_view what) {
  throw Error(ErrorKind::kInvalid, fmt::format("{}: {}", where, what));
}

/// Partitions as they are compared: values in the one form we write.
std::vector<PartitionValues> normal_partitions(std::string_view where,
                                               const std::vector<PartitionValues>& partitions,
                                               const Schema& schema,
                                               const std::vector<std::string>& columns) {
  std::vector<PartitionValues> out = partitions;
  for (PartitionValues& partition : out) {
    if (partition.empty()) refuse_at(where, "a partition is given without any value");
    for (auto& [column, value] : partition) {
      const Field* field = schema.find(column);
      if (field == nullptr || std::ranges::find(columns, column) == columns.end()) {
        refuse_at(where, fmt::format("{} is no partition column: it is partitioned by {}", column,
                                     joined(columns)));
      }
      value = normal_partition_value(column, field->type, value);
    }
  }
  return out;
}

/// The commit under way: what the table is to be, and what of that is new.
class Planner {
 public:
  Planner(const Change& change, const TableState* state, const CommitStamp& stamp)
      : change_(change), state_(state), stamp_(stamp) {}

  void make_table(const TableShape& shape) {
    if (!change_.remove.empty()) refuse("there is no table to remove files from");
    if (!change_.properties.empty()) refuse("there is no table yet that could have properties");
    if (const std::string wrong = wrong_properties(shape.properties); !wrong.empty()) refuse(wrong);
    schema_ = new_schema(change_.schema);
    metadata_.id = stamp_.new_table_id;
    metadata_.schema_string = schema_json(schema_);
    metadata_.partition_columns = shape.partition_by;
    metadata_.configuration = shape.properties;
    if (!shape.description.empty()) metadata_.description = shape.description;
    metadata_.created_time = stamp_.now_ms;
    check_partition_columns();
    protocol_ = protocol_for(shape.properties, protocol_for(schema_));
    metadata_is_new_ = protocol_is_new_ = true;
  }

  void extend_table(const TableShape& shape) {
    protocol_ = state_->protocol();
    metadata_ = state_->metadata();
    check_readable(stamp_.where, protocol_, metadata_, state_->schema());
    check_appendable(stamp_.where, protocol_, metadata_, state_->schema());
    if (!shape.partition_by.empty() && shape.partition_by != metadata_.partition_columns) {
      refuse(fmt::format("it is partitioned by {}, not by {}", joined(metadata_.partition_columns),
                         joined(shape.partition_by)));
    }
    try {
      schema_ = merge_schema(state_->schema(), change_.schema);
    } catch (const Error& error) {
      throw error.during(stamp_.where);
    }
    if (schema_ != state_->schema()) {
      metadata_.schema_string = schema_json(schema_);
      metadata_is_new_ = true;
    }
    protocol_ = protocol_for(schema_, protocol_);
    if (!change_.properties.empty()) set_properties();
    protocol_is_new_ = protocol_ != state_->protocol();
  }

  /// The table as it is now has all that is asked for.
  bool nothing_to_set() const { return !change_.properties.empty() && !metadata_is_new_; }

  void add_files() {
    const StatsLimit limit(schema_, metadata_.partition_columns, metadata_.configuration);
    added_.reserve(change_.add.size());
    for (const NewFile& file : change_.add) {
      added_.push_back(add_of(file));
      check_not_null(added_.back());
      added_.back().stats = limit.apply(std::move(added_.back().stats));
    }
  }

  void remove_files(const std::set<std::string>& spared) {
    if (state_ == nullptr) return;
    for (const std::string& path : change_.remove) remove(path, live_file(path));
    overwrite(spared);
    check_removes();
  }

  Bytes lines() const {
    std::string out = commit_info_line();
    if (protocol_is_new_) out += protocol_line(protocol_);
    if (metadata_is_new_) out += metadata_line(metadata_);
    if (change_.seq > 0) {
      out += transaction_line({.app_id = change_.app_id,
                               .version = static_cast<std::int64_t>(change_.seq),
                               .last_updated = stamp_.now_ms});
    }
    for (const auto& [path, file] : removed_) out += remove_line(remove_of(*file));
    for (const AddFile& file : added_) out += add_line(file);
    return out;
  }

  std::uint64_t removed() const { return removed_.size(); }

 private:
  [[noreturn]] void refuse(std::string_view what) const { refuse_at(stamp_.where, what); }

  void set_properties() {
    Texts set;
    for (const auto& [name, value] : change_.properties) {
      if (value) {
        set.emplace(name, *value);
      } else if (const std::string wrong = wrong_to_unset(name); !wrong.empty()) {
        refuse(wrong);
      } else {
        metadata_.configuration.erase(name);
      }
    }
    if (const std::string wrong = wrong_properties(set); !wrong.empty()) refuse(wrong);
    for (auto& [name, value] : set) metadata_.configuration[name] = value;
    protocol_ = protocol_for(set, protocol_);
    if (metadata_.configuration != state_->metadata().configuration) metadata_is_new_ = true;
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
    out.data_change = change_.data_change;
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
    return out;
  }

  // -------- What goes

  const AddFile& live_file(const std::string& path) {
    const auto found = state_->files().find(path);
    if (found != state_->files().end()) return found->second;
    if (by_path_.empty()) {
      // Those with deletion vectors lie under other keys.
      for (const auto& [key, file] : state_->files()) {
        if (file.deletion_vector) by_path_.emplace(decode_path(file.path), &file);
      }
    }
    const auto vectored = by_path_.find(path);
    if (vectored != by_path_.end()) return *vectored->second;
    throw Error(ErrorKind::kConflict,
                fmt::format("{}: {} is to be removed, and is no file of the table any more",
                            stamp_.where, path));
  }

  void remove(const std::string& path, const AddFile& file) { removed_.emplace(path, &file); }

  void overwrite(const std::set<std::string>& spared) {
    const OverwriteKind kind = change_.overwrite.kind;
    if (kind == OverwriteKind::kNothing) return;
    const std::vector<PartitionValues> partitions = overwritten_partitions();
    for (const auto& [key, file] : state_->files()) {
      if (kind != OverwriteKind::kTable &&
          !lies_in(file.partition_values, partitions, state_->schema())) {
        continue;
      }
      std::string path = decode_path(file.path);
      if (!spared.contains(path)) remove(path, file);
    }
  }

  std::vector<PartitionValues> overwritten_partitions() const {
    if (change_.overwrite.kind == OverwriteKind::kAddedPartitions) {
      std::set<PartitionValues> distinct;
      for (const AddFile& file : added_) distinct.insert(file.partition_values);
      return {distinct.begin(), distinct.end()};
    }
    if (change_.overwrite.kind != OverwriteKind::kPartitions) return {};
    auto partitions = normal_partitions(stamp_.where, change_.overwrite.partitions, schema_,
                                        metadata_.partition_columns);
    for (const AddFile& file : added_) {
      if (lies_in(file.partition_values, partitions, schema_)) continue;
      refuse(fmt::format("{} lies in none of the partitions that are overwritten",
                         decode_path(file.path)));
    }
    return partitions;
  }

  void check_removes() const {
    for (const AddFile& file : added_) {
      if (removed_.contains(decode_path(file.path))) {
        refuse(fmt::format("{} is both added and removed: data files are never written over",
                           decode_path(file.path)));
      }
    }
    if (!change_.data_change) {
      check_same_rows();
      return;
    }
    if (removed_.empty()) return;
    if (state_->property("delta.appendOnly") == "true") {
      refuse("its property delta.appendOnly is true: rows can be added, and never removed");
    }
    const bool rewrites = !added_.empty() && change_.overwrite.kind == OverwriteKind::kNothing;
    if (rewrites && state_->property("delta.enableChangeDataFeed") == "true") {
      refuse(
          "cannot rewrite rows of this table: it uses 'changeDataFeed', and the files that it "
          "needs for that are not supported");
    }
  }

  /// A rewrite that loses or doubles rows must not get into a table.
  void check_same_rows() const {
    std::uint64_t before = 0;
    for (const auto& [path, file] : removed_) {
      const auto rows = rows_of(*file);
      if (!rows) return;
      before += *rows;
      if (file->deletion_vector) {
        before -= static_cast<std::uint64_t>(file->deletion_vector->cardinality);
      }
    }
    std::uint64_t after = 0;
    for (const NewFile& file : change_.add) after += file.rows;
    if (before == after) return;
    throw Error(ErrorKind::kBug,
                fmt::format("{}: a rewrite of {} rows has {} rows", stamp_.where, before, after));
  }

  RemoveFile remove_of(const AddFile& file) const {
    return {.path = file.path,  // As the add spells it.
            .deletion_timestamp = stamp_.now_ms,
            .data_change = change_.data_change,
            .partition_values = file.partition_values,
            .size = file.size,
            .tags = file.tags,
            .deletion_vector = file.deletion_vector,
            .base_row_id = file.base_row_id,
            .default_row_commit_version = file.default_row_commit_version};
  }

  // -------- What it says of itself

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
                             : change_.schema.find(field.name) != nullptr &&
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
    json.key("timestamp").number(stamp_.now_ms).key("operation").string(change_.operation);
    json.key("operationParameters").begin_object();
    for (const auto& [name, value] : parameters()) json.key(name).string(value);
    json.end_object();
    if (change_.read_version) {
      json.key("readVersion").number(*change_.read_version);
    } else if (state_ != nullptr) {
      json.key("readVersion").number(state_->version);
    }
    json.key("isolationLevel").string(isolation());
    json.key("isBlindAppend").boolean(is_blind_append(change_));
    json.key("operationMetrics").begin_object();
    for (const auto& [name, value] : metrics()) json.key(name).string(fmt::format("{}", value));
    json.end_object();
    json.key("engineInfo").string(stamp_.engine).key("txnId").string(stamp_.txn_id);
    json.end_object().end_object();
    return std::move(json).text() + "\n";
  }

  Texts parameters() const {
    Texts out = change_.parameters;
    if (!change_.properties.empty()) out.merge(property_parameters());
    if (change_.operation != "WRITE") return out;
    const bool appends = change_.overwrite.kind == OverwriteKind::kNothing;
    out.emplace("mode", appends ? "Append" : "Overwrite");
    JsonWriter columns;
    columns.begin_array();
    for (const std::string& column : metadata_.partition_columns) columns.string(column);
    out.emplace("partitionBy", columns.end_array().text());
    return out;
  }

  /// As Spark tells of a SET, or of an UNSET where nothing is set.
  Texts property_parameters() const {
    const auto is_set = [](const auto& each) { return each.second.has_value(); };
    JsonWriter json;
    if (std::ranges::none_of(change_.properties, is_set)) {
      json.begin_array();
      for (const auto& [name, value] : change_.properties) json.string(name);
      return {{"properties", json.end_array().text()}, {"ifExists", "true"}};
    }
    write_nullable_texts(json, change_.properties);
    return {{"properties", json.text()}};
  }

  std::string_view isolation() const {
    if (!change_.data_change) return "SnapshotIsolation";
    if (is_blind_append(change_)) return "Serializable";
    const auto level = metadata_.configuration.find("delta.isolationLevel");
    if (level == metadata_.configuration.end()) return "WriteSerializable";
    return level->second;
  }

  std::map<std::string, std::uint64_t> metrics() const {
    std::map<std::string, std::uint64_t> out{
        {"numFiles", added_.size()}, {"numOutputRows", 0}, {"numOutputBytes", 0}};
    for (const NewFile& file : change_.add) {
      out["numOutputRows"] += file.rows;
      out["numOutputBytes"] += file.size;
    }
    if (is_blind_append(change_)) return out;
    out["numRemovedFiles"] = removed_.size();
    for (const auto& [path, file] : removed_) out["numRemovedBytes"] += file->size;
    return out;
  }

  const Change& change_;
  const TableState* state_;
  const CommitStamp& stamp_;
  Schema schema_;
  Metadata metadata_;
  Protocol protocol_;
  bool metadata_is_new_ = false;
  bool protocol_is_new_ = false;
  std::vector<AddFile> added_;
  std::map<std::string, const AddFile*> removed_;  // By decoded path.
  std::unordered_map<std::string, const AddFile*> by_path_;
};

void check_consistent(const Change& change) {
  const auto fault = [](std::string_view what) { throw Error(ErrorKind::kBug, std::string(what)); };
  if ((change.seq > 0) == change.app_id.empty()) {
    fault("a change has both an application id and a sequence number from 1, or neither");
  }
  const bool stands_on_something =
      !change.remove.empty() || change.read.kind != ReadScope::Kind::kNothing;
  if (stands_on_something && !change.read_version) {
    fault("a change that read or removes something says of which version");
  }
  if (!change.data_change && change.overwrite.kind != OverwriteKind::kNothing) {
    fault("an overwrite changes rows");
  }
  const bool has_files = stands_on_something || !change.add.empty() ||
                         change.overwrite.kind != OverwriteKind::kNothing;
  if (!change.properties.empty() && has_files) {
    fault("properties are set in a commit of their own");
  }
}

ReadScope scope_of(const std::string& where, const Change& change, const TableState& state) {
  if (!change.data_change) return {};
  const std::vector<std::string>& columns = state.metadata().partition_columns;
  const auto normal = [&](const std::vector<PartitionValues>& partitions) {
    return normal_partitions(where, partitions, state.schema(), columns);
  };
  ReadScope out = change.read;
  out.partitions = normal(out.partitions);
  if (out.kind == ReadScope::Kind::kTable || change.overwrite.kind == OverwriteKind::kTable) {
    return {.kind = ReadScope::Kind::kTable, .partitions = {}};
  }
  std::vector<PartitionValues> overwritten = change.overwrite.partitions;
  if (change.overwrite.kind == OverwriteKind::kAddedPartitions) {
    if (columns.empty()) return {.kind = ReadScope::Kind::kTable, .partitions = {}};
    for (const NewFile& file : change.add) overwritten.push_back(file.partition);
  }
  if (!overwritten.empty()) {
    out.kind = ReadScope::Kind::kPartitions;
    for (PartitionValues& each : normal(overwritten)) out.partitions.push_back(std::move(each));
  }
  return out;
}

}  // namespace

bool is_blind_append(const Change& change) {
  return change.data_change && change.remove.empty() &&
         change.overwrite.kind == OverwriteKind::kNothing &&
         change.read.kind == ReadScope::Kind::kNothing;
}

Footing footing_of(const std::string& where, const Change& change, const TableState& state) {
  return {.app_id = change.app_id,
          .removed = {change.remove.begin(), change.remove.end()},
          .read = scope_of(where, change, state),
          .schema = state.schema(),
          .serializable = state.property("delta.isolationLevel") == "Serializable"};
}

ChangePlan plan_change(const Change& change, const TableState* state, const TableShape& shape,
                       const std::set<std::string>& spared, const CommitStamp& stamp) {
  check_consistent(change);
  Planner planner(change, state, stamp);
  if (state == nullptr) {
    planner.make_table(shape);
  } else {
    planner.extend_table(shape);
  }
  planner.add_files();
  planner.remove_files(spared);
  return {.version = state == nullptr ? 0 : state->version + 1,
          .lines = planner.lines(),
          .removed = planner.removed(),
          .nothing = planner.nothing_to_set()};
}

}  // namespace headrace::delta
