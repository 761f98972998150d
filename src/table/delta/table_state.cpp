#include "table/delta/table_state.h"

#include <fmt/format.h>

#include "core/error.h"
#include "table/delta/features.h"
#include "table/delta/partition.h"
#include "table/delta/schema_json.h"

namespace headrace::delta {
namespace {

constexpr std::int64_t kWeekMs = 7LL * 24 * 3'600 * 1'000;

/// One data file with one state of its rows. The separator cannot be part of a path.
std::string identity(std::string_view path, const std::optional<DeletionVector>& deleted) {
  std::string key = decode_path(path);
  if (deleted) key += '\0' + deleted->unique_id();
  return key;
}

}  // namespace

void TableState::apply(Commit commit) {
  ++version;
  in_commit_timestamp = commit.info ? commit.info->in_commit_timestamp : std::nullopt;
  restore(std::move(commit));
}

void TableState::restore(Commit actions) {
  if (actions.protocol) protocol_ = std::move(actions.protocol);
  if (actions.metadata) set_metadata(std::move(*actions.metadata));
  for (RemoveFile& file : actions.removes) remove(std::move(file));
  for (AddFile& file : actions.adds) add(std::move(file));
  for (Transaction& transaction : actions.transactions) {
    std::string app_id = transaction.app_id;
    transactions_.insert_or_assign(std::move(app_id), std::move(transaction));
  }
  for (DomainMetadata& domain : actions.domains) {
    if (domain.removed) {
      domains_.erase(domain.domain);
    } else {
      std::string name = domain.domain;
      domains_.insert_or_assign(std::move(name), std::move(domain));
    }
  }
  check_limit();
}

void TableState::check_complete(std::string_view where) const {
  if (!protocol_)
    throw Error(ErrorKind::kCorrupt, fmt::format("{}: no protocol in the log", where));
  if (!metadata_)
    throw Error(ErrorKind::kCorrupt, fmt::format("{}: no metaData in the log", where));
}

void TableState::add(AddFile file) {
  std::string key = identity(file.path, file.deletion_vector);
  tombstones_.erase(key);
  files_.insert_or_assign(std::move(key), std::move(file));
}

void TableState::remove(RemoveFile file) {
  std::string key = identity(file.path, file.deletion_vector);
  files_.erase(key);
  tombstones_.insert_or_assign(std::move(key), std::move(file));
}

void TableState::set_metadata(Metadata metadata) {
  schema_ = parse_schema(metadata.schema_string);
  metadata_ = std::move(metadata);
}

void TableState::check_limit() const {
  if (files_.size() + tombstones_.size() <= limit_) return;
  throw Error(
      ErrorKind::kInvalid,
      fmt::format("the table has more than {} files and tombstones, which is the limit here",
                  limit_));
}

void TableState::drop_expired(std::int64_t now_ms) {
  const std::string_view asked = property("delta.deletedFileRetentionDuration");
  // A text that cannot be read keeps everything: a tombstone too many harms nobody.
  const auto tombstones = asked.empty() ? std::optional(kWeekMs) : parse_interval_ms(asked);
  if (tombstones) {
    std::erase_if(tombstones_, [&](const auto& entry) {
      return entry.second.deletion_timestamp.value_or(0) < now_ms - *tombstones;
    });
  }
  const auto transactions = parse_interval_ms(property("delta.setTransactionRetentionDuration"));
  if (transactions) {
    std::erase_if(transactions_, [&](const auto& entry) {
      const auto updated = entry.second.last_updated;
      return updated && *updated < now_ms - *transactions;
    });
  }
}

std::string_view TableState::property(const std::string& name) const {
  const auto found = metadata_->configuration.find(name);
  return found == metadata_->configuration.end() ? std::string_view() : found->second;
}

}  // namespace headrace::delta
