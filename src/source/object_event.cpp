#include "source/object_event.h"

#include <utility>

namespace headrace {
namespace {

/// What set-up and the probes of conditional writes keep in buckets.
constexpr std::string_view kPrivateFolder = ".headrace/";

Event event_of(const EventOrigin& origin, EventKind kind, KeyFields fields, Random& random) {
  Event event;
  event.id = random.uuid();
  event.kind = kind;
  event.detail_type = detail_type_of(kind);
  event.store = origin.store;
  event.origin = origin.source;
  event.producer = origin.producer;
  event.key_fields = std::move(fields);
  return event;
}

}  // namespace

std::optional<KeyFields> match_key(const KeyMatcher& matcher, std::string_view key) {
  if (key.starts_with(kPrivateFolder)) return std::nullopt;
  return matcher ? matcher(key) : KeyFields{};
}

Event created_event(const EventOrigin& origin, ObjectInfo object, KeyFields fields,
                    Random& random) {
  Event event = event_of(origin, EventKind::kCreated, std::move(fields), random);
  event.time = object.modified;
  event.size = object.size;
  event.etag = std::move(object.etag);
  event.object = std::move(object.key);
  return event;
}

Event deleted_event(const EventOrigin& origin, ObjectKey object, KeyFields fields, Time time,
                    Random& random) {
  Event event = event_of(origin, EventKind::kDeleted, std::move(fields), random);
  event.time = time;
  event.object = std::move(object);
  return event;
}

}  // namespace headrace
