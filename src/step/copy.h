#pragma once

#include <memory>

#include "step/step.h"
#include "step/target.h"

namespace headrace {

namespace stack {
template <class T>
class Spec;
}  // namespace stack

/// `copy: { to: "archive/{key...}", bucket: cold }`.
struct CopyConfig : TargetConfig {};

const stack::Spec<CopyConfig>& copy_spec();

/// Copies the object with its metadata and tags, over what the target's key holds. The task goes on
/// with the object it had. A second run finds its copy by the marks on it and writes nothing.
///
/// Throws kInvalid for a template that KeyTemplate refuses; `services` outlive the step. Its runs
/// throw kInvalid if the object lacks a field, or would be copied onto itself.
std::unique_ptr<Step> make_copy_step(const CopyConfig& config, const StepServices& services);

}  // namespace headrace
