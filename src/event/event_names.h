#pragma once

#include <string>
#include <string_view>

#include "event/event.h"

namespace headrace {

/// The kind of an EventBridge detail-type; kOther if we do not know it.
EventKind kind_of(std::string_view detail_type);

/// Sets `kind` and `detail_type` from an S3 event name ("ObjectCreated:Put", with or without the
/// "s3:" before it). A name that we do not know becomes the detail-type as it is.
void set_kind(Event& event, std::string_view event_name);

}  // namespace headrace
