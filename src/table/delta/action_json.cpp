#include "table/delta/action_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "core/error.h"
#include "core/json.h"

namespace headrace::delta {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

/// One JSON object of the log. Throws kCorrupt with the path of what is wrong.
class Reader {
 public:
  Reader(element at, std::string name) : name_(std::move(name)) {
    if (at.get(object_) != simdjson::SUCCESS) fail("is not an object");
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("{}: {}", name_, what));
  }

  std::optional<element> find(std::string_view key) const {
    element at;
    if (object_.at_key(key).get(at) != simdjson::SUCCESS || at.is_null()) return std::nullopt;
    return at;
  }
  std::optional<Reader> find_object(std::string_view key) const {
    const auto at = find(key);
    return at ? std::optional(Reader(*at, path(key))) : std::nullopt;
  }

  template <class T>
  std::optional<T> find_as(std::string_view key) const {
    const auto at = find(key);
    if (!at) return std::nullopt;
    T value{};
    if (at->get(value) != simdjson::SUCCESS) fail_at(key, "has the wrong type");
    return value;
  }
  template <class T>
  T need(std::string_view key) const {
    const auto value = find_as<T>(key);
    if (!value) fail_at(key, "is missing");
    return *value;
  }

  std::string text(std::string_view key) const { return std::string(need<std::string_view>(key)); }
  std::optional<std::string> find_text(std::string_view key) const {
    const auto value = find_as<std::string_view>(key);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  }
  std::optional<std::int64_t> find_number(std::string_view key) const {
    return find_as<std::int64_t>(key);
  }
  std::int32_t number32(std::string_view key) const {
    const std::int64_t value = need<std::int64_t>(key);
    if (value != static_cast<std::int32_t>(value)) fail_at(key, "is out of range");
    return static_cast<std::int32_t>(value);
  }

  NullableTexts nullable_texts() const {
    NullableTexts out;
    for (const auto [key, value] : object_) {
      std::string_view text;
      if (value.is_null()) {
        out.emplace(key, std::nullopt);
      } else if (value.get(text) == simdjson::SUCCESS) {
        out.emplace(key, text);
      } else {
        out.emplace(key, simdjson::minify(value));  // Some writers leave numbers unquoted.
      }
    }
    return out;
  }
  Texts texts() const {
    Texts out;
    for (auto& [key, value] : nullable_texts()) {
      if (value) out.emplace(key, std::move(*value));
    }
    return out;
  }
  std::optional<std::vector<std::string>> find_list(std::string_view key) const {
    const auto array = find_as<simdjson::dom::array>(key);
    if (!array) return std::nullopt;
    std::vector<std::string> out;
    for (const element item : *array) {
      std::string_view text;
      if (item.get(text) != simdjson::SUCCESS) fail_at(key, "holds something that is no string");
      out.emplace_back(text);
    }
    return out;
  }

 private:
  std::string path(std::string_view key) const { return fmt::format("{}: {}", name_, key); }
  [[noreturn]] void fail_at(std::string_view key, std::string_view what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} {}", path(key), what));
  }

  std::string name_;
  object object_;
};

/// A protocol version. Whatever is too large to be one is unsupported anyway.
int version_of(const Reader& reader, std::string_view name) {
  const std::int64_t value = reader.need<std::int64_t>(name);
  return static_cast<int>(std::clamp<std::int64_t>(value, 0, 1'000'000));
}

Protocol read_protocol(const Reader& reader) {
  return {.min_reader_version = version_of(reader, "minReaderVersion"),
          .min_writer_version = version_of(reader, "minWriterVersion"),
          .reader_features = reader.find_list("readerFeatures"),
          .writer_features = reader.find_list("writerFeatures")};
}

Metadata read_metadata(const Reader& reader) {
  Metadata out;
  out.id = reader.text("id");
  out.name = reader.find_text("name");
  out.description = reader.find_text("description");
  if (const auto format = reader.find_object("format")) {
    out.provider = format->find_text("provider").value_or("parquet");
    if (const auto options = format->find_object("options")) out.options = options->texts();
  }
  out.schema_string = reader.text("schemaString");
  out.partition_columns = reader.find_list("partitionColumns").value_or(std::vector<std::string>{});
  if (const auto all = reader.find_object("configuration")) out.configuration = all->texts();
  out.created_time = reader.find_number("createdTime");
  return out;
}

std::optional<DeletionVector> read_deletion_vector(const Reader& reader) {
  const auto at = reader.find_object("deletionVector");
  if (!at) return std::nullopt;
  DeletionVector out;
  out.storage_type = at->text("storageType");
  out.path_or_inline_dv = at->text("pathOrInlineDv");
  if (at->find("offset")) out.offset = at->number32("offset");
  out.size_in_bytes = at->number32("sizeInBytes");
  out.cardinality = at->need<std::int64_t>("cardinality");
  out.max_row_index = at->find_number("maxRowIndex");
  return out;
}

