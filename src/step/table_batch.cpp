#include "step/table_batch.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "step/object_batch.h"
#include "table/declared_columns.h"
#include "table/delta/action_json.h"
#include "table/delta/schema_json.h"
#include "table/delta/stats_limit.h"

namespace headrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kKind = "tables";

void write_file(JsonWriter& json, const NewFile& file) {
  json.begin_object().key("path").string(file.path).key("size").number(file.size);
  json.key("rows").number(file.rows);
  delta::write_nullable_texts(json.key("partition"), file.partition);
  if (!file.stats.empty()) json.key("stats").string(file.stats);
  json.end_object();
}

std::string text_of(dom::element json, const char* field) {
  return std::string(std::string_view(json[field]));
}

NewFile read_file(dom::element json) {
  NewFile file{.path = text_of(json, "path"),
               .partition = {},
               .size = std::uint64_t(json["size"]),
               .rows = std::uint64_t(json["rows"]),
               .stats = {}};
  for (const auto [column, value] : json["partition"].get_object()) {
    auto& to = file.partition[std::string(column)];
    if (!value.is_null()) to = std::string(std::string_view(value));
  }
  if (const auto stats = json["stats"]; stats.error() == simdjson::SUCCESS) {
    file.stats = std::string(std::string_view(stats));
  }
  return file;
}

}  // namespace

Bytes encode(const TableBatch& batch) {
  JsonWriter json;
  json.begin_object().key("kind").string(kKind).key("rows").number(batch.rows);
  json.key("tables").begin_array();
  for (const TableBatch::One& one : batch.tables) {
    json.begin_object().key("table").string(one.table);
    json.key("app_id").string(one.append.app_id).key("seq").number(one.append.seq);
    json.key("schema").raw(delta::schema_json(one.append.schema)).key("files").begin_array();
    for (const NewFile& file : one.append.files) write_file(json, file);
    json.end_array();
    if (!one.outdated.empty()) {
      json.key("outdated").begin_array();
      for (const std::string& object : one.outdated) json.string(object);
      json.end_array();
    }
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

namespace {

TableBatch::One read_one(dom::element json) {
  TableBatch::One one{.table = text_of(json, "table"), .append = {}, .outdated = {}};
  one.append.app_id = text_of(json, "app_id");
  one.append.seq = std::uint64_t(json["seq"]);
  dom::array files;
  one.only_numbered = json["files"].get(files) == simdjson::NO_SUCH_FIELD;
  if (one.only_numbered) return one;
  one.append.schema = delta::parse_schema(simdjson::minify(json["schema"].value()));
  for (const auto file : json["files"].get_array()) one.append.files.push_back(read_file(file));
  if (const auto outdated = json["outdated"]; outdated.error() == simdjson::SUCCESS) {
    for (const auto object : outdated.get_array()) {
      one.outdated.emplace_back(std::string_view(object));
    }
  }
  return one;
}

}  // namespace

std::optional<TableBatch> decode_table_batch(const Bytes& plan) {
  if (plan.empty()) return std::nullopt;
  try {
    dom::parser parser;
    const dom::element json = parser.parse(plan.data(), plan.size());
    if (std::string_view(json["kind"]) != kKind) return std::nullopt;
    TableBatch batch;
    batch.rows = std::uint64_t(json["rows"]);
    for (const auto table : json["tables"].get_array()) batch.tables.push_back(read_one(table));
    return batch;
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("a plan of tables in the ledger is damaged: ") + error.what());
  }
}

namespace {

/// The table's wish; one that we do not have is as if there were none.
Codec codec_named(std::string_view name) {
  if (name == "snappy") return Codec::kSnappy;
  if (name == "none" || name == "uncompressed") return Codec::kNone;
  return Codec::kZstd;
}

}  // namespace

std::uint64_t next_seq(const std::optional<Snapshot>& table, const std::string& app_id) {
  if (!table) return 1;
  const auto last = table->transactions.find(app_id);
  if (last == table->transactions.end()) return 1;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(last->second, 0)) + 1;
}

ConvertOptions convert_options(const std::optional<Snapshot>& table, const TableConfig& config,
                               RowPredicate keep) {
  ConvertOptions options;
  options.partition_by = config.partition_by;
  options.keep = std::move(keep);
  options.fault_bytes = batch_rows_options().fault_bytes;
  options.faults_per_object = batch_rows_options().faults_per_object;
  options.fixed = config.schema == SchemaMode::kFixed;
  options.schema = with_declared_columns(table ? table->schema : Schema(), config);
  // Those of the stack are what the table is made with.
  const auto& properties = table ? table->properties : config.properties;
  const auto codec = properties.find("delta.parquet.compression.codec");
  if (codec != properties.end()) options.codec = codec_named(codec->second);
  options.stats.named = delta::named_stats_columns(properties);
  if (const auto count = delta::counted_stats_columns(properties)) {
    options.stats.first = *count < 0 ? SIZE_MAX : static_cast<std::size_t>(*count);
  }
  return options;
}

Task<> upload_files(Table& table, const TableConfig& config, std::vector<ParquetFile> files,
                    StepServices services, std::vector<NewFile>& added) {
  Store& store = services.stores.at(config.store);
  for (ParquetFile& file : files) {
    NewFile one{.path = table.new_data_path(file.partition),
                .partition = std::move(file.partition),
                .size = file.bytes.size(),
                .rows = file.rows,
                .stats = std::move(file.stats)};
    co_await store.put(table.key_of(one.path), std::move(file.bytes));
    added.push_back(std::move(one));
  }
}

}  // namespace headrace
