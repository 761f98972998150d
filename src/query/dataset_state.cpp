#include "query/dataset_state.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"

namespace headrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kHexDigits = 16;

void write_columns(JsonWriter& json, std::string_view key,
                   const std::vector<TypedColumn>& columns) {
  json.key(key).begin_array();
  for (const TypedColumn& column : columns) {
    json.begin_object().key("name").string(column.name).key("type").string(column.type);
    json.end_object();
  }
  json.end_array();
}

std::vector<TypedColumn> read_columns(dom::array array) {
  std::vector<TypedColumn> columns;
  for (const dom::element column : array) {
    columns.push_back({std::string(column["name"].get_string().value()),
                       std::string(column["type"].get_string().value())});
  }
  return columns;
}

Time read_time(dom::element text) {
  const auto time = parse_time(text.get_string().value());
  if (!time) throw Error(ErrorKind::kCorrupt, "a time that is none");
  return *time;
}

std::vector<std::uint64_t> read_seen(std::string_view hex) {
  std::vector<std::uint64_t> seen;
  if (hex.size() % kHexDigits != 0) throw Error(ErrorKind::kCorrupt, "fingerprints that are cut");
  for (; !hex.empty(); hex.remove_prefix(kHexDigits)) {
    const char* end = hex.data() + kHexDigits;
    if (std::from_chars(hex.data(), end, seen.emplace_back(), 16).ptr != end) {
      throw Error(ErrorKind::kCorrupt, "a fingerprint that is none");
    }
  }
  std::ranges::sort(seen);
  return seen;
}

DatasetState read_state(dom::element root) {
  if (root["version"].get_int64().value() != kVersion) {
    throw Error(ErrorKind::kCorrupt, "a version that this program does not know");
  }
  DatasetState state;
  state.place = root["place"].get_string().value();
  const auto format = parse_data_format(root["format"].get_string().value());
  if (!format) throw Error(ErrorKind::kCorrupt, "a format that is none");
  state.format = *format;
  state.crawled = read_time(root["crawled"].value());
  state.objects = root["objects"].get_uint64().value();
  state.bytes = root["bytes"].get_uint64().value();
  state.columns = read_columns(root["columns"].get_array().value());
  state.partitions = read_columns(root["partitions"].get_array().value());
  for (const dom::element change : root["changes"].get_array().value()) {
    state.changes.push_back({read_time(change["at"].value()),
                             std::string(change["column"].get_string().value()),
                             std::string(change["was"].get_string().value()),
                             std::string(change["now"].get_string().value())});
  }
  state.seen = read_seen(root["seen"].get_string().value());
  return state;
}

}  // namespace

bool DatasetState::has_seen(const ObjectInfo& object) const {
  return std::ranges::binary_search(seen, fingerprint(object));
}

std::uint64_t fingerprint(const ObjectInfo& object) {
  return hash64(object.etag.value, hash64(object.key.path));
}

std::string to_json(const DatasetState& state) {
  JsonWriter json;
  json.begin_object().key("version").number(kVersion).key("place").string(state.place);
  json.key("format").string(to_string(state.format));
  json.key("crawled").string(format_time(state.crawled));
  json.key("objects").number(state.objects).key("bytes").number(state.bytes);
  write_columns(json, "columns", state.columns);
  write_columns(json, "partitions", state.partitions);
  json.key("changes").begin_array();
  for (const ColumnChange& change : state.changes) {
    json.begin_object().key("at").string(format_time(change.at));
    json.key("column").string(change.column).key("was").string(change.was);
    json.key("now").string(change.now).end_object();
  }
  json.end_array();
  std::string seen;
  seen.reserve(state.seen.size() * kHexDigits);
  for (const std::uint64_t one : state.seen) seen += fmt::format("{:016x}", one);
  json.key("seen").string(seen).end_object();
  return std::move(json).text() + "\n";
}

DatasetState parse_dataset_state(std::string_view json) {
  dom::parser parser;
  try {
    return read_state(parser.parse(simdjson::padded_string(json)).value());
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorKind::kCorrupt, error.what());
  }
}

}  // namespace headrace
