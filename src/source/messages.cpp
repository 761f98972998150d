#include "source/messages.h"

#include <array>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::array<std::string_view, 4> kReasonNames = {"other_bucket", "other_key", "too_old",
                                                          "never_happened"};

}  // namespace

MessageReader::MessageReader(MessageOptions options, Store& store, KeyMatcher matcher, Clock& clock,
                             const Log& log)
    : options_(std::move(options)),
      store_(store),
      matcher_(std::move(matcher)),
      clock_(clock),
      log_(log) {}

Task<ReadMessage> MessageReader::read(std::string body, Attributes attributes) {
  ++messages_;
  Decoded decoded = decode_message({body, attributes, clock_.now()}, options_.limits);
  ReadMessage read;
  if (auto* none = std::get_if<NoEvent>(&decoded)) {
    read.garbage.push_back({std::move(none->reason), std::move(body)});
  } else if (auto* handshake = std::get_if<SnsHandshake>(&decoded)) {
    read.handshake = std::move(*handshake);
  } else if (std::holds_alternative<TestEvent>(decoded)) {
    ++test_events_;
  } else {
    auto& events = std::get<Events>(decoded);
    for (DecodedEvent& one : events.events) {
      if (co_await take(one)) read.events.push_back(std::move(one.event));
    }
    for (BadRecord& bad : events.bad) {
      read.garbage.push_back({fmt::format("record {} of the message: {}", bad.record, bad.reason),
                              std::move(bad.raw)});
    }
  }
  co_return read;
}

Task<bool> MessageReader::take(DecodedEvent& decoded) {
  Event& event = decoded.event;
  if (!options_.bucket.empty() && event.object.bucket != options_.bucket) {
    co_return refuse(Reason::kBucket, event);
  }
  auto fields = event.object.path.starts_with(options_.prefix)
                    ? match_key(matcher_, event.object.path)
                    : std::nullopt;
  if (!fields) co_return refuse(Reason::kKey, event);
  if (options_.max_age && event.time < clock_.now() - *options_.max_age) {
    co_return refuse(Reason::kAge, event);
  }
  event.store = options_.store;
  event.origin = options_.name;
  event.key_fields = std::move(*fields);
  if (!decoded.unproven) co_return true;
  const bool proven = co_await prove(event);
  co_return proven || refuse(Reason::kUnproven, event);
}

Task<bool> MessageReader::prove(Event& event) {
  const auto info = co_await store_.head(event.object);
  if (!info) co_return false;
  event.size = info->size;
  event.etag = info->etag;
  event.time = info->modified;
  co_return true;
}

bool MessageReader::refuse(Reason reason, const Event& event) {
  const auto index = static_cast<std::size_t>(reason);
  if (++not_taken_[index] == 1) {
    log_.info("an event is not the source's, and is not taken; more of the kind are only counted",
              {{"source", options_.name},
               {"why", kReasonNames[index]},
               {"object", event.object.text()},
               {"time", format_time(event.time)}});
  }
  return false;
}

void MessageReader::describe(JsonWriter& json) const {
  json.key("messages").number(messages_).key("test_events").number(test_events_);
  json.key("not_taken").begin_object();
  for (std::size_t i = 0; i < kReasons; ++i) json.key(kReasonNames[i]).number(not_taken_[i]);
  json.end_object();
}

}  // namespace headrace
