// How the sources of a stack are made.
#include <cstdlib>

#include "app/parts.h"
#include "app/source_memory.h"
#include "core/error.h"
#include "source/kafka/kafka_source.h"
#include "source/listing/listing_source.h"
#include "source/sqs/sqs_source.h"
#include "source/watch/watch_source.h"
#include "source/webhook/webhook_source.h"

namespace headrace {
namespace {

KeyMatcher matcher_of(const SourceFields& fields) {
  if (!fields.key) return {};
  return [key = *fields.key](std::string_view text) { return key.match(text); };
}

MessageOptions message_options(const std::string& name, const MessageFields& fields) {
  return {.name = name,
          .store = fields.store,
          .bucket = fields.bucket,
          .prefix = fields.prefix,
          .max_age = fields.max_age,
          .limits = {}};
}

/// Makes the source of whichever kind it is.
struct Make {
  Parts& parts;
  const std::string& name;
  SourceMemory& memory;

  std::unique_ptr<Source> operator()(const WatchStanza& stanza) {
    const auto& folder = std::get<FileStoreStanza>(*parts.stack.stores.at(stanza.store));
    return make_watch_source({.name = name,
                              .store = stanza.store,
                              .root = folder.path.string(),
                              .bucket = stanza.bucket,
                              .prefix = stanza.prefix},
                             matcher_of(stanza), memory, parts.io, parts.given.clock,
                             parts.given.random, parts.given.log);
  }

  std::unique_ptr<Source> operator()(const ListingStanza& stanza) {
    const bool local =
        std::holds_alternative<FileStoreStanza>(*parts.stack.stores.at(stanza.store));
    return make_listing_source({.name = name,
                                .store = stanza.store,
                                .bucket = stanza.bucket,
                                .prefix = stanza.prefix,
                                .every = stanza.every,
                                .remember = stanza.remember,
                                .parallel = stanza.parallel.value_or(local ? 1 : 8)},
                               parts.stores.at(stanza.store), matcher_of(stanza), memory,
                               parts.given.clock, parts.given.random, parts.given.log);
  }

  std::unique_ptr<Source> operator()(const SqsStanza& stanza) {
    SqsOptions options;
    options.messages = message_options(name, stanza);
    options.address = {stanza.queue, stanza.endpoint, stanza.region};
    options.receivers = stanza.receivers;
    options.batch = stanza.batch;
    options.wait = stanza.wait;
    options.visibility = stanza.visibility;
    options.max_receives = stanza.max_receives;
    options.held = stanza.held;
    HttpClient& client = client_trusting(stanza.ca_file.value_or(""), parts.http, parts.given);
    return make_sqs_source(std::move(options), client,
                           make_credentials(stanza.credentials, client, parts.given.clock),
                           parts.stores.at(stanza.store), matcher_of(stanza), parts.given.clock,
                           parts.given.random, parts.given.log);
  }

  std::unique_ptr<Source> operator()(const WebhookStanza& stanza) {
    WebhookOptions options;
    options.messages = message_options(name, stanza);
    options.messages.limits.bytes = stanza.body;
    options.path = stanza.path;
    options.auth.token = stanza.token;
    options.auth.token_header = stanza.token_header;
    if (stanza.hmac) {
      options.auth.hmac_secret = stanza.hmac->secret;
      options.auth.hmac_header = stanza.hmac->header;
    }
    options.body_bytes = stanza.body;
    options.pending = stanza.pending;
    options.trusted_sns = stanza.sns_endpoint;
    auto& listener = parts.listeners[stanza.listen];
    if (!listener) {
      listener =
          std::make_shared<WebhookListener>(ListenAddress::parse(stanza.listen), parts.given.log);
    }
    return make_webhook_source(
        std::move(options), listener, client_trusting("", parts.http, parts.given),
        parts.stores.at(stanza.store), matcher_of(stanza), parts.given.clock, parts.given.log);
  }

  std::unique_ptr<Source> operator()(const KafkaStanza& stanza) {
    KafkaOptions options;
    options.messages = message_options(name, stanza);
    options.address = {.brokers = stanza.brokers,
                       .topics = stanza.topics,
                       .group = stanza.group.empty() ? parts.stack.name + "." + name : stanza.group,
                       .from_start = stanza.start == KafkaStanza::Start::kOldest,
                       .properties = stanza.properties};
    options.held = stanza.held;
    return make_kafka_source(std::move(options), parts.io, parts.stores.at(stanza.store),
                             matcher_of(stanza), parts.given.clock, parts.given.random,
                             parts.given.log);
  }
};

}  // namespace

HttpClient& client_trusting(const std::filesystem::path& ca_file, HttpClients& clients,
                            const Parts::Given& given) {
  std::unique_ptr<HttpClient>& client = clients[ca_file];
  if (client) return *client;
  HttpClientConfig config;
  if (!ca_file.empty()) config.ca_file = ca_file;
  config.proxy = proxy_from_environment([](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  client = std::make_unique<HttpClient>(given.loop.get_executor(), given.clock, std::move(config));
  return *client;
}

Parts::NamedSource Parts::make_source(const std::string& name, const SourceStanza& stanza,
                                      RouteId own_id) {
  NamedSource made{name, own_id, std::make_unique<LedgerSourceMemory>(*ledger, name), nullptr};
  made.source = std::visit(Make{*this, name, *made.memory}, stanza);
  return made;
}

}  // namespace headrace
