// A table's calls as a command, for tests in other languages. Not part of the product.
//
//   table_tool append ROOT LOCATION     one JSON request per line on stdin; files are uploaded
//   table_tool change ROOT LOCATION     the same, with what Change has besides
//   table_tool vacuum ROOT LOCATION     everything that no version needs, however young
//   table_tool snapshot ROOT LOCATION [VERSION | TIME]
//   table_tool history ROOT LOCATION
//   table_tool checkpoint ROOT LOCATION
//
// ROOT is the folder of a file store, LOCATION is bucket/prefix. Answers are JSON on stdout, one
// line each; a failure is "kind: message" on stderr and exit code 1.
#include <fmt/format.h>
#include <simdjson.h>

#include <boost/asio/thread_pool.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/error.h"
#include "core/json.h"
#include "store/file/file_store.h"
#include "table/delta/action_json.h"
#include "table/delta/delta_table.h"
#include "table/delta/schema_json.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using simdjson::dom::element;

struct Place {
  CpuPool io{2};
  CpuPool cpu{1};
  std::unique_ptr<Store> store;
  std::string bucket;
  std::string prefix;

  std::unique_ptr<Table> open(std::vector<std::string> partition_by = {}) {
    TableOptions options;
    options.partition_by = std::move(partition_by);
    options.cpu = &cpu;
    return open_delta_table(*store, bucket, prefix, options, real_clock(), real_random());
  }
};

std::string text_of(element at) { return std::string(std::string_view(at)); }

PartitionValues partition_of(element at) {
  PartitionValues out;
  for (const auto [column, value] : at.get_object().value()) {
    std::optional<std::string> text;
    if (!value.is_null()) text = text_of(value);
    out.emplace(column, std::move(text));
  }
  return out;
}

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

NewFile upload(Place& place, Table& table, element at) {
  NewFile file;
  file.partition = partition_of(at["partition"]);
  file.path = table.new_data_path(file.partition);
  file.rows = at["rows"].get_uint64().value();
  file.stats = text_of(at["stats"]);
  std::string bytes = file_bytes(text_of(at["source"]));
  file.size = bytes.size();
  run_task(place.store->put(table.key_of(file.path), std::move(bytes)));
  return file;
}

std::vector<std::string> texts_of(element request, const char* key) {
  std::vector<std::string> out;
  simdjson::dom::array list;
  if (request[key].get(list) != simdjson::SUCCESS) return out;
  for (const element text : list) out.push_back(text_of(text));
  return out;
}

/// What is only in a request for `change`.
void read_change(element request, Change& change) {
  change.remove = texts_of(request, "remove");
  std::string_view text;
  if (request["operation"].get(text) == simdjson::SUCCESS) change.operation = text;
  if (request["overwrite"].get(text) == simdjson::SUCCESS) {
    change.overwrite.kind = text == "table"        ? Overwrite::Kind::kTable
                            : text == "partitions" ? Overwrite::Kind::kPartitions
                                                   : Overwrite::Kind::kAddedPartitions;
  }
  simdjson::dom::array partitions;
  if (request["partitions"].get(partitions) == simdjson::SUCCESS) {
    for (const element each : partitions) {
      change.overwrite.partitions.push_back(partition_of(each));
    }
  }
  std::int64_t version = 0;
  if (request["read_version"].get(version) == simdjson::SUCCESS) change.read_version = version;
  if (request["read"].get(text) == simdjson::SUCCESS) change.read.kind = ReadScope::Kind::kTable;
  bool data_change = true;
  if (request["data_change"].get(data_change) == simdjson::SUCCESS) {
    change.data_change = data_change;
  }
}

void change(Place& place) {
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const element request = parser.parse(line);
    const auto table = place.open(texts_of(request, "partition_by"));
    Change change;
    change.seq = request["seq"].get_uint64().value();
    if (change.seq > 0) change.app_id = text_of(request["app"]);
    change.schema = delta::parse_schema(std::string_view(request["schema"]));
    for (const element file : request["files"].get_array().value()) {
      change.add.push_back(upload(place, *table, file));
    }
    read_change(request, change);
    const ChangeResult result = run_task(table->change(std::move(change)));
    fmt::print("{{\"version\":{},\"already_done\":{},\"removed\":{}}}\n", result.version,
               result.already_done, result.removed);
  }
}

