#include "table/delta/features.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/size.h"
#include "table/delta/schema_merge.h"

namespace headrace::delta {
namespace {

constexpr std::string_view kNtz = "timestampNtz";

/// Reader features with which reading is right. Deletion vectors and column mapping are on the list
/// because a table may list them without using them; use is looked at on its own.
constexpr std::array<std::string_view, 6> kReadable = {
    "timestampNtz",    "v2Checkpoint",  "vacuumProtocolCheck",
    "deletionVectors", "columnMapping", "typeWidening",
};
/// Writer features that an append of whole files keeps by doing nothing, or whose use is looked at
/// on its own.
constexpr std::array<std::string_view, 14> kAppendable = {
    "appendOnly",       "invariants",          "timestampNtz",    "vacuumProtocolCheck",
    "domainMetadata",   "v2Checkpoint",        "changeDataFeed",  "inCommitTimestamp",
    "checkConstraints", "generatedColumns",    "identityColumns", "columnMapping",
    "deletionVectors",  "allowColumnDefaults",
};

struct Implied {
  int since;  ///< The first writer version that implies it.
  std::string_view feature;
};
constexpr std::array kImpliedByWriter = {
    Implied{2, "appendOnly"},      Implied{2, "invariants"},       Implied{3, "checkConstraints"},
    Implied{4, "changeDataFeed"},  Implied{4, "generatedColumns"}, Implied{5, "columnMapping"},
    Implied{6, "identityColumns"},
};

/// Keys in a field's metadata that bind who writes the column, and the feature's name.
struct Binding {
  std::string_view key;
  std::string_view feature;
};
constexpr std::array kBindings = {
    Binding{"\"delta.invariants\"", "invariants"},
    Binding{"\"delta.generationExpression\"", "generatedColumns"},
    Binding{"\"delta.identity.", "identityColumns"},
    Binding{"\"CURRENT_DEFAULT\"", "allowColumnDefaults"},
};

[[noreturn]] void refuse(std::string_view where, std::string_view verb, std::string_view feature) {
  throw Error(ErrorKind::kInvalid, fmt::format("{}: cannot {} this table: it uses '{}', which is "
                                               "not supported",
                                               where, verb, feature));
}

template <std::size_t N>
void check_list(std::string_view where, std::string_view verb,
                const std::optional<std::vector<std::string>>& features,
                const std::array<std::string_view, N>& known) {
  for (const std::string& feature : features.value_or(std::vector<std::string>{})) {
    if (std::ranges::find(known, feature) == known.end()) refuse(where, verb, feature);
  }
}

std::string_view property(const Metadata& metadata, const std::string& name) {
  const auto found = metadata.configuration.find(name);
  return found == metadata.configuration.end() ? std::string_view() : found->second;
}

bool is_whole(std::string_view text, std::int64_t least) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && value >= least;
}

/// Properties that a table can be given, each with what its value must be.
struct PropertyRule {
  std::string_view name;
  std::string_view takes;
  bool (*allows)(std::string_view);
};
bool is_boolean(std::string_view text) { return text == "true" || text == "false"; }
bool is_interval(std::string_view text) { return parse_interval_ms(text).has_value(); }
bool is_count(std::string_view text) { return is_whole(text, 1); }
bool is_size(std::string_view text) { return parse_size(text).value_or(0) > 0; }
bool is_codec(std::string_view text) {
  return text == "zstd" || text == "snappy" || text == "none" || text == "uncompressed";
}
constexpr std::string_view kInterval = "an interval such as 'interval 7 days'";
constexpr std::array kProperties = {
    PropertyRule{"delta.appendOnly", "true or false", is_boolean},
    PropertyRule{"delta.checkpointInterval", "a number of commits", is_count},
    PropertyRule{"delta.logRetentionDuration", kInterval, is_interval},
    PropertyRule{"delta.enableExpiredLogCleanup", "true or false", is_boolean},
    PropertyRule{"delta.deletedFileRetentionDuration", kInterval, is_interval},
    PropertyRule{"delta.setTransactionRetentionDuration", kInterval, is_interval},
    PropertyRule{"delta.dataSkippingNumIndexedCols", "a number of columns, -1 for all",
                 [](std::string_view text) { return is_whole(text, -1); }},
    PropertyRule{"delta.dataSkippingStatsColumns", "columns",
                 [](std::string_view text) { return !text.empty(); }},
    PropertyRule{"delta.isolationLevel", "Serializable or WriteSerializable",
                 [](std::string_view text) {
                   return text == "Serializable" || text == "WriteSerializable";
                 }},
    PropertyRule{"delta.parquet.compression.codec", "zstd, snappy or none", is_codec},
    PropertyRule{"delta.targetFileSize", "a number of bytes", is_size},
};

/// Calls `visit` for every field of the schema, nested ones included.
template <class Visit>
void for_each_field(const std::vector<Field>& fields, const Visit& visit) {
  for (const Field& field : fields) {
    visit(field);
    for_each_field(field.type.fields, visit);
  }
}

void add_feature(std::vector<std::string>& features, std::string_view feature) {
  if (std::ranges::find(features, feature) == features.end()) features.emplace_back(feature);
}

}  // namespace

