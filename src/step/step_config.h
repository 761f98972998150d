#pragma once

#include <string>
#include <variant>

#include "core/object.h"
#include "step/copy.h"
#include "step/delete.h"
#include "step/edit.h"
#include "step/move.h"
#include "step/tag.h"

namespace headrace {

/// `table: people`.
struct TableStepConfig {
  std::string name;
};

/// One entry of a route's `steps:`.
using StepStanza =
    std::variant<EditConfig, TagConfig, CopyConfig, MoveConfig, DeleteConfig, TableStepConfig>;

}  // namespace headrace