void vacuum(Place& place) {
  VacuumOptions options{.retention = Duration(0), .force = true, .dry_run = false};
  options.each = [](const OldFile& file) {
    JsonWriter json;
    json.string(file.path);
    std::puts(json.text().c_str());
  };
  run_task(place.open()->vacuum(std::move(options)));
}

std::optional<Snapshot> snapshot_of(Table& table, const std::string& when) {
  if (when.empty()) return run_task(table.snapshot());
  if (const auto time = parse_time(when)) return run_task(table.snapshot_at_time(*time));
  std::int64_t version = 0;
  std::from_chars(when.data(), when.data() + when.size(), version);
  return run_task(table.snapshot_at_version(version));
}

void write_deleted(JsonWriter& json, Table& table, const TableFile& file) {
  if (!file.deletion_vector) return;
  json.key("deleted").begin_array();
  for (const std::uint64_t row : run_task(table.deleted_rows(*file.deletion_vector))) {
    json.number(row);
  }
  json.end_array();
}

void write_files(JsonWriter& json, Table& table, const Snapshot& snapshot) {
  json.key("files").begin_array();
  for (const TableFile& file : snapshot.files) {
    json.begin_object().key("path").string(file.path).key("size").number(file.size);
    json.key("stats").string(file.stats);
    if (file.rows) json.key("rows").number(*file.rows);
    write_deleted(json, table, file);
    delta::write_nullable_texts(json.key("partition"), file.partition);
    json.end_object();
  }
  json.end_array();
}

void print_snapshot(Place& place, const std::string& when) {
  const auto table = place.open();
  const auto snapshot = snapshot_of(*table, when);
  if (!snapshot) {
    std::puts("null");
    return;
  }
  JsonWriter json;
  json.begin_object().key("version").number(snapshot->version);
  json.key("id").string(snapshot->id).key("at").string(format_time(snapshot->at));
  json.key("schema").string(delta::schema_json(snapshot->schema));
  json.key("mapped").boolean(snapshot->column_mapping != ColumnMapping::kNone);
  json.key("protocol").begin_array().number(snapshot->min_reader_version);
  json.number(snapshot->min_writer_version).end_array();
  json.key("partition_by").begin_array();
  for (const std::string& column : snapshot->partition_by) json.string(column);
  json.end_array().key("transactions").begin_object();
  for (const auto& [app_id, seq] : snapshot->transactions) json.key(app_id).number(seq);
  json.end_object();
  write_files(json, *table, *snapshot);
  json.end_object();
  std::puts(json.text().c_str());
}

void print_history(Place& place) {
  for (const HistoryEntry& entry : run_task(place.open()->history(1'000))) {
    JsonWriter json;
    json.begin_object().key("version").number(entry.version);
    json.key("operation").string(entry.operation).key("engine").string(entry.engine);
    json.key("files_added").number(entry.files_added).key("rows_added").number(entry.rows_added);
    json.key("files_removed").number(entry.files_removed).end_object();
    std::puts(json.text().c_str());
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) {
    std::fputs("usage: table_tool append|change|vacuum|snapshot|history|checkpoint ROOT PLACE\n",
               stderr);
    return 2;
  }
  Place place;
  place.store = make_file_store({.path = arguments[1]}, place.io, real_clock());
  const std::size_t slash = arguments[2].find('/');
  place.bucket = arguments[2].substr(0, slash);
  if (slash != std::string::npos) place.prefix = arguments[2].substr(slash + 1);
  if (arguments[0] == "append" || arguments[0] == "change") change(place);
  if (arguments[0] == "vacuum") vacuum(place);
  if (arguments[0] == "snapshot") print_snapshot(place, arguments.size() > 3 ? arguments[3] : "");
  if (arguments[0] == "history") print_history(place);
  if (arguments[0] == "checkpoint") {
    fmt::print("{}\n", run_task(place.open()->checkpoint()).value_or(-1));
  }
  return 0;
}

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  try {
    return headrace::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const headrace::Error& error) {
    fmt::print(stderr, "{}: {}\n", headrace::to_string(error.kind()), error.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "bug: {}\n", error.what());
  }
  return 1;
}
