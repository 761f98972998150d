#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "step/step.h"
#include "store/store.h"

namespace headrace {

/// Metadata that says for what a step made an object, beside kWrittenBy: the hash of the object's
/// own bucket and key (so that a copy made by someone else is nobody's), the hash of the event's
/// id, then one number for each effect of the task that is in the bytes; 16 hexadecimal digits
/// each.
inline constexpr std::string_view kWrittenFor = "headrace-for";

/// What the marks on an object mean to a task.
struct OwnMarks {
  bool by_route = false;               ///< This task's route made the object, under this key.
  bool by_task = false;                ///< This very task did, in this run or an earlier one.
  std::vector<std::uint64_t> effects;  ///< If by_task: in the order they were done.

  bool has(std::uint64_t effect) const;
};

OwnMarks own_marks(const ObjectInfo& object, const TaskContext& context);

/// Puts this task's marks over those that an object brought along.
void mark_own(Metadata& metadata, const ObjectKey& key, const TaskContext& context,
              const std::vector<std::uint64_t>& effects);

/// The same for an object that a sink of the route makes out of many.
void mark_sink_output(Metadata& metadata, const ObjectKey& key, const std::string& route);
bool is_sink_output(const ObjectInfo& object, const std::string& route);

/// The store the task's object is in.
const std::string& store_name(const TaskContext& context);

/// Why the task must leave the object alone: it holds other bytes than the task expects
/// (kSuperseded), or the event tells of this route's own write (kSkipped). nullopt: go on.
std::optional<StepResult> hands_off(const ObjectInfo& object, const TaskContext& context);

/// Removes the object if it still holds `etag`.
enum class Removal : unsigned char { kRemoved, kGone, kChanged };
Task<Removal> remove_unchanged(Store& store, ObjectKey key, Etag etag);

}  // namespace headrace