AddFile read_add(const Reader& reader) {
  AddFile out;
  out.path = reader.text("path");
  if (const auto values = reader.find_object("partitionValues")) {
    out.partition_values = values->nullable_texts();
  }
  out.size = reader.need<std::uint64_t>("size");
  out.modification_time = reader.find_number("modificationTime").value_or(0);
  out.data_change = reader.find_as<bool>("dataChange").value_or(true);
  out.stats = reader.find_text("stats").value_or("");
  if (const auto tags = reader.find_object("tags")) out.tags = tags->nullable_texts();
  out.deletion_vector = read_deletion_vector(reader);
  out.base_row_id = reader.find_number("baseRowId");
  out.default_row_commit_version = reader.find_number("defaultRowCommitVersion");
  out.clustering_provider = reader.find_text("clusteringProvider");
  return out;
}

RemoveFile read_remove(const Reader& reader) {
  RemoveFile out;
  out.path = reader.text("path");
  out.deletion_timestamp = reader.find_number("deletionTimestamp");
  out.data_change = reader.find_as<bool>("dataChange").value_or(true);
  if (const auto values = reader.find_object("partitionValues")) {
    out.partition_values = values->nullable_texts();
  }
  out.size = reader.find_as<std::uint64_t>("size");
  if (const auto tags = reader.find_object("tags")) out.tags = tags->nullable_texts();
  out.deletion_vector = read_deletion_vector(reader);
  out.base_row_id = reader.find_number("baseRowId");
  out.default_row_commit_version = reader.find_number("defaultRowCommitVersion");
  return out;
}

CommitInfo read_commit_info(const Reader& reader) {
  // Free form: other writers put other types there, which is no reason to refuse the commit.
  CommitInfo out;
  const auto text = [&](std::string_view key) {
    const auto at = reader.find(key);
    std::string_view value;
    return at && at->get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  const auto number = [&](std::string_view key) -> std::optional<std::int64_t> {
    const auto at = reader.find(key);
    std::int64_t value = 0;
    if (at && at->get(value) == simdjson::SUCCESS) return value;
    return std::nullopt;
  };
  out.timestamp = number("timestamp");
  out.operation = text("operation");
  out.engine_info = text("engineInfo");
  out.txn_id = text("txnId");
  out.in_commit_timestamp = number("inCommitTimestamp");
  if (const auto at = reader.find("operationParameters")) out.parameters = simdjson::minify(*at);
  const auto blind = reader.find("isBlindAppend");
  bool is_blind = false;
  if (blind && blind->get(is_blind) == simdjson::SUCCESS) out.is_blind_append = is_blind;
  return out;
}

void read_action(const Reader& line, Commit& out) {
  if (const auto add = line.find_object("add")) {
    out.adds.push_back(read_add(*add));
  } else if (const auto remove = line.find_object("remove")) {
    out.removes.push_back(read_remove(*remove));
  } else if (const auto txn = line.find_object("txn")) {
    out.transactions.push_back({.app_id = txn->text("appId"),
                                .version = txn->need<std::int64_t>("version"),
                                .last_updated = txn->find_number("lastUpdated")});
  } else if (const auto metadata = line.find_object("metaData")) {
    out.metadata = read_metadata(*metadata);
  } else if (const auto protocol = line.find_object("protocol")) {
    out.protocol = read_protocol(*protocol);
  } else if (const auto domain = line.find_object("domainMetadata")) {
    out.domains.push_back({.domain = domain->text("domain"),
                           .configuration = domain->find_text("configuration").value_or(""),
                           .removed = domain->find_as<bool>("removed").value_or(false)});
  } else if (const auto info = line.find_object("commitInfo")) {
    out.info = read_commit_info(*info);
  } else if (const auto sidecar = line.find_object("sidecar")) {
    out.sidecars.push_back({.path = sidecar->text("path")});
  }
}

void write_texts(JsonWriter& json, std::string_view key, const Texts& texts) {
  json.key(key).begin_object();
  for (const auto& [name, value] : texts) json.key(name).string(value);
  json.end_object();
}

void write_list(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.key(key).begin_array();
  for (const std::string& item : list) json.string(item);
  json.end_array();
}

void write_deletion_vector(JsonWriter& json, const DeletionVector& vector) {
  json.key("deletionVector").begin_object().key("storageType").string(vector.storage_type);
  json.key("pathOrInlineDv").string(vector.path_or_inline_dv);
  if (vector.offset) json.key("offset").number(*vector.offset);
  json.key("sizeInBytes").number(vector.size_in_bytes);
  json.key("cardinality").number(vector.cardinality);
  if (vector.max_row_index) json.key("maxRowIndex").number(*vector.max_row_index);
  json.end_object();
}

std::string line_of(JsonWriter& json) {
  json.end_object().end_object();
  return std::move(json).text() + "\n";
}

}  // namespace

