#include "app/setup.h"

#include <fmt/format.h>

#include "core/error.h"

namespace headrace {
namespace {

using setup::Needs;

/// Gathers buckets on s3 stores whose names are known before anything runs.
class Buckets {
 public:
  Buckets(const StackFile& stack, Needs& needs) : stack_(stack), needs_(needs) {}

  void add(const std::string& store, std::string bucket) {
    const auto found = stack_.stores.find(store);
    if (found == stack_.stores.end() || !std::holds_alternative<S3StoreStanza>(*found->second)) {
      return;
    }
    if (bucket.empty() || bucket.contains('{')) return;
    needs_.buckets.emplace_back(store, std::move(bucket));
  }

  void add_steps(const RouteConfig& route) {
    for (const SourceFields& from : sources_of(stack_, route)) {
      for (const auto& step : route.steps) {
        const auto target = target_of(step.value);
        if (!target) continue;
        add(target->store.empty() ? from.store : target->store,
            target->bucket.empty() ? from.bucket : target->bucket);
      }
    }
  }

 private:
  const StackFile& stack_;
  Needs& needs_;
};

bool wants_removals(const StackFile& stack, const std::string& source) {
  for (const auto& [name, route] : stack.routes) {
    if (!route->match.text.contains("Object Deleted")) continue;
    for (const auto& from : route->from) {
      if (*from == source) return true;
    }
  }
  return false;
}

/// nullopt for sources that nobody has to tell anything.
std::optional<Needs::Source> source_of(const StackFile& stack, const std::string& name,
                                       const SourceStanza& stanza) {
  Needs::Source source{.name = name, .fields = common(stanza)};
  source.on_s3 = std::holds_alternative<S3StoreStanza>(*stack.stores.at(source.fields.store));
  source.removals = wants_removals(stack, name);
  if (const auto said = stack.setup.sources.find(name); said != stack.setup.sources.end()) {
    source.setup = *said->second;
  }
  if (const auto* sqs = std::get_if<SqsStanza>(&stanza)) {
    source.sqs = *sqs;
    return source;
  }
  if (const auto* webhook = std::get_if<WebhookStanza>(&stanza)) {
    source.from = Needs::Source::From::kWebhook;
    source.token = webhook->token;
    return source;
  }
  if (std::holds_alternative<KafkaStanza>(stanza)) {
    source.from = Needs::Source::From::kKafka;
    return source;
  }
  return std::nullopt;
}

std::map<std::string, CredentialsStanza> credentials_of(const StackFile& stack) {
  std::map<std::string, CredentialsStanza> credentials;
  for (const auto& [name, stanza] : stack.sources) {
    const auto* sqs = std::get_if<SqsStanza>(&*stanza);
    if (sqs != nullptr) credentials.emplace(setup::place_of(*sqs).home(), sqs->credentials);
  }
  return credentials;
}

}  // namespace

Needs setup_needs(const StackFile& stack) {
  Needs needs{.stack = stack.name, .setup = stack.setup};
  Buckets buckets(stack, needs);
  for (const auto& [name, stanza] : stack.sources) {
    if (auto source = source_of(stack, name, *stanza)) needs.sources.push_back(std::move(*source));
    buckets.add(common(*stanza).store, common(*stanza).bucket);
  }
  for (const auto& [name, table] : stack.tables) {
    buckets.add(table->store, table->location.substr(0, table->location.find('/')));
  }
  for (const auto& [name, route] : stack.routes) buckets.add_steps(*route);
  return needs;
}

StackSetup::StackSetup(const StackFile& stack, const Parts::Given& given)
    : stack_(stack),
      given_(given),
      outside_({.store = [this](const std::string& name) -> S3Store& { return store(name); },
                .client = [this](const std::string& home) -> HttpClient& { return client(home); },
                .clock = given.clock,
                .random = given.random,
                .credentials = credentials_of(stack)}),
      setup_(setup_needs(stack), outside_, stack.state) {}

HttpClient& StackSetup::client(const std::string& home) {
  std::filesystem::path ca_file;
  for (const auto& [name, stanza] : stack_.sources) {
    const auto* sqs = std::get_if<SqsStanza>(&*stanza);
    if (sqs != nullptr && sqs->ca_file && setup::place_of(*sqs).home() == home) {
      ca_file = *sqs->ca_file;
    }
  }
  return client_trusting(ca_file, http_, given_);
}

S3Store& StackSetup::store(const std::string& name) {
  const auto found = stack_.stores.find(name);
  const auto* stanza =
      found == stack_.stores.end() ? nullptr : std::get_if<S3StoreStanza>(&*found->second);
  if (stanza == nullptr) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("the stack has no store `{}` of kind s3: what was set up there can't "
                            "be reached",
                            name));
  }
  auto& store = stores_[name];
  if (!store) store = make_s3_admin(*stanza, name, given_);
  return *store;
}

}  // namespace headrace
