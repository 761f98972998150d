#include "event/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base64.h"
#include "core/error.h"
#include "event/attributes.h"
#include "event/dialects.h"
#include "event/json_fields.h"

namespace headrace {
namespace {

constexpr std::string_view kGoogleType = "google.cloud.storage.object.v1.";
constexpr std::size_t kMostNames = 6;  // Of fields, in the reason of what is not known.
constexpr std::size_t kLongestName = 40;

/// Beyond a limit: no part of the message may be taken.
struct Beyond {
  std::string reason;
};

[[noreturn]] void fail(const std::string& reason) { throw Error(ErrorKind::kCorrupt, reason); }

/// The parts of a CloudEvent that we use.
struct CloudEvent {
  std::string_view version;
  std::string_view type;
  std::optional<Time> time;
};

/// Counts a level while it is open.
class Level {
 public:
  explicit Level(std::size_t& count) : count_(count) { ++count_; }
  ~Level() { --count_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  std::size_t& count_;
};

std::string_view gcs_event_type(std::string_view cloud_type) {
  cloud_type.remove_prefix(kGoogleType.size());
  if (cloud_type == "finalized") return "OBJECT_FINALIZE";
  if (cloud_type == "deleted") return "OBJECT_DELETE";
  if (cloud_type == "archived") return "OBJECT_ARCHIVE";
  if (cloud_type == "metadataUpdated") return "OBJECT_METADATA_UPDATE";
  return cloud_type;
}

[[noreturn]] void unknown(const JsonFields& fields) {
  std::string names;
  std::size_t count = 0;
  for (const auto field : fields.all()) {
    if (count > 0) names += ", ";
    if (count++ == kMostNames) {
      names += "...";
      break;
    }
    names += field.key.substr(0, kLongestName);
  }
  fail("the message is of no known dialect; it has " + (count > 0 ? names : "no fields"));
}

/// Works through one message. Envelopes are opened one inside of the other; each parsed text has a
/// parser of its own, since the outer ones are still being read.
class Decoding {
 public:
  Decoding(const Message& message, const DecodeLimits& limits, std::vector<JsonParser>& parsers)
      : message_(message), limits_(limits), parsers_(parsers) {}

  Decoded run() {
    const std::vector<AttributeView> attributes(message_.attributes.begin(),
                                                message_.attributes.end());
    text(message_.body, attributes);
    if (!events_.events.empty() || !events_.bad.empty()) return std::move(events_);
    if (handshake_) return std::move(*handshake_);
    if (test_) return std::move(*test_);
    return Events{};
  }

 private:
  /// The message's body, or a message inside of another, with what is said beside it.
  void text(std::string_view body, AttributeViews attributes) {
    check_attributes(attributes);
    const auto of = [attributes](std::string_view name) {
      return find_attribute(attributes, name).value_or("");
    };
    const auto cloud_version = find_cloud_attribute(attributes, "specversion");
    const GcsWords google{of("eventType"), of("bucketId"),
                          of("objectId"),  of("objectGeneration"),
                          of("eventTime"), !of("overwrittenByGeneration").empty()};
    const bool is_google = !google.event_type.empty() && !google.bucket.empty();
    if (is_google && body.empty()) {
      return add(decode_gcs_event(google, nullptr, message_.received));
    }
    opened(body, [&](JsonElement root) {
      if (is_google) {
        const JsonFields resource(root);
        add(decode_gcs_event(google, &resource, message_.received));
      } else if (cloud_version) {
        cloud_event({*cloud_version, find_cloud_attribute(attributes, "type").value_or(""),
                     time_of(find_cloud_attribute(attributes, "time").value_or(""))},
                    root);
      } else {
        value(root);
      }
    });
  }

  void check_attributes(AttributeViews attributes) const {
    std::size_t bytes = 0;
    for (const auto& [name, value] : attributes) bytes += name.size() + value.size();
    if (attributes.size() > limits_.attributes || bytes > limits_.attribute_bytes) {
      throw Beyond{fmt::format("the message has more than {} attributes or {} bytes of them",
                               limits_.attributes, limits_.attribute_bytes)};
    }
  }

  /// Parses a JSON text with the next parser.
  template <class Use>
  void opened(std::string_view body, const Use& use) {
    if (body.empty()) fail("the message is empty");
    if (body.size() > limits_.bytes) {
      throw Beyond{fmt::format("the message is larger than {} bytes", limits_.bytes)};
    }
    if (texts_ > limits_.envelopes) {
      throw Beyond{fmt::format("the message has more than {} envelopes", limits_.envelopes)};
    }
    JsonParser& parser = parsers_[texts_];
    const Level level(texts_);
    use(parser.parse(body, limits_.depth));
  }

  void value(JsonElement at) {
    if (at.is_array()) return list(at, [this](JsonElement one) { value(one); });
    const JsonFields fields(at);
    if (fields.has("Records")) return records(fields);
    if (fields.has_object("s3") && fields.has("eventName")) {
      return add(decode_s3_record(fields, message_.received));
    }
    if (fields.has("detail-type") && fields.has("detail")) {
      return add(decode_bridge_event(fields, message_.received));
    }
    if (fields.has_text("specversion")) return structured(fields);
    if (fields.has_text("Type") && fields.has_text("TopicArn")) return sns(fields);
    if (fields.text_if_any("Event") == "s3:TestEvent") {
      test_ = TestEvent{std::string(fields.text_if_any("Bucket"))};
      return;
    }
    if (fields.has_text("action") && fields.has_text("bucket") && fields.has_object("object")) {
      return add(decode_r2_event(fields, message_.received));
    }
    if (fields.has_object("message")) return pub_sub(fields);
    unknown(fields);
  }