std::string wrong_to_unset(std::string_view name) {
  if (!name.starts_with("delta.")) return "";
  const auto known = std::ranges::find(kProperties, name, &PropertyRule::name);
  if (known != kProperties.end()) return "";
  std::string names;
  for (const PropertyRule& each : kProperties) {
    names += (names.empty() ? "" : ", ") + std::string(each.name);
  }
  return fmt::format("there is no property {}, or it is not supported; there are: {}", name, names);
}

std::string wrong_properties(const Texts& properties) {
  for (const auto& [name, value] : properties) {
    if (!name.starts_with("delta.")) continue;
    if (std::string unknown = wrong_to_unset(name); !unknown.empty()) return unknown;
    const auto rule = std::ranges::find(kProperties, name, &PropertyRule::name);
    if (!rule->allows(value)) {
      return fmt::format("property {} is '{}', and takes {}", name, value, rule->takes);
    }
  }
  return "";
}

ColumnMapping column_mapping_of(const Metadata& metadata) {
  const std::string_view mode = property(metadata, "delta.columnMapping.mode");
  if (mode == "name") return ColumnMapping::kName;
  if (mode == "id") return ColumnMapping::kId;
  return ColumnMapping::kNone;
}

namespace {

std::vector<Field> with_column_ids(std::vector<Field> fields) {
  simdjson::dom::parser parser;
  for (Field& field : fields) {
    simdjson::dom::element metadata;
    std::int64_t id = 0;
    if (parser.parse(field.metadata).get(metadata) == simdjson::SUCCESS &&
        metadata["delta.columnMapping.id"].get(id) == simdjson::SUCCESS) {
      field.field_id = static_cast<int>(id);
    }
    field.type.fields = with_column_ids(std::move(field.type.fields));
  }
  return fields;
}

}  // namespace

Schema with_column_ids(const Schema& schema) { return {.fields = with_column_ids(schema.fields)}; }

void check_readable(std::string_view where, const Protocol& protocol, const Metadata& metadata,
                    const Schema& schema) {
  if (protocol.min_reader_version > 3) {
    refuse(where, "read", fmt::format("reader version {}", protocol.min_reader_version));
  }
  if (protocol.min_reader_version == 3) {
    check_list(where, "read", protocol.reader_features, kReadable);
  }
  const std::string_view mode = property(metadata, "delta.columnMapping.mode");
  if (!mode.empty() && mode != "none" && mode != "name" && mode != "id") {
    refuse(where, "read", fmt::format("columnMapping in mode {}", mode));
  }
  if (metadata.provider != "parquet") {
    refuse(where, "read", fmt::format("data files of format {}", metadata.provider));
  }
  for_each_field(schema.fields, [&](const Field& field) {
    if (field.metadata.contains("\"delta.typeChanges\"")) refuse(where, "read", "typeWidening");
  });
}

