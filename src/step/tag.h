#pragma once

#include <memory>

#include "core/object.h"
#include "step/step.h"

namespace headrace {

/// `tag: { processed: "true" }`.
struct TagConfig {
  Tags tags;
};

/// Adds tags to those the object has; a tag of the same name gets the new value. The object's bytes
/// and etag stay. Nothing is written if the tags are there already. Two writers of tags at the same
/// moment may lose one's: stores replace all tags at once and have no condition for it.
///
/// Throws kInvalid without tags or for a tag without a name. `services` outlive the step.
std::unique_ptr<Step> make_tag_step(const TagConfig& config, const StepServices& services);

}  // namespace headrace