  /// What is wrong with one of a list is kept beside the others.
  template <class Each>
  void list(JsonElement at, const Each& each) {
    const Level level(lists_);
    for (const JsonElement one : simdjson::dom::array(at)) {
      try {
        each(one);
      } catch (const Error& error) {
        events_.bad.push_back({claim(), error.what(), simdjson::minify(one)});
      }
    }
  }

  std::size_t claim() {
    if (next_ == limits_.records) {
      throw Beyond{fmt::format("the message has more than {} records", limits_.records)};
    }
    return next_++;
  }

  void add(DecodedEvent decoded) {
    decoded.record = claim();
    events_.events.push_back(std::move(decoded));
  }

  /// S3 records, in MinIO's wrapper or not, and the SQS and SNS records of a Lambda function.
  void records(const JsonFields& message) {
    const JsonElement all = message.need("Records");
    if (!all.is_array()) message.fail("Records", "is not an array");
    list(all, [this](JsonElement one) {
      const JsonFields record(one);
      if (record.text_if_any("eventSource") == "aws:sqs" && record.has_text("body")) {
        text(record.text("body"), {});
      } else if (record.has_object("Sns")) {
        value(record.need("Sns"));
      } else {
        add(decode_s3_record(record, message_.received));
      }
    });
  }

  void sns(const JsonFields& message) {
    const std::string_view type = message.text("Type");
    if (type == "Notification") return text(message.text("Message"), {});
    SnsHandshake handshake;
    if (type == "UnsubscribeConfirmation") {
      handshake.kind = SnsHandshake::Kind::kUnsubscribe;
    } else if (type != "SubscriptionConfirmation") {
      message.fail("Type", fmt::format("is none that SNS sends: {}", type));
    }
    if (lists_ > 0 || texts_ > 1) fail("an SNS confirmation lies inside of another message");
    handshake.topic_arn = message.text("TopicArn");
    handshake.subscribe_url = message.text("SubscribeURL");
    handshake.token = message.text("Token");
    handshake_ = std::move(handshake);
  }

  void structured(const JsonFields& event) {
    const CloudEvent cloud{event.text("specversion"), event.text_or_empty("type"),
                           time_of(event.text_or_empty("time"))};
    const auto data = event.find("data");
    if (data && !data->is_string()) return cloud_event(cloud, *data);
    std::string bytes(event.text_or_empty("data"));
    if (!data) {
      auto decoded = from_base64(event.text("data_base64"));
      if (!decoded) event.fail("data_base64", "is not base64");
      bytes = std::move(*decoded);
    }
    opened(bytes, [&](JsonElement root) { cloud_event(cloud, root); });
  }

  void cloud_event(const CloudEvent& cloud, JsonElement data) {
    if (!cloud.version.starts_with("1.")) {
      fail(fmt::format("specversion {} is not 1.x", cloud.version));
    }
    if (!data.is_object()) return value(data);
    const JsonFields fields(data);
    if (cloud.type.starts_with(kGoogleType)) {
      const GcsWords words{.event_type = gcs_event_type(cloud.type),
                           .bucket = fields.text("bucket"),
                           .object = fields.text("name"),
                           .generation = fields.text_if_any("generation"),
                           .time = {}};
      return add(decode_gcs_event(words, &fields, cloud.time.value_or(message_.received)));
    }
    if (fields.has_object("bucket") && fields.has_object("object")) {
      return add(decode_bridge_detail(fields, cloud.type, cloud.time, message_.received));
    }
    value(data);
  }

  void pub_sub(const JsonFields& push) {
    const JsonFields message = push.object("message");
    if (!message.has("data") && !message.has("attributes")) unknown(push);
    std::vector<AttributeView> attributes;
    if (const auto told = message.find_object("attributes")) {
      for (const auto [name, value] : told->all()) {
        attributes.emplace_back(name, told->text_of(value, name));
        if (attributes.size() > limits_.attributes) break;  // text() says what is wrong.
      }
    }
    const auto data = from_base64(message.text_or_empty("data"));
    if (!data) message.fail("data", "is not base64");
    text(*data, attributes);
  }

  const Message& message_;
  const DecodeLimits& limits_;
  std::vector<JsonParser>& parsers_;  ///< One for each level, and never moved meanwhile.
  std::size_t texts_ = 0;             ///< Parsed and still being read.
  std::size_t lists_ = 0;             ///< Around what is being read.
  std::size_t next_ = 0;              ///< Record.
  Events events_;
  std::optional<TestEvent> test_;
  std::optional<SnsHandshake> handshake_;
};

}  // namespace

Decoded decode_message(const Message& message, const DecodeLimits& limits) {
  thread_local std::vector<JsonParser> parsers;
  if (parsers.size() <= limits.envelopes) parsers.resize(limits.envelopes + 1);
  Decoded decoded;
  try {
    decoded = Decoding(message, limits, parsers).run();
  } catch (const Error& error) {
    decoded = NoEvent{error.what()};
  } catch (const Beyond& beyond) {
    decoded = NoEvent{beyond.reason};
  }
  for (JsonParser& parser : parsers) parser.forget_large();
  return decoded;
}

}  // namespace headrace