void write_nullable_texts(JsonWriter& json, const NullableTexts& values) {
  json.begin_object();
  for (const auto& [name, value] : values) {
    json.key(name);
    value ? json.string(*value) : json.null();
  }
  json.end_object();
}

Commit parse_commit(BytesView text) {
  Commit out;
  simdjson::dom::parser parser;
  std::uint64_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const BytesView line = text.substr(0, end);
    text.remove_prefix(end == BytesView::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == BytesView::npos) continue;
    const std::string where = fmt::format("line {}", number);
    element document;
    if (const auto error = parser.parse(line.data(), line.size()).get(document)) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: {}", where, simdjson::error_message(error)));
    }
    read_action(Reader(document, where), out);
  }
  return out;
}

std::optional<LastCheckpoint> parse_last_checkpoint(BytesView text) {
  simdjson::dom::parser parser;
  object document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::int64_t version = -1;
  if (document["version"].get(version) != simdjson::SUCCESS || version < 0) return std::nullopt;
  return LastCheckpoint{.version = version};
}

std::string last_checkpoint_json(const LastCheckpoint& hint) {
  JsonWriter json;
  json.begin_object().key("version").number(hint.version).key("size").number(hint.size);
  json.key("sizeInBytes").number(hint.size_in_bytes);
  json.key("numOfAddFiles").number(hint.num_of_add_files).end_object();
  return std::move(json).text();
}

std::string protocol_line(const Protocol& protocol) {
  JsonWriter json;
  json.begin_object().key("protocol").begin_object();
  json.key("minReaderVersion").number(protocol.min_reader_version);
  json.key("minWriterVersion").number(protocol.min_writer_version);
  if (protocol.reader_features) write_list(json, "readerFeatures", *protocol.reader_features);
  if (protocol.writer_features) write_list(json, "writerFeatures", *protocol.writer_features);
  return line_of(json);
}

std::string metadata_line(const Metadata& metadata) {
  JsonWriter json;
  json.begin_object().key("metaData").begin_object();
  json.key("id").string(metadata.id);
  if (metadata.name) json.key("name").string(*metadata.name);
  if (metadata.description) json.key("description").string(*metadata.description);
  json.key("format").begin_object().key("provider").string(metadata.provider);
  write_texts(json, "options", metadata.options);
  json.end_object();
  json.key("schemaString").string(metadata.schema_string);
  write_list(json, "partitionColumns", metadata.partition_columns);
  write_texts(json, "configuration", metadata.configuration);
  if (metadata.created_time) json.key("createdTime").number(*metadata.created_time);
  return line_of(json);
}

std::string add_line(const AddFile& add) {
  JsonWriter json;
  json.begin_object().key("add").begin_object().key("path").string(add.path);
  write_nullable_texts(json.key("partitionValues"), add.partition_values);
  json.key("size").number(add.size).key("modificationTime").number(add.modification_time);
  json.key("dataChange").boolean(add.data_change);
  if (!add.stats.empty()) json.key("stats").string(add.stats);
  return line_of(json);
}

std::string remove_line(const RemoveFile& remove) {
  JsonWriter json;
  json.begin_object().key("remove").begin_object().key("path").string(remove.path);
  if (remove.deletion_timestamp) json.key("deletionTimestamp").number(*remove.deletion_timestamp);
  json.key("dataChange").boolean(remove.data_change);
  if (remove.partition_values && remove.size) {
    json.key("extendedFileMetadata").boolean(true);
    write_nullable_texts(json.key("partitionValues"), *remove.partition_values);
    json.key("size").number(*remove.size);
  }
  if (!remove.tags.empty()) write_nullable_texts(json.key("tags"), remove.tags);
  if (remove.deletion_vector) write_deletion_vector(json, *remove.deletion_vector);
  if (remove.base_row_id) json.key("baseRowId").number(*remove.base_row_id);
  if (remove.default_row_commit_version) {
    json.key("defaultRowCommitVersion").number(*remove.default_row_commit_version);
  }
  return line_of(json);
}

std::string transaction_line(const Transaction& transaction) {
  JsonWriter json;
  json.begin_object().key("txn").begin_object().key("appId").string(transaction.app_id);
  json.key("version").number(transaction.version);
  if (transaction.last_updated) json.key("lastUpdated").number(*transaction.last_updated);
  return line_of(json);
}

}  // namespace headrace::delta
