#pragma once

#include <memory>

#include "step/step.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `delete: {}`.
struct DeleteConfig {};

const stack::Spec<DeleteConfig>& delete_spec();

/// Deletes the object if it still holds the bytes the task is about; an object that is gone is
/// done. `services` outlive the step.
std::unique_ptr<Step> make_delete_step(const DeleteConfig& config, const StepServices& services);

}  // namespace headrace
