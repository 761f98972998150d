// A table's calls as a command, for tests in other languages. Not part of the product.
//
//   table_tool append ROOT LOCATION     one JSON request per line on stdin; files are uploaded
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

void append(Place& place) {
  simdjson::dom::parser parser;
  for (std::string line; std::getline(std::cin, line);) {
    const element request = parser.parse(line);
    std::vector<std::string> partition_by;
    for (const element column : request["partition_by"].get_array().value()) {
      partition_by.push_back(text_of(column));
    }
    const auto table = place.open(partition_by);
    Append append;
    append.app_id = text_of(request["app"]);
    append.seq = request["seq"].get_uint64().value();
    append.schema = delta::parse_schema(std::string_view(request["schema"]));
    for (const element file : request["files"].get_array().value()) {
      append.files.push_back(upload(place, *table, file));
    }
    const AppendResult result = run_task(table->append(std::move(append)));
    fmt::print("{{\"version\":{},\"already_done\":{}}}\n", result.version, result.already_done);
  }
}

std::optional<Snapshot> snapshot_of(Table& table, const std::string& when) {
  if (when.empty()) return run_task(table.snapshot());
  if (const auto time = parse_time(when)) return run_task(table.snapshot_at_time(*time));
  std::int64_t version = 0;
  std::from_chars(when.data(), when.data() + when.size(), version);
  return run_task(table.snapshot_at_version(version));
}

void write_files(JsonWriter& json, const Snapshot& snapshot) {
  json.key("files").begin_array();
  for (const TableFile& file : snapshot.files) {
    json.begin_object().key("path").string(file.path).key("size").number(file.size);
    json.key("stats").string(file.stats);
    if (file.rows) json.key("rows").number(*file.rows);
    json.key("partition").begin_object();
    for (const auto& [column, value] : file.partition) {
      json.key(column);
      if (value) {
        json.string(*value);
      } else {
        json.null();
      }
    }
    json.end_object().end_object();
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
  json.key("protocol").begin_array().number(snapshot->min_reader_version);
  json.number(snapshot->min_writer_version).end_array();
  json.key("partition_by").begin_array();
  for (const std::string& column : snapshot->partition_by) json.string(column);
  json.end_array().key("transactions").begin_object();
  for (const auto& [app_id, seq] : snapshot->transactions) json.key(app_id).number(seq);
  json.end_object();
  write_files(json, *snapshot);
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
    std::fputs("usage: table_tool append|snapshot|history|checkpoint ROOT BUCKET/PREFIX\n", stderr);
    return 2;
  }
  Place place;
  place.store = make_file_store({.path = arguments[1]}, place.io, real_clock());
  const std::size_t slash = arguments[2].find('/');
  place.bucket = arguments[2].substr(0, slash);
  if (slash != std::string::npos) place.prefix = arguments[2].substr(slash + 1);
  if (arguments[0] == "append") append(place);
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
