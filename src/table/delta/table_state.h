#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "table/delta/actions.h"

namespace headrace::delta {

/// What replaying a log up to one version comes to. Commits are applied in the order of their
/// versions; actions of one checkpoint in any order. The newest word on each (path, deletion
/// vector) counts, whatever its spelling; within one commit an add counts more than a remove.
class TableState {
 public:
  /// More live files and tombstones than `limit` are refused with kInvalid.
  explicit TableState(std::size_t limit) : limit_(limit) {}

  /// The next commit. Throws kCorrupt for a schema that is none; then the state is of no use.
  void apply(Commit commit);
  /// Actions of a checkpoint, in which the order does not matter.
  void restore(Commit actions);
  /// Throws kCorrupt if the log has no protocol or no metadata: then there is no table to tell of.
  void check_complete(std::string_view where) const;

  std::int64_t version = -1;
  Time at;                      ///< When `version` was committed, as time travel counts.
  std::int64_t checkpoint = 0;  ///< The newest that is known of; 0 if there is none.
  /// Of the last commit, if it has one.
  std::optional<std::int64_t> in_commit_timestamp;

  const Protocol& protocol() const { return *protocol_; }
  const Metadata& metadata() const { return *metadata_; }
  const Schema& schema() const { return schema_; }

  using Files = std::unordered_map<std::string, AddFile>;
  using Tombstones = std::unordered_map<std::string, RemoveFile>;
  const Files& files() const { return files_; }
  /// Files that are gone and that older versions may still need. All that the log has; which of
  /// them are past their time is for the writer of a checkpoint to say.
  const Tombstones& tombstones() const { return tombstones_; }
  const std::map<std::string, Transaction>& transactions() const { return transactions_; }
  const std::map<std::string, DomainMetadata>& domains() const { return domains_; }

  /// Forgets tombstones and transactions that are past their time.
  void drop_expired(std::int64_t now_ms);
  /// A property of the table; empty if it is not set.
  std::string_view property(const std::string& name) const;

 private:
  void add(AddFile file);
  void remove(RemoveFile file);
  void set_metadata(Metadata metadata);
  void check_limit() const;

  std::size_t limit_;
  std::optional<Protocol> protocol_;
  std::optional<Metadata> metadata_;
  Schema schema_;
  Files files_;
  Tombstones tombstones_;
  std::map<std::string, Transaction> transactions_;
  std::map<std::string, DomainMetadata> domains_;
};

}  // namespace headrace::delta
