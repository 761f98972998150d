#include <array>

#include "event/dialects.h"
#include "event/event_names.h"
#include "event/producer_rules.h"

namespace headrace {
namespace {

EventKind kind_of_action(std::string_view action) {
  static constexpr std::array<std::string_view, 3> kCreating{"PutObject", "CopyObject",
                                                             "CompleteMultipartUpload"};
  for (const std::string_view creating : kCreating) {
    if (action == creating) return EventKind::kCreated;
  }
  const bool deletes = action == "DeleteObject" || action == "LifecycleDeletion";
  return deletes ? EventKind::kDeleted : EventKind::kOther;
}

}  // namespace

DecodedEvent decode_r2_event(const JsonFields& event, Time received) {
  DecodedEvent decoded;
  decoded.dialect = Dialect::kR2;
  const std::string_view action = event.text("action");
  decoded.event.kind = kind_of_action(action);
  const std::string_view known = detail_type_of(decoded.event.kind);
  decoded.event.detail_type = known.empty() ? action : known;
  decoded.event.time = time_of(event.text_or_empty("eventTime")).value_or(received);
  decoded.event.object.bucket = event.text("bucket");
  const JsonFields object = event.object("object");
  decoded.event.object.path = object.text("key");
  decoded.event.size = object.find_count("size");
  const std::string_view etag = without_quotes(object.text_or_empty("eTag"));
  if (!etag.empty()) decoded.event.etag = Etag{std::string(etag)};
  return finished(std::move(decoded));
}

}  // namespace headrace
