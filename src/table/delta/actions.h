#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "table/table.h"

namespace headrace::delta {

/// String maps of the log: options, configuration, tags.
using Texts = std::map<std::string, std::string>;
using NullableTexts = std::map<std::string, std::optional<std::string>>;

// What a Delta log says, one struct per action. Names follow PROTOCOL.md; times are milliseconds
// since 1970, as there. Paths are as the log spells them: URI-escaped.

struct Protocol {
  int min_reader_version = 1;
  int min_writer_version = 2;
  std::optional<std::vector<std::string>> reader_features;  ///< Set exactly with reader version 3.
  std::optional<std::vector<std::string>> writer_features;  ///< Set exactly with writer version 7.

  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::string provider = "parquet";
  Texts options;
  std::string schema_string;
  std::vector<std::string> partition_columns;
  Texts configuration;
  std::optional<std::int64_t> created_time;
};

struct AddFile {
  std::string path;
  PartitionValues partition_values;
  std::uint64_t size = 0;
  std::int64_t modification_time = 0;
  bool data_change = true;
  std::string stats;  ///< Empty: none.
  NullableTexts tags;
  std::optional<DeletionVector> deletion_vector;
  std::optional<std::int64_t> base_row_id;
  std::optional<std::int64_t> default_row_commit_version;
  std::optional<std::string> clustering_provider;
};

struct RemoveFile {
  std::string path;
  std::optional<std::int64_t> deletion_timestamp;
  bool data_change = true;
  std::optional<PartitionValues> partition_values;  ///< Set in the extended form, with `size`.
  std::optional<std::uint64_t> size;
  NullableTexts tags;
  std::optional<DeletionVector> deletion_vector;
  std::optional<std::int64_t> base_row_id;
  std::optional<std::int64_t> default_row_commit_version;
};

struct Transaction {
  std::string app_id;
  std::int64_t version = 0;
  std::optional<std::int64_t> last_updated;
};

struct DomainMetadata {
  std::string domain;
  std::string configuration;
  bool removed = false;
};

struct CommitInfo {
  std::optional<std::int64_t> timestamp;
  std::string operation;
  std::string parameters;  ///< A JSON object; empty if there is none.
  std::string engine_info;
  std::string txn_id;
  std::optional<bool> is_blind_append;
  std::optional<std::int64_t> in_commit_timestamp;
};

/// A file below `_delta_log/_sidecars/` that holds actions of a V2 checkpoint.
struct Sidecar {
  std::string path;
};

/// The actions of one commit, or of part of a checkpoint. Unknown ones are left out.
struct Commit {
  std::optional<CommitInfo> info;
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  std::vector<Transaction> transactions;
  std::vector<DomainMetadata> domains;
  std::vector<Sidecar> sidecars;
};

/// numRecords of a file's statistics; nullopt if they do not say.
std::optional<std::uint64_t> rows_of(const AddFile& add);

}  // namespace headrace::delta
