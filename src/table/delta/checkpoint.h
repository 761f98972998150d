#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/bytes.h"
#include "table/delta/action_json.h"
#include "table/delta/table_state.h"

namespace headrace::delta {

/// Reads a Parquet checkpoint, or a part or sidecar of one, and hands over its actions in pieces of
/// bounded size. Statistics that are only there as columns (stats_parsed) come as JSON. Throws
/// kCorrupt for what is no such file. CPU work only.
void read_checkpoint(Bytes parquet, const std::function<void(Commit)>& take);

/// A table's state as one Parquet file of the V1 layout, encoded piece by piece as it is read: a
/// row group for each 16,384 actions, plain encoding, V1 pages, Snappy. `state` outlives it and
/// stays as it is meanwhile.
class CheckpointSource final : public ByteSource {
 public:
  /// Encodes on `cpu` if one is given, else where read() is awaited.
  CheckpointSource(const TableState& state, CpuPool* cpu);
  ~CheckpointSource() override;

  Task<Bytes> read() override;
  /// What the file came to. Once read() has given all.
  const LastCheckpoint& summary() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  CpuPool* cpu_;
};

}  // namespace headrace::delta
