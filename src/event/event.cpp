#include "event/event.h"

#include <simdjson.h>

#include "core/base64.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/utf8.h"

namespace headrace {
namespace {

constexpr std::string_view kTagsAdded = "Object Tags Added";
constexpr std::string_view kTagsDeleted = "Object Tags Deleted";

EventKind kind_of(std::string_view detail_type) {
  if (detail_type == detail_type_of(EventKind::kCreated)) return EventKind::kCreated;
  if (detail_type == detail_type_of(EventKind::kDeleted)) return EventKind::kDeleted;
  if (detail_type == kTagsAdded || detail_type == kTagsDeleted) return EventKind::kTagsChanged;
  return EventKind::kOther;
}

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

using simdjson::dom::element;

[[noreturn]] void fail(std::string_view path, std::string_view what) {
  throw Error(ErrorKind::kCorrupt, fmt::format("event: {} {}", path, what));
}

/// One object of the event, and the path to it for messages.
class Reader {
 public:
  Reader(element at, std::string path) : path_(std::move(path)) {
    if (at.get(object_) != simdjson::SUCCESS) {
      fail(path_.empty() ? "the message" : path_, "is not a JSON object");
    }
  }

  std::optional<Reader> find_object(std::string_view name) const {
    const auto at = find(name);
    return at ? std::optional(Reader(*at, name_of(name))) : std::nullopt;
  }
  Reader object(std::string_view name) const { return Reader(need(name), name_of(name)); }

  std::optional<std::string> find_text(std::string_view name) const {
    const auto at = find(name);
    return at ? std::optional(text_of(*at, name)) : std::nullopt;
  }
  std::string text(std::string_view name) const { return text_of(need(name), name); }
  std::string text_or_empty(std::string_view name) const { return find_text(name).value_or(""); }

  std::optional<std::uint64_t> find_number(std::string_view name) const {
    const auto at = find(name);
    if (!at) return std::nullopt;
    std::uint64_t value = 0;
    if (at->get(value) != simdjson::SUCCESS) fail(name_of(name), "is not a whole number");
    return value;
  }

  KeyFields texts() const {
    KeyFields out;
    for (const auto [name, value] : object_) out.emplace(name, text_of(value, name));
    return out;
  }

  std::string name_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  }

 private:
  /// null counts as absent: some producers write what they do not know as null.
  std::optional<element> find(std::string_view name) const {
    element at;
    if (object_.at_key(name).get(at) != simdjson::SUCCESS || at.is_null()) return std::nullopt;
    return at;
  }
  element need(std::string_view name) const {
    const auto at = find(name);
    if (!at) fail(name_of(name), "is missing");
    return *at;
  }
  std::string text_of(element at, std::string_view name) const {
    std::string_view text;
    if (at.get(text) != simdjson::SUCCESS) fail(name_of(name), "is not a string");
    return std::string(text);
  }

  std::string path_;
  simdjson::dom::object object_;
};

Time read_time(const Reader& reader) {
  // format_time writes four digits of year, so what would need more cannot be told on.
  static constexpr Time kFirst = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
  static constexpr Time kEnd = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  const auto time = parse_time(reader.text("time"));
  if (!time || *time < kFirst || *time >= kEnd) fail(reader.name_of("time"), "is no RFC 3339 time");
  return *time;
}

Event::Line read_line(const Reader& reader) {
  Event::Line line;
  line.number = reader.find_number("number").value_or(0);
  if (const auto encoded = reader.find_text("base64")) {
    auto bytes = from_base64(*encoded);
    if (!bytes) fail(reader.name_of("base64"), "is not base64");
    line.text = std::move(*bytes);
  } else {
    line.text = reader.text("text");
  }
  return line;
}

void read_object(const Reader& reader, Event& event) {
  event.object.path = reader.text("key");
  event.size = reader.find_number("size");
  if (auto etag = reader.find_text("etag")) event.etag = Etag{std::move(*etag)};
  event.version_id = reader.text_or_empty("version-id");
  event.sequencer = reader.text_or_empty("sequencer");
}

void read_detail(const Reader& reader, Event& event) {
  event.object.bucket = reader.object("bucket").text("name");
  read_object(reader.object("object"), event);
  event.store = reader.text_or_empty("store");
  event.origin = reader.text_or_empty("origin");
  event.producer = reader.text_or_empty("producer");
  if (const auto fields = reader.find_object("key_fields")) event.key_fields = fields->texts();
  if (const auto line = reader.find_object("line")) event.line = read_line(*line);
}

/// Text that no other list of parts gives: every part is led by its length.
void append_part(std::string& out, std::string_view part) {
  fmt::format_to(std::back_inserter(out), "{}:", part.size());
  out += part;
}

/// Which of the changes of its key an event tells of.
void append_change(std::string& out, const Event& event) {
  if (!event.version_id.empty()) {
    append_part(out, "version");
    append_part(out, event.version_id);
  } else if (event.etag) {
    append_part(out, "etag");
    append_part(out, event.etag->value);
  } else if (!event.sequencer.empty()) {
    append_part(out, "sequencer");
    append_part(out, event.sequencer);
  } else {
    append_part(out, "time");
    append_part(out, format_time(event.time));
  }
}

}  // namespace

std::string_view detail_type_of(EventKind kind) {
  switch (kind) {
    case EventKind::kCreated:
      return "Object Created";
    case EventKind::kDeleted:
      return "Object Deleted";
    case EventKind::kTagsChanged:
      return kTagsAdded;
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

Event event_from_json(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (const auto code = parser.parse(json.data(), json.size()).get(root)) {
    fail("the message", fmt::format("is not JSON: {}", simdjson::error_message(code)));
  }
  const Reader reader(root, "");
  Event event;
  event.id = reader.text("id");
  event.detail_type = reader.text("detail-type");
  event.kind = kind_of(event.detail_type);
  event.time = read_time(reader);
  read_detail(reader.object("detail"), event);
  return event;
}

std::uint64_t identity_of(const Event& event) {
  std::string parts;
  append_part(parts, event.store);
  append_part(parts, event.object.bucket);
  append_part(parts, event.object.path);
  append_part(parts, detail_type_of(event));
  append_change(parts, event);
  if (event.kind == EventKind::kTagsChanged || event.kind == EventKind::kOther) {
    append_part(parts, format_time(event.time));
  }
  if (event.line) {
    append_part(parts, fmt::format("line {}", event.line->number));
    append_part(parts, event.line->text);
  }
  return hash64(parts);
}

}  // namespace headrace
