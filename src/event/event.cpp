#include "event/event.h"

#include <fmt/format.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "core/utf8.h"
#include "event/dialects.h"
#include "event/event_names.h"
#include "event/json_fields.h"

namespace headrace {
namespace {

constexpr std::size_t kMostDepth = 64;

std::string_view detail_type_of(const Event& event) {
  return event.detail_type.empty() ? detail_type_of(event.kind) : event.detail_type;
}

void write_text(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.key(name).string(value);
}

void write_object(JsonWriter& json, const Event& event) {
  json.key("object").begin_object().key("key").string(event.object.path);
  if (event.size) json.key("size").number(*event.size);
  if (event.etag) json.key("etag").string(event.etag->value);
  write_text(json, "version-id", event.version_id);
  write_text(json, "sequencer", event.sequencer);
  json.end_object();
}

void write_line(JsonWriter& json, const Event::Line& line) {
  json.key("line").begin_object().key("number").number(line.number);
  if (is_utf8(line.text)) {
    json.key("text").string(line.text);
  } else {
    json.key("base64").string(to_base64(line.text));
  }
  json.end_object();
}

void write_detail(JsonWriter& json, const Event& event) {
  json.key("detail").begin_object().key("version").string("0");
  json.key("bucket").begin_object().key("name").string(event.object.bucket).end_object();
  write_object(json, event);
  write_text(json, "store", event.store);
  write_text(json, "origin", event.origin);
  write_text(json, "producer", event.producer);
  if (!event.key_fields.empty()) {
    json.key("key_fields").begin_object();
    for (const auto& [name, value] : event.key_fields) json.key(name).string(value);
    json.end_object();
  }
  if (event.line) write_line(json, *event.line);
  json.end_object();
}

std::string read_text(const JsonFields& fields, std::string_view name) {
  return std::string(fields.text(name));
}
std::string read_text_or_empty(const JsonFields& fields, std::string_view name) {
  return std::string(fields.text_or_empty(name));
}

Event::Line read_line(const JsonFields& fields) {
  Event::Line line;
  line.number = fields.find_number("number").value_or(0);
  if (const auto encoded = fields.find_text("base64")) {
    auto bytes = from_base64(*encoded);
    if (!bytes) fields.fail("base64", "is not base64");
    line.text = std::move(*bytes);
  } else {
    line.text = fields.text("text");
  }
  return line;
}

void read_object(const JsonFields& fields, Event& event) {
  event.object.path = read_text(fields, "key");
  event.size = fields.find_number("size");
  if (const auto etag = fields.find_text("etag")) event.etag = Etag{std::string(*etag)};
  event.version_id = read_text_or_empty(fields, "version-id");
  event.sequencer = read_text_or_empty(fields, "sequencer");
}

void read_detail(const JsonFields& fields, Event& event) {
  event.object.bucket = read_text(fields.object("bucket"), "name");
  read_object(fields.object("object"), event);
  event.store = read_text_or_empty(fields, "store");
  event.origin = read_text_or_empty(fields, "origin");
  event.producer = read_text_or_empty(fields, "producer");
  if (const auto texts = fields.find_object("key_fields")) {
    for (const auto [name, value] : texts->all()) {
      event.key_fields.emplace(name, texts->text_of(value, name));
    }
  }
  if (const auto line = fields.find_object("line")) event.line = read_line(*line);
}

}  // namespace

std::string_view detail_type_of(EventKind kind) {
  switch (kind) {
    case EventKind::kCreated:
      return "Object Created";
    case EventKind::kDeleted:
      return "Object Deleted";
    case EventKind::kTagsChanged:
      return "Object Tags Added";
    case EventKind::kOther:
      return "";
  }
  std::unreachable();
}

std::string to_json(const Event& event) {
  JsonWriter json;
  json.begin_object().key("version").string("0").key("id").string(event.id);
  json.key("detail-type").string(detail_type_of(event)).key("source").string("aws.s3");
  json.key("time").string(format_time(event.time));
  write_detail(json, event);
  json.end_object();
  return std::move(json).text();
}

Event read_event(const JsonFields& fields) {
  Event event;
  event.id = read_text(fields, "id");
  event.detail_type = read_text(fields, "detail-type");
  event.kind = kind_of(event.detail_type);
  const auto time = time_of(fields.text("time"));
  if (!time) fields.fail("time", "is no RFC 3339 time");
  event.time = *time;
  read_detail(fields.object("detail"), event);
  return event;
}

Event event_from_json(std::string_view json) {
  thread_local JsonParser parser;
  try {
    Event event = read_event(JsonFields(parser.parse(json, kMostDepth)));
    parser.forget_large();
    return event;
  } catch (const Error& error) {
    parser.forget_large();
    throw error.during("event");
  }
}

}  // namespace headrace
