#pragma once

#include <memory>

#include "step/step.h"
#include "step/target.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `move: { to: "analyzed/{filename}" }`.
struct MoveConfig : TargetConfig {
  bool overwrite = false;  ///< Replace an object that is not this task's; else that fails.
};

const stack::Spec<MoveConfig>& move_spec();

/// Copies the object with its metadata and tags, then deletes it; the task goes on with the moved
/// object. Cut short anywhere, a second run comes to the same end: it finds the copy by the marks
/// on it and only deletes, or finds the object gone and the copy there.
///
/// A target that holds other bytes, not made by this task, is kept: the run throws kInvalid. One
/// with the same bytes counts as the copy. An object that changes meanwhile is not deleted.
///
/// Throws kInvalid for a template that KeyTemplate refuses; `services` outlive the step. Its runs
/// throw kInvalid if the object lacks a field, or would be moved onto itself.
std::unique_ptr<Step> make_move_step(const MoveConfig& config, const StepServices& services);

}  // namespace headrace
