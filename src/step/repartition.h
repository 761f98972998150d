#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "format/compression.h"
#include "format/lines_to_parquet.h"
#include "stack/values.h"
#include "step/step.h"
#include "step/target.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `repartition: { to: "lake://out/by_type/{event_type}/dt={date}/{uuid}.jsonl.zst" }`. The fields
/// of `to` are fields of the row, nested ones behind dots, and where the row has none, fields of
/// its object's key; `uuid` is the batch's own.
struct RepartitionConfig : TargetConfig {
  std::optional<Compression> codec;  ///< Else as the name says: .gz, .zst, or none.
  std::string missing;               ///< Stands for a field that is not there; empty: a dead line.
  std::optional<stack::Json> rows;   ///< Pattern of the rows that are wanted.
  std::uint64_t bytes = 128u << 20;  ///< A batch is made once its objects come to this,
  Duration every = std::chrono::minutes(1);  ///< or its oldest task has waited this long,
  std::size_t tasks = 100'000;               ///< or this many are gathered.
  std::size_t objects = 10'000;              ///< Most objects that a batch becomes.
  std::uint64_t memory = 64u << 20;          ///< Rows held in memory while they are sorted.
};

const stack::Spec<RepartitionConfig>& repartition_spec();

/// The sink that turns many objects of JSON lines into few, by values in the rows. Each row comes
/// through byte for byte and ends in exactly one object:
///
///   prepare   The rows are sorted onto piles by the key they belong to, then written one after
///             another, packed, into one file under `folder`, which is fsynced. Keys hold the
///             batch's uuid, so no two batches share one.
///   plan      names that file and, for each object, its key and its part of the file.
///   commit    puts each part under its key; a store shows an object only once it is whole.
///
/// Once the plan is in the ledger the batch is carried to its end, also by the next process, from
/// that file and under those keys. Until then nothing of it can be seen.
///
/// What cannot be sorted (no JSON object; a field that is missing, or that no key can hold) is a
/// dead line. Deletions and the sink's own objects are skipped, gone and changed objects too.
///
/// `keep` may be empty; `folder` belongs to this sink and holds leftovers only until its first
/// batch. Throws kInvalid for a template that KeyTemplate refuses.
std::unique_ptr<Sink> make_repartition_sink(const RepartitionConfig& config, std::string route,
                                            RowPredicate keep, std::filesystem::path folder,
                                            StepServices services);

}  // namespace headrace
