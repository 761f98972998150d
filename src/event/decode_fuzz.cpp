// Any bytes, with and without attributes: there is an answer, and each event in it is written and
// read back the same, also as a message of our own form.
#include <cstdint>
#include <cstdlib>

#include "core/utf8.h"
#include "event/decode.h"
#include "event/identity.h"

namespace {

using namespace headrace;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const DecodedEvent& decoded) {
  const Event& event = decoded.event;
  require(!event.object.bucket.empty() && !event.object.path.empty() && !event.id.empty());
  require(is_utf8(event.object.path) && is_utf8(event.detail_type));
  const std::string json = to_json(event);
  require(event_from_json(json) == event);
  if (event.producer.empty()) return;
  const Decoded again = decode_message({json, {}, {}});
  const auto* events = std::get_if<Events>(&again);
  require(events != nullptr && events->bad.empty() && events->events.size() == 1);
  require(events->events[0].event == event);
  require(identity_of(events->events[0].event).change == identity_of(event).change);
}

/// The first line holds attributes, `name=value` and tabs between; the rest is the body.
Attributes take_attributes(std::string_view& text) {
  Attributes attributes;
  if (!text.starts_with('#')) return attributes;
  std::string_view line = text.substr(1, text.find('\n') - 1);
  text.remove_prefix(std::min(line.size() + 2, text.size()));
  while (!line.empty()) {
    const std::string_view one = line.substr(0, line.find('\t'));
    line.remove_prefix(std::min(one.size() + 1, line.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    attributes.emplace_back(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
  }
  return attributes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view body(reinterpret_cast<const char*>(data), size);
  const Attributes attributes = take_attributes(body);
  const DecodeLimits limits{.bytes = 64 << 10, .records = 100};
  const Decoded decoded = decode_message({body, attributes, Time(std::chrono::seconds(1))}, limits);
  if (const auto* events = std::get_if<Events>(&decoded)) {
    for (const DecodedEvent& event : events->events) check(event);
    for (const BadRecord& bad : events->bad) {
      require(!bad.reason.empty() && !bad.raw.empty() && is_utf8(bad.raw));
    }
    require(events->events.size() + events->bad.size() <= limits.records);
  } else if (const auto* no = std::get_if<NoEvent>(&decoded)) {
    require(!no->reason.empty());
  }
  return 0;
}
