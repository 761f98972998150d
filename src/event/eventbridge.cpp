#include "event/dialects.h"
#include "event/event_names.h"
#include "event/producer_rules.h"

namespace headrace {
namespace {

/// moto gives every event this one, from AWS's documentation. As a name of a change it would make
/// all changes of a key one.
constexpr std::string_view kSampleSequencer = "617f08299329d189";

/// "com.amazonaws.s3.ObjectCreated:Put" and "aws.s3.Object Created" without what is before the
/// name. Names have no dots.
std::string_view without_prefix(std::string_view type) {
  const std::size_t dot = type.rfind('.');
  return dot == type.npos ? type : type.substr(dot + 1);
}

void read_detail(const JsonFields& detail, Event& event) {
  const JsonFields bucket = detail.object("bucket");
  event.object.bucket = bucket.text("name");
  const JsonFields object = detail.object("object");
  event.object.path = object.text("key");
  event.size = object.find_count("size");
  // moto spells it as records do.
  const auto told = object.find_text("etag");
  const std::string_view etag = without_quotes(told.value_or(object.text_or_empty("eTag")));
  if (!etag.empty()) event.etag = Etag{std::string(etag)};
  event.version_id = object.text_or_empty("version-id");
  const std::string_view sequencer = object.text_or_empty("sequencer");
  if (sequencer != kSampleSequencer) event.sequencer = aws_sequencer(sequencer);
}

}  // namespace

DecodedEvent decode_bridge_event(const JsonFields& event, Time received) {
  const JsonFields detail = event.object("detail");
  DecodedEvent decoded;
  if (detail.has("producer")) {
    decoded.dialect = Dialect::kHeadrace;
    decoded.event = read_event(event);
    return finished(std::move(decoded));
  }
  decoded.dialect = Dialect::kEventBridge;
  decoded.event.detail_type = event.text("detail-type");
  decoded.event.kind = kind_of(decoded.event.detail_type);
  decoded.event.time = time_of(event.text_or_empty("time")).value_or(received);
  read_detail(detail, decoded.event);
  return finished(std::move(decoded));
}

DecodedEvent decode_bridge_detail(const JsonFields& detail, std::string_view type,
                                  std::optional<Time> time, Time received) {
  DecodedEvent decoded;
  decoded.dialect = Dialect::kEventBridge;
  set_kind(decoded.event, without_prefix(type));
  decoded.event.time = time.value_or(received);
  read_detail(detail, decoded.event);
  return finished(std::move(decoded));
}

}  // namespace headrace
