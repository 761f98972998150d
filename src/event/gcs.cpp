#include "event/dialects.h"
#include "event/event_names.h"
#include "event/producer_rules.h"

namespace headrace {
namespace {

/// An overwrite is told twice: the new generation is finalized, and the old one is deleted (or
/// archived, where versions are kept). The second leaves the key in place, so it is no deletion.
EventKind kind_of_gcs(const GcsWords& words) {
  if (words.event_type == "OBJECT_FINALIZE") return EventKind::kCreated;
  const bool takes_away =
      words.event_type == "OBJECT_DELETE" || words.event_type == "OBJECT_ARCHIVE";
  return takes_away && !words.overwritten ? EventKind::kDeleted : EventKind::kOther;
}

/// The md5 is the etag that the S3 interface gives; the resource's own etag is another thing.
/// Composite objects have no md5, so their etag is not known here.
void read_resource(const JsonFields& resource, Event& event) {
  event.size = resource.find_count("size");
  const auto md5 = resource.find_text("md5Hash");
  if (!md5) return;
  auto etag = base64_to_hex(*md5);
  if (!etag) resource.fail("md5Hash", "is not base64");
  event.etag = Etag{std::move(*etag)};
}

}  // namespace

DecodedEvent decode_gcs_event(const GcsWords& words, const JsonFields* resource, Time received) {
  DecodedEvent decoded;
  decoded.dialect = Dialect::kGcs;
  Event& event = decoded.event;
  event.kind = kind_of_gcs(words);
  const std::string_view known = detail_type_of(event.kind);
  event.detail_type = known.empty() ? words.event_type : known;
  event.object = {std::string(words.bucket), std::string(words.object)};
  event.version_id = words.generation;
  event.sequencer = gcs_sequencer(words.generation);
  event.time = time_of(words.time).value_or(received);
  if (resource != nullptr) read_resource(*resource, event);
  return finished(std::move(decoded));
}

}  // namespace headrace
