#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/key_template.h"
#include "net/credentials_spec.h"
#include "stack/spec.h"

namespace headrace {

/// What every source has: where to look and what its keys say.
struct SourceFields {
  std::string store;
  std::string bucket;  ///< Empty: any; only sources that are told of objects can have that.
  std::string prefix;
  std::optional<KeyTemplate> key;  ///< Keys of another shape are no events of this source.
};

struct WatchStanza : SourceFields {};

struct ListingStanza : SourceFields {
  std::optional<Duration> every;  ///< Absent: once.
  std::uint64_t remember = 4'000'000;
  std::optional<std::uint64_t> parallel;  ///< Absent: as suits the store.
};

/// What sources have that are told of objects by messages.
struct MessageFields : SourceFields {
  std::optional<Duration> max_age;  ///< Older events are not taken.
};

struct SqsStanza : MessageFields {
  std::string queue;
  std::string endpoint;
  std::string region;
  CredentialsStanza credentials;
  std::optional<std::filesystem::path> ca_file;
  int receivers = 2;
  int batch = 10;
  Duration wait = std::chrono::seconds(20);
  std::optional<Duration> visibility;
  int max_receives = 10;
  std::uint64_t held = 4096;
};

struct WebhookStanza : MessageFields {
  std::string listen = "127.0.0.1:8480";
  std::string path;
  std::string token;
  std::string token_header;
  struct Hmac {
    std::string secret;
    std::string header = "X-Hub-Signature-256";
  };
  std::optional<Hmac> hmac;
  std::uint64_t body = 1u << 20;
  std::uint64_t pending = 4096;
  std::string sns_endpoint;
};

struct KafkaStanza : MessageFields {
  std::vector<std::string> brokers;
  std::vector<std::string> topics;
  std::string group;  ///< Empty: of the stack's and the source's name.
  enum class Start : unsigned char { kOldest, kNewest };
  Start start = Start::kOldest;
  std::uint64_t held = 4096;
  std::map<std::string, std::string> properties;
};

/// What is wrong with an address to listen at; empty if nothing is.
std::string wrong_listen_address(const std::string& listen);
/// Can only this machine reach it? For an address that is not wrong.
bool is_loopback_address(const std::string& listen);

template <class Config>
stack::Spec<Config> source_spec(std::string name, std::string doc) {
  return stack::Spec<Config>(std::move(name), std::move(doc))
      .field("store", &Config::store, "Name of the store", stack::required())
      .field("bucket", &Config::bucket, "Bucket to look at", stack::required())
      .field("prefix", &Config::prefix, "Only keys that start with this")
      .field("key", &Config::key, "Key template: the fields of each key; other keys are not taken",
             stack::example("events/{event_type}/dt={date}/{name}.jsonl"));
}

inline const stack::Spec<WatchStanza>& watch_spec() {
  static const auto spec = source_spec<WatchStanza>(
      "watch source", "Objects as they land in or leave a file store, at once (inotify)");
  return spec;
}

inline const stack::Spec<ListingStanza>& listing_spec() {
  static const auto spec =
      source_spec<ListingStanza>("listing source", "Objects found by listing a prefix")
          .field("every", &ListingStanza::every, "List again this often; absent means once",
                 stack::at_least(std::chrono::seconds(1)))
          .field(
              "remember", &ListingStanza::remember,
              "Most objects to know as given: 16 bytes each in the ledger, at most twice that in "
              "memory",
              stack::at_least(1000))
          .field("parallel", &ListingStanza::parallel,
                 "Requests at a time, over folders and ranges of keys; absent means 8, and 1 on a "
                 "store "
                 "of kind file",
                 stack::at_least(1), stack::at_most(64));
  return spec;
}

template <class Config>
stack::Spec<Config> message_source_spec(std::string name, std::string doc) {
  return stack::Spec<Config>(std::move(name), std::move(doc))
      .field("store", &Config::store, "Name of the store that the events tell of",
             stack::required())
      .field("bucket", &Config::bucket, "Only events of this bucket; absent means any")
      .field("prefix", &Config::prefix, "Only keys that start with this")
      .field("key", &Config::key, "Key template: the fields of each key; other keys are not taken",
             stack::example("events/{event_type}/dt={date}/{name}.jsonl"))
      .field("max_age", &Config::max_age,
             "Events that happened longer ago are not taken; absent means however old");
}

inline const stack::Spec<SqsStanza>& sqs_spec() {
  static const auto spec =
      message_source_spec<SqsStanza>("sqs source", "Events out of an SQS queue")
          .field("queue", &SqsStanza::queue, "Its name, URL or ARN", stack::required(),
                 stack::example("nakadi-raw-events"))
          .field("endpoint", &SqsStanza::endpoint,
                 "URL of the service; absent means the queue's own, else AWS's",
                 stack::example("http://127.0.0.1:9324"))
          .field("region", &SqsStanza::region, "Unless the queue's URL or ARN names it",
                 stack::example("eu-central-1"))
          .field("credentials", &SqsStanza::credentials, "What requests are signed with",
                 credentials_spec())
          .field("ca_file", &SqsStanza::ca_file,
                 "Certificates to trust instead of the system's, as PEM")
          .field("receivers", &SqsStanza::receivers, "Polls at a time, and as many deletes",
                 stack::at_least(1), stack::at_most(64))
          .field("batch", &SqsStanza::batch, "Messages a poll asks for", stack::at_least(1),
                 stack::at_most(10))
          .field("wait", &SqsStanza::wait, "How long a poll waits for messages",
                 stack::at_most(std::chrono::seconds(20)))
          .field("visibility", &SqsStanza::visibility,
                 "How long a message in hand is hidden at a time; absent means as the queue says",
                 stack::at_least(std::chrono::seconds(4)), stack::at_most(std::chrono::hours(12)))
          .field("max_receives", &SqsStanza::max_receives,
                 "A message received more often becomes a dead letter of the source",
                 stack::at_least(1))
          .field("held", &SqsStanza::held, "Most messages in hand", stack::at_least(10));
  return spec;
}

inline const stack::Spec<WebhookStanza>& webhook_spec() {
  using Hmac = WebhookStanza::Hmac;
  static const auto hmac =
      stack::Spec<Hmac>("webhook signature", "HMAC-SHA256 of the body, in hex or base64")
          .field("secret", &Hmac::secret, "The shared secret", stack::required(), stack::secret())
          .field("header", &Hmac::header, "Where the signature comes");
  static const auto spec =
      message_source_spec<WebhookStanza>("webhook source", "Events that producers post by HTTP")
          .field("path", &WebhookStanza::path, "Path of the source's door", stack::required(),
                 stack::example("/events/incoming"), stack::check([](const std::string& path) {
                   return path.starts_with('/') ? std::string() : "a path starts with `/`";
                 }))
          .field("listen", &WebhookStanza::listen,
                 "IP address and port; sources with the same one share a listener; port 0 is any "
                 "free one",
                 stack::check(wrong_listen_address))
          .field("token", &WebhookStanza::token,
                 "Shared token: as Authorization (Bearer, the password of Basic, or alone), in "
                 "`token_header`, or as ?token=",
                 stack::secret())
          .field("token_header", &WebhookStanza::token_header, "Another header for the token",
                 stack::example("X-Api-Key"))
          .field("hmac", &WebhookStanza::hmac, "Signature that each body must have", hmac)
          .field("body", &WebhookStanza::body, "Largest body", stack::bytes(),
                 stack::at_least(1024), stack::at_most(64u << 20))
          .field("pending", &WebhookStanza::pending,
                 "Most events taken in and not yet written; beyond, producers are told to wait",
                 stack::at_least(1))
          .field("sns_endpoint", &WebhookStanza::sns_endpoint,
                 "Where subscriptions may be confirmed beside AWS's SNS",
                 stack::example("http://127.0.0.1:4566"))
          .check([](const WebhookStanza& stanza) -> std::string {
            const bool alone = is_loopback_address(stanza.listen);
            if (alone || !stanza.token.empty() || stanza.hmac) return "";
            return "to listen at an address that others can reach needs `token` or `hmac`";
          });
  return spec;
}

inline const stack::Spec<KafkaStanza>& kafka_spec() {
  using Start = KafkaStanza::Start;
  static const auto spec =
      message_source_spec<KafkaStanza>("kafka source", "Events out of Kafka topics")
          .field("brokers", &KafkaStanza::brokers, "Some of the cluster's brokers",
                 stack::required(), stack::example("[ \"kafka-1:9092\" ]"))
          .field("topics", &KafkaStanza::topics,
                 "Names, or regular expressions that begin with `^`", stack::required(),
                 stack::example("[ s3-events ]"))
          .field("group", &KafkaStanza::group,
                 "Consumer group; absent means one named after the stack and the source")
          .field("start", &KafkaStanza::start, "Where a group that is new begins",
                 stack::one_of<Start>({{"oldest", Start::kOldest}, {"newest", Start::kNewest}}))
          .field("held", &KafkaStanza::held,
                 "Most events taken in and not yet written; beyond, partitions rest",
                 stack::at_least(1))
          .field("properties", &KafkaStanza::properties,
                 "Whatever else librdkafka is to be told: security.protocol, sasl.password, ...",
                 stack::secret(), stack::example("{ security.protocol: ssl }"));
  return spec;
}

}  // namespace headrace
