#pragma once

#include <optional>
#include <string_view>

#include "event/decode.h"
#include "event/json_fields.h"

namespace headrace {

// One record of each dialect. All throw kCorrupt if it is no event, naming the field. `record` is
// left for the caller.

/// S3 event records: AWS and all who write like it. The producer follows from eventSource and, for
/// those who call themselves aws:s3, from what only they do.
DecodedEvent decode_s3_record(const JsonFields& record, Time received);

/// EventBridge, and our own form, which is the same with `detail.producer`.
DecodedEvent decode_bridge_event(const JsonFields& event, Time received);
/// Only the detail of one, in a CloudEvent that says the rest. `type` is a detail-type or an S3
/// event name, with or without a prefix ("com.amazonaws.s3.").
DecodedEvent decode_bridge_detail(const JsonFields& detail, std::string_view type,
                                  std::optional<Time> time, Time received);

DecodedEvent decode_r2_event(const JsonFields& event, Time received);

/// What Google says beside the object's resource: Pub/Sub attributes or a CloudEvent's.
struct GcsWords {
  std::string_view event_type;  ///< "OBJECT_FINALIZE" ...
  std::string_view bucket;
  std::string_view object;
  std::string_view generation;
  std::string_view time;
  bool overwritten = false;  ///< The old generation of a key that holds a newer one.
};
/// `resource` is nullptr if the notification has no payload.
DecodedEvent decode_gcs_event(const GcsWords& words, const JsonFields* resource, Time received);

/// The last step of each: checks the names, sets producer and id, and takes away what a deletion
/// says of the object that was there.
DecodedEvent finished(DecodedEvent decoded);

/// Our own JSON form. `event` may lack nothing that event_from_json() needs.
Event read_event(const JsonFields& event);

/// The 32 digits of an id that follows from what happened, as a UUID of version 8.
std::string id_of(const Event& event);

}  // namespace headrace
