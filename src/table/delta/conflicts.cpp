#include "table/delta/conflicts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "table/delta/partition.h"

namespace headrace::delta {
namespace {

/// The value as we would spell it; what another writer spelled past understanding stays as it is.
std::optional<std::string> normal_or_same(const std::string& column, const Schema& schema,
                                          const std::optional<std::string>& value) {
  const Field* field = schema.find(column);
  if (field == nullptr) return value;
  try {
    return normal_partition_value(column, field->type, value);
  } catch (const Error&) {
    return value;
  }
}

bool reads(const Footing& footing, const std::optional<PartitionValues>& partition) {
  switch (footing.read.kind) {
    case ReadScope::Kind::kNothing:
      return false;
    case ReadScope::Kind::kPartitions:
      // A remove in the short form does not say where the file was: it may have been anywhere.
      return !partition || lies_in(*partition, footing.read.partitions, footing.schema);
    case ReadScope::Kind::kTable:
      return true;
  }
  std::unreachable();
}

std::optional<std::string> conflicting_remove(const Commit& winner, const Footing& footing,
                                              const std::set<std::string>& later) {
  for (const RemoveFile& file : winner.removes) {
    const std::string path = decode_path(file.path);
    if (footing.removed.contains(path)) {
      return fmt::format("it removed {}, which is to be removed", path);
    }
    if (later.contains(path) && footing.read.kind != ReadScope::Kind::kNothing) {
      return fmt::format("it rewrote {}, which came after the table was read", path);
    }
    if (file.data_change && reads(footing, file.partition_values)) {
      return fmt::format("it removed {}, whose rows were read", path);
    }
  }
  return std::nullopt;
}

std::optional<std::string> conflicting_add(const Commit& winner, const Footing& footing) {
  const bool blind = winner.info && winner.info->is_blind_append.value_or(false);
  if (blind && !footing.serializable) return std::nullopt;
  for (const AddFile& file : winner.adds) {
    if (!file.data_change || !reads(footing, file.partition_values)) continue;
    return fmt::format("it added {}, whose rows were not there when the table was read",
                       decode_path(file.path));
  }
  return std::nullopt;
}

}  // namespace

bool lies_in(const PartitionValues& file, const std::vector<PartitionValues>& partitions,
             const Schema& schema) {
  return std::ranges::any_of(partitions, [&](const PartitionValues& partition) {
    return std::ranges::all_of(partition, [&](const auto& wanted) {
      const auto held = file.find(wanted.first);
      const auto value = held == file.end() ? std::optional<std::string>() : held->second;
      return normal_or_same(wanted.first, schema, value) == wanted.second;
    });
  });
}

std::optional<std::string> conflict_with(const Commit& winner, const Footing& footing,
                                         const std::set<std::string>& later) {
  if (winner.metadata) return "it changed the table's columns or properties";
  for (const Transaction& transaction : winner.transactions) {
    if (!footing.app_id.empty() && transaction.app_id == footing.app_id) {
      return fmt::format("it is by the same application, {}", footing.app_id);
    }
  }
  if (auto why = conflicting_remove(winner, footing, later)) return why;
  return conflicting_add(winner, footing);
}

}  // namespace headrace::delta