void check_appendable(std::string_view where, const Protocol& protocol, const Metadata& metadata,
                      const Schema& schema) {
  static constexpr std::string_view kVerb = "append to";
  if (protocol.min_writer_version > 7) {
    refuse(where, kVerb, fmt::format("writer version {}", protocol.min_writer_version));
  }
  if (protocol.min_writer_version == 7) {
    check_list(where, kVerb, protocol.writer_features, kAppendable);
  }
  if (column_mapping_of(metadata) != ColumnMapping::kNone) refuse(where, kVerb, "columnMapping");
  for (const auto& [name, value] : metadata.configuration) {
    if (name.starts_with("delta.constraints.")) refuse(where, kVerb, "checkConstraints");
  }
  for_each_field(schema.fields, [&](const Field& field) {
    for (const Binding& binding : kBindings) {
      if (field.metadata.contains(binding.key)) refuse(where, kVerb, binding.feature);
    }
  });
}

Protocol protocol_for(const Schema& schema, const Protocol& current) {
  if (!uses_type(schema, TypeKind::kTimestampNtz)) return current;
  Protocol next = current;
  std::vector<std::string> readers = next.reader_features.value_or(std::vector<std::string>{});
  std::vector<std::string> writers = next.writer_features.value_or(std::vector<std::string>{});
  if (current.min_writer_version < 7) {
    for (const auto& [since, feature] : kImpliedByWriter) {
      if (current.min_writer_version >= since) add_feature(writers, feature);
    }
  }
  // A reader feature must be on both lists, and column mapping is the only one that was implied.
  if (current.min_reader_version == 2) {
    add_feature(readers, "columnMapping");
    add_feature(writers, "columnMapping");
  }
  add_feature(readers, kNtz);
  add_feature(writers, kNtz);
  next.min_reader_version = 3;
  next.min_writer_version = 7;
  next.reader_features = std::move(readers);
  next.writer_features = std::move(writers);
  return next;
}

Protocol protocol_for(const Texts& properties, Protocol current) {
  const auto append_only = properties.find("delta.appendOnly");
  if (append_only == properties.end() || append_only->second != "true") return current;
  if (current.min_writer_version < 2) current.min_writer_version = 2;
  // From version 7 on a writer heeds what is listed, and nothing else.
  if (current.writer_features) add_feature(*current.writer_features, "appendOnly");
  return current;
}

bool in_commit_timestamps_on(const Protocol& protocol, const Metadata& metadata) {
  const std::vector<std::string> features =
      protocol.writer_features.value_or(std::vector<std::string>{});
  return std::ranges::find(features, "inCommitTimestamp") != features.end() &&
         property(metadata, "delta.enableInCommitTimestamps") == "true";
}

std::optional<std::int64_t> parse_interval_ms(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr std::array kUnits = {
      Unit{"millisecond", 1},  Unit{"second", 1'000},   Unit{"minute", 60'000},
      Unit{"hour", 3'600'000}, Unit{"day", 86'400'000}, Unit{"week", 604'800'000},
  };
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (!words.empty() && words.front() == "interval") words.erase(words.begin());
  if (words.empty() || words.size() > 12 || words.size() % 2 != 0) return std::nullopt;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    std::int64_t count = 0;
    const char* end = words[i].data() + words[i].size();
    const auto parsed = std::from_chars(words[i].data(), end, count);
    std::string_view name = words[i + 1];
    if (name.ends_with('s')) name.remove_suffix(1);
    const auto unit = std::ranges::find(kUnits, name, &Unit::name);
    if (parsed.ec != std::errc() || parsed.ptr != end || count < 0 || count > 1'000'000'000 ||
        unit == kUnits.end()) {
      return std::nullopt;
    }
    total += count * unit->ms;
  }
  return total;
}

}  // namespace headrace::delta
