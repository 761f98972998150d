#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/key_template.h"
#include "core/object.h"

namespace headrace {

/// What happened. The names are EventBridge's detail-types.
enum class EventKind : unsigned char { kCreated, kDeleted, kTagsChanged, kOther };

/// Something happened to an object. Every producer's dialect is decoded into this at the edge.
///
/// Its JSON form is EventBridge's "Object Created" shape, so that patterns written for EventBridge
/// work as they are:
///   {"version":"0","id":..,"detail-type":"Object Created","source":"aws.s3","time":..,
///    "detail":{"version":"0","bucket":{"name":..},
///              "object":{"key":..,"size":..,"etag":..,"version-id":..,"sequencer":..},
///              "store":..,"origin":..,"producer":..,"key_fields":{..},
///              "line":{"number":..,"text":..}}}
/// Absent optionals and empty texts are left out. `source` is always "aws.s3", whatever the
/// producer was. A line that is no UTF-8 stands as "base64" instead of "text", so that no byte is
/// lost.
struct Event {
  std::string id;  ///< Unique; a UUID.
  EventKind kind = EventKind::kCreated;
  std::string detail_type;  ///< "Object Created", ...; for kOther what the producer said.
  Time time;                ///< When it happened, by the producer's clock.
  std::string store;        ///< Name of the stack's store.
  std::string origin;       ///< Name of the stack's source it came through.
  ObjectKey object;         ///< Decoded key.
  std::optional<std::uint64_t> size;
  std::optional<Etag> etag;
  std::string version_id;  ///< Empty if the store has no versions.
  std::string sequencer;   ///< Greater is newer, for one key of one producer; may be empty.
  std::string producer;    ///< "watch", "listing", or a dialect of event/decode.h: "minio", ...
  KeyFields key_fields;

  /// Set on a dead letter made of one line of an object, so that a redrive brings just that line.
  struct Line {
    std::uint64_t number = 0;  ///< From 1.
    std::string text;          ///< The bytes of the line, without its end.
    bool operator==(const Line&) const = default;
  };
  std::optional<Line> line;

  bool operator==(const Event&) const = default;
};

/// "Object Created", "Object Deleted", "Object Tags Added"; empty for kOther.
std::string_view detail_type_of(EventKind kind);

/// One line of JSON as above. An empty detail_type is written as that of the kind.
std::string to_json(const Event& event);
/// The reverse. `kind` follows from the detail-type. id, detail-type, time, bucket and key must be
/// there; unknown fields are ignored. Throws kCorrupt naming what is missing or wrong.
Event event_from_json(std::string_view json);

}  // namespace headrace
