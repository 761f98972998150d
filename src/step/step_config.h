#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/object.h"
#include "format/lines_to_parquet.h"
#include "stack/values.h"
#include "step/copy.h"
#include "step/delete.h"
#include "step/edit.h"
#include "step/follow.h"
#include "step/move.h"
#include "step/repartition.h"
#include "step/sql.h"
#include "step/tag.h"

namespace headrace::stack {
template <class T>
class Spec;
}  // namespace headrace::stack

namespace headrace {

/// Which columns say where rows come from.
enum class Provenance : unsigned char { kNone, kObject, kLine };

/// `table: people`, or `table: { into: people, rows: { country: [de] }, on_overwrite: replace }`.
struct TableStepConfig : FollowConfig {
  std::string into;
  std::optional<stack::Json> rows;  ///< Pattern of the rows that are wanted.
  Provenance provenance = Provenance::kNone;

  /// Rows have `_object`: asked for, or needed to follow objects.
  bool object_column() const { return any() || provenance != Provenance::kNone; }
  bool line_column() const { return provenance == Provenance::kLine; }
};

/// One entry of a route's `steps:`.
using StepStanza = std::variant<EditConfig, TagConfig, CopyConfig, MoveConfig, DeleteConfig,
                                RepartitionConfig, SqlConfig, TableStepConfig>;

/// Where a step puts objects, spelled out; nullopt if it makes none.
std::optional<TargetConfig> target_of(const StepStanza& step);
/// A `rows:` pattern made ready; empty if there is none. Throws kInvalid for what is no pattern.
RowPredicate rows_wanted(const std::optional<stack::Json>& pattern);
/// The `rows:` of a sink; nullopt if it has none.
std::optional<stack::Json> rows_of(const StepStanza& step);

const stack::Spec<TableStepConfig>& table_step_spec();

/// The table that a sink loads; empty if it loads none.
std::string table_of(const StepStanza& step);

/// Is it a sink, which must be a route's last step?
bool is_sink(const StepStanza& step);

}  // namespace headrace
