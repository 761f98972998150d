#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "event/event.h"

namespace headrace {

/// How a producer words its messages. The word is `Event::producer` of what is decoded from it.
enum class Dialect : unsigned char {
  kAws,          ///< S3 event records 2.x of AWS; also LocalStack's.
  kMinio,        ///< S3 records in a wrapper with EventName and Key.
  kRustfs,       ///< As MinIO's.
  kCeph,         ///< S3 records of radosgw: raw keys, a sequencer of its own.
  kVersitygw,    ///< S3 records, raw keys, sequencers that begin anew with each start.
  kMoto,         ///< S3 records without user and request.
  kS3,           ///< S3 records of a store we do not know by name; read by AWS's rules.
  kEventBridge,  ///< EventBridge events with source "aws.s3".
  kR2,           ///< Cloudflare R2.
  kGcs,          ///< Google Cloud Storage, by Pub/Sub or Eventarc.
  kHeadrace,     ///< Our own JSON form (event/event.h); keeps the producer it names.
};

/// "aws", "minio", "rustfs", "ceph", "versitygw", "moto", "s3", "eventbridge", "r2", "gcs",
/// "headrace".
std::string_view to_string(Dialect dialect);

/// Names and values beside a body: HTTP or Kafka headers, SQS message attributes, Pub/Sub
/// attributes. Names are compared without regard to case; the first of two equal names counts.
/// Those that no dialect uses are ignored, so a source can hand over all it has.
using Attributes = std::vector<std::pair<std::string, std::string>>;

/// A message as it came in. Nothing is kept of it after decode_message() returned.
struct Message {
  std::string_view body;
  std::span<const Attributes::value_type> attributes;
  /// When it came in. Becomes the time of an event whose producer tells no time that can be read.
  Time received;
};

/// What a message may be at most. One that is beyond is NoEvent as a whole, with the limit in its
/// reason: taking a part of it would lose the rest in silence.
struct DecodeLimits {
  std::size_t bytes = 1u << 20;            ///< Of the body; also of a body found inside of it.
  std::size_t depth = 64;                  ///< Nested objects and arrays of one JSON text.
  std::size_t records = 10'000;            ///< In all envelopes together.
  std::size_t envelopes = 4;               ///< SNS in SQS in Lambda ...
  std::size_t attributes = 256;            ///< Beside the body, or in one envelope.
  std::size_t attribute_bytes = 64 << 10;  ///< Names and values together.
};

/// One event of a message.
struct DecodedEvent {
  /// `store`, `origin` and `key_fields` are empty: the source fills them in (an event of dialect
  /// kHeadrace brings its own, which the source replaces). The id follows from what happened, so
  /// that a message that is delivered twice gives the same ids. A deletion has neither size nor
  /// etag, whatever the producer says of the object that was there.
  Event event;
  Dialect dialect{};
  std::size_t record = 0;  ///< Which record of the message, from 0, counted through all envelopes.
  /// The producer may never have done what it says: radosgw announces writes that it refused, with
  /// the size of what was refused and eventTime "0.000000". Size and etag are left out. Ask the
  /// store (HEAD): drop the event if the object is not there, else take size, etag and time from
  /// the answer.
  bool unproven = false;
};

/// A record that is no event, among others that may be good ones.
struct BadRecord {
  std::size_t record = 0;  ///< Counted as DecodedEvent::record.
  std::string reason;
  std::string raw;  ///< The record as one line of JSON: what goes to the source's dead letters.
};

/// Events. Good records stand although others are bad; both lists may be empty (`"Records":[]`
/// says that nothing happened). Both are in the order of the message.
struct Events {
  std::vector<DecodedEvent> events;
  std::vector<BadRecord> bad;
};

/// s3:TestEvent, sent when a notification is set up. To be acknowledged and forgotten.
struct TestEvent {
  std::string bucket;
};

/// SNS asks whether this endpoint wants a topic's messages, or says that it gets them no more.
struct SnsHandshake {
  enum class Kind : unsigned char { kSubscribe, kUnsubscribe };
  Kind kind{};
  std::string topic_arn;
  std::string subscribe_url;  ///< A GET of it confirms (or, on kUnsubscribe, subscribes again).
  std::string token;          ///< For the ConfirmSubscription call instead.
};

/// None of the dialects, or beyond a limit. The message as it came goes to the source's dead
/// letters; it must never stop a queue.
struct NoEvent {
  std::string
      reason;  ///< "the message is not JSON: ...", "... is of no known dialect; it has a, b".
};

using Decoded = std::variant<Events, TestEvent, SnsHandshake, NoEvent>;

/// Says what a message is. The dialect is detected, never configured; so are the envelopes around
/// it: SNS notifications (in SQS or by HTTP; raw delivery needs none), CloudEvents 1.0 (binary mode
/// by attributes `ce-*`, `ce_*` or `cloudEvents:*`; structured; batch), Pub/Sub push requests, the
/// SQS and SNS records that AWS hands to a Lambda function, and JSON arrays of any of these.
/// docs/sources.md has the table of producers and how each is recognised.
///
/// Keys       are decoded by the producer's own rule and never twice; a key that is empty, no UTF-8
///            after that, or holds a NUL makes its record bad.
/// Order      `Event::sequencer` is in a canonical form: of two events of one key told by one
///            producer, the one whose sequencer is greater as plain text (operator<) is the newer.
///            So there is no compare function. Empty if the producer tells none (moto, R2; tag and
///            ACL changes on AWS): then `time` orders, and such an event must not replace what is
///            known of a sequencer. Sequencers of two producers say nothing about each other,
///            except those of AWS by records and by EventBridge, which are one.
/// Kinds      that we do not know are kept: kOther, and `detail_type` is the producer's word for
///            it without "s3:". Those we know have EventBridge's detail-types in all dialects.
/// Versions   Records of eventVersion 2.x, whatever x; a record of another major version is bad.
///            Unknown fields are ignored, null counts as absent. "null" as a version id is none.
/// Pure       No clock, no chance, no I/O: the same message gives the same answer. Any thread may
///            call; each keeps parse buffers of its own, released after a large message.
/// Errors     None but std::bad_alloc: whatever the bytes are, there is an answer.
Decoded decode_message(const Message& message, const DecodeLimits& limits = {});

}  // namespace headrace
