#include "core/error.h"
#include "event/dialects.h"
#include "event/event_names.h"
#include "event/producer_rules.h"

namespace headrace {
namespace {

Dialect dialect_of(const JsonFields& record) {
  const std::string_view source = record.text("eventSource");
  if (source == "aws:s3") {
    const auto user = record.find_object("userIdentity");
    if (record.text("eventName").starts_with("s3:")) {
      return user && user->has("PrincipalId") ? Dialect::kVersitygw : Dialect::kS3;
    }
    return user || record.has("requestParameters") ? Dialect::kAws : Dialect::kMoto;
  }
  if (source == "minio:s3") return Dialect::kMinio;
  if (source == "rustfs:s3") return Dialect::kRustfs;
  if (source == "ceph:s3") return Dialect::kCeph;
  if (source.ends_with(":s3")) return Dialect::kS3;
  record.fail("eventSource", fmt::format("is no object store: {}", source));
}

void check_version(const JsonFields& record) {
  const auto version = record.find_text("eventVersion");
  if (version && *version != "2" && !version->starts_with("2.")) {
    record.fail("eventVersion", fmt::format("is not 2.x: {}", *version));
  }
}

std::string key_of(std::string_view told, Dialect dialect) {
  const bool raw = dialect == Dialect::kCeph || dialect == Dialect::kVersitygw;
  return raw ? std::string(told) : decode_form_key(told);
}

std::string sequencer_of(std::string_view told, Dialect dialect, std::optional<Time> time) {
  if (told.empty()) return {};
  switch (dialect) {
    case Dialect::kCeph:
      return ceph_sequencer(told);
    case Dialect::kVersitygw:
      return versitygw_sequencer(told, time);
    case Dialect::kMinio:
    case Dialect::kRustfs:
      return number_sequencer(told);
    default:
      return aws_sequencer(told);
  }
}

void read_object(const JsonFields& object, DecodedEvent& decoded, std::optional<Time> time) {
  Event& event = decoded.event;
  event.object.path = key_of(object.text("key"), decoded.dialect);
  event.size = object.find_count("size");
  const std::string_view etag = without_quotes(object.text_or_empty("eTag"));
  if (!etag.empty()) event.etag = Etag{std::string(etag)};
  event.version_id = object.text_or_empty("versionId");
  event.sequencer = sequencer_of(object.text_or_empty("sequencer"), decoded.dialect, time);
}

/// radosgw gives no time to what it announces without having done it.
void distrust(DecodedEvent& decoded) {
  decoded.unproven = true;
  decoded.event.size.reset();
  decoded.event.etag.reset();
  const auto time = time_of_ceph_sequencer(decoded.event.sequencer);
  if (time) decoded.event.time = *time;
}

}  // namespace

DecodedEvent decode_s3_record(const JsonFields& record, Time received) {
  check_version(record);
  DecodedEvent decoded;
  decoded.dialect = dialect_of(record);
  set_kind(decoded.event, record.text("eventName"));
  const auto time = time_of(record.text_or_empty("eventTime"));
  decoded.event.time = time.value_or(received);
  const JsonFields s3 = record.object("s3");
  const JsonFields bucket = s3.object("bucket");
  decoded.event.object.bucket = bucket.text("name");
  const JsonFields object = s3.object("object");
  read_object(object, decoded, time);
  if (!time && decoded.dialect == Dialect::kCeph) distrust(decoded);
  return finished(std::move(decoded));
}

}  // namespace headrace
