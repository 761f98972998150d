#include "setup/outside.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/json.h"
#include "setup/policy.h"
#include "store/s3/failure.h"
#include "store/s3/messages.h"

namespace headrace::setup {
namespace {

constexpr std::string_view kStoreHome = "store ";

/// "landing" in "queue landing"; empty if `text` does not begin with `word`.
std::string after(std::string_view text, std::string_view word) {
  if (!text.starts_with(word) || text.size() <= word.size()) return "";
  return std::string(text.substr(word.size() + 1));
}

std::string last_part(std::string_view arn) { return std::string(arn.substr(arn.rfind(':') + 1)); }

/// `found`, or `wanted` if that leaves out only the region, which MinIO fills in:
/// "arn arn:minio:sqs:us-east-1:H1:webhook" and "arn arn:minio:sqs::H1:webhook".
std::string as_written(const std::string& found, const std::string& wanted) {
  const std::size_t gap = wanted.find("::");
  if (gap == std::string::npos) return found;
  const std::string head = wanted.substr(0, gap + 1);
  const std::string tail = wanted.substr(gap + 1);
  const bool same = found.size() >= wanted.size() && found.starts_with(head) &&
                    found.ends_with(tail) &&
                    found.find(':', head.size()) == found.size() - tail.size();
  return same ? wanted : found;
}

std::string seconds_text(const std::string& seconds) {
  return format_duration(std::chrono::seconds(std::atoll(seconds.c_str())));
}

std::string text_seconds(const std::string& text) {
  const auto span = parse_duration(text);
  return std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(span.value_or(Duration{})).count());
}

/// "landing-dead after 5" out of a RedrivePolicy.
std::string redrive_text(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view target;
  if (parser.parse(json).get(root) != simdjson::SUCCESS ||
      root["deadLetterTargetArn"].get(target) != simdjson::SUCCESS) {
    return "";
  }
  std::int64_t count = 0;
  std::string_view text;
  if (root["maxReceiveCount"].get(count) != simdjson::SUCCESS &&
      root["maxReceiveCount"].get(text) == simdjson::SUCCESS) {
    count = std::atoll(std::string(text).c_str());
  }
  return fmt::format("{} after {}", last_part(target), count);
}

Error refusal(const HttpAnswer& answer, std::string_view method, std::string_view where) {
  s3::Failure failure;
  failure.status = answer.status;
  if (const auto message = s3::parse_error(answer.body)) {
    failure.code = message->code;
    failure.text = message->text;
  }
  const Error error = s3::error_of(failure, method, where, {});
  // Amazon S3 tries whether it may send, and a policy just written is not seen at once.
  if (failure.text.contains("validate the following destination")) {
    return Error(ErrorKind::kTransient, error.what());
  }
  return error;
}

}  // namespace

struct Outside::Services {
  std::unique_ptr<CredentialsProvider> credentials;
  std::unique_ptr<Queues> queues;  // Null for topics of a store.
  std::unique_ptr<Topics> topics;
};

Outside::Outside(Given given) : given_(std::move(given)) {}
Outside::~Outside() = default;

Outside::Services& Outside::services(const std::string& home) {
  auto& services = services_[home];
  if (services) return *services;
  services = std::make_unique<Services>();
  if (home.starts_with(kStoreHome)) {
    S3Store& store = given_.store(home.substr(kStoreHome.size()));
    services->topics = std::make_unique<Topics>([&store](std::string form) {
      return store.call(
          {.method = "POST",
           .bucket = "",
           .body = std::move(form),
           .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}});
    });
    return *services;
  }
  const std::size_t space = home.find(' ');
  const std::string endpoint = home.substr(0, space);
  const std::string region = home.substr(space + 1);
  HttpClient& client = given_.client(home);
  const auto stanza = given_.credentials.find(home);
  services->credentials =
      make_credentials(stanza == given_.credentials.end() ? CredentialsStanza{} : stanza->second,
                       client, given_.clock);
  services->queues =
      std::make_unique<Queues>(endpoint, region, client, *services->credentials, given_.clock);
  std::string sns = endpoint;
  if (const std::size_t host = sns.find("//sqs."); host != std::string::npos) {
    sns.replace(host, 6, "//sns.");
  }
  services->topics =
      std::make_unique<Topics>(sns_post(sns, region, client, *services->credentials, given_.clock));
  return *services;
}

Task<Seen> Outside::look(Resource resource) {
  co_return co_await tries([&] { return look_now(resource); });
}

Task<> Outside::ensure(Resource resource) {
  co_await tries([&] { return ensure_now(resource); });
}

Task<> Outside::remove(Resource resource) {
  co_await tries([&] { return remove_now(resource); });
}

Task<Seen> Outside::look_now(const Resource& resource) {
  switch (resource.kind) {
    case Kind::kBucket:
      return look_bucket(resource);
    case Kind::kQueue:
      return look_queue(resource);
    case Kind::kTopic:
      return look_topic(resource);
    case Kind::kPermission:
      return look_permission(resource);
    case Kind::kSubscription:
      return look_subscription(resource);
    case Kind::kRule:
      return look_rule(resource);
  }
  throw Error(ErrorKind::kBug, "a kind of resource without a look");
}

Task<Seen> Outside::look_bucket(const Resource& resource) {
  Seen seen;
  S3Store& store = given_.store(resource.home);
  seen.there = co_await store.has_bucket(resource.name);
  if (!seen.there || !resource.settings.contains("versioning")) co_return seen;
  const HttpAnswer answer =
      co_await must_call(resource.home, {.bucket = resource.name, .query = {{"versioning", ""}}});
  const bool on = s3::find_element(answer.body, "Status") == "Enabled";
  seen.settings["versioning"] = on ? "on" : "off";
  co_return seen;
}

Task<Seen> Outside::look_queue(const Resource& resource) {
  const auto queue = co_await services(resource.home).queues->find(resource.name);
  if (!queue) co_return Seen{};
  Seen seen{.there = true};
  seen.settings["visibility"] = seconds_text(queue->attribute("VisibilityTimeout"));
  seen.settings["keep"] = seconds_text(queue->attribute("MessageRetentionPeriod"));
  seen.settings["dead_letters"] = redrive_text(queue->attribute("RedrivePolicy"));
  co_return seen;
}

Task<Seen> Outside::look_topic(const Resource& resource) {
  const auto topic = co_await services(resource.home).topics->find(resource.name);
  if (!topic) co_return Seen{};
  Seen seen{.there = true};
  const auto wanted = resource.settings.find("push_to");
  if (wanted == resource.settings.end()) co_return seen;
  // Some stores don't say where a topic pushes to: then it is taken to be as it should.
  seen.settings["push_to"] = topic->push_to.empty() ? wanted->second : topic->push_to;
  co_return seen;
}

Task<std::string> Outside::arn_of(std::string text, std::string home) {
  if (std::string arn = after(text, "arn"); !arn.empty()) co_return arn;
  if (std::string name = after(text, "queue"); !name.empty()) {
    const auto queue = co_await services(home).queues->find(name);
    co_return queue ? queue->arn() : "";
  }
  if (std::string name = after(text, "topic"); !name.empty()) {
    const auto topic = co_await services(home).topics->find(name);
    co_return topic ? topic->arn : "";
  }
  co_return "arn:aws:s3:::" + after(text, "bucket");
}

Task<std::optional<Outside::Guarded>> Outside::guarded(const Resource& permission) {
  Services& there = services(permission.home);
  if (std::string name = after(permission.name, "queue"); !name.empty()) {
    const auto queue = co_await there.queues->find(name);
    if (!queue) co_return std::nullopt;
    co_return Guarded{queue->arn(), queue->attribute("Policy"), queue->url};
  }
  const std::string arn = co_await arn_of(permission.name, permission.home);
  if (arn.empty()) co_return std::nullopt;
  co_return Guarded{arn, co_await there.topics->policy(arn), ""};
}

Task<> Outside::set_policy(const Resource& permission, const Guarded& guarded, std::string policy) {
  Services& there = services(permission.home);
  if (guarded.url.empty()) {
    co_await there.topics->set_policy(guarded.arn, std::move(policy));
  } else {
    co_await there.queues->set(guarded.url, {{"Policy", std::move(policy)}});
  }
}

Task<Seen> Outside::look_permission(const Resource& resource) {
  const auto found = co_await guarded(resource);
  if (!found) co_return Seen{};
  const auto sender = sender_of(found->policy, resource.id);
  if (!sender) co_return Seen{};
  const std::string word = sender->contains(":s3:") ? "bucket " : "topic ";
  co_return Seen{.there = true, .settings = {{"sender", word + last_part(*sender)}}};
}

Task<Seen> Outside::look_subscription(const Resource& resource) {
  const std::string topic = co_await arn_of("topic " + resource.name, resource.home);
  const std::string queue = co_await arn_of("queue " + resource.id, resource.home);
  if (topic.empty() || queue.empty()) co_return Seen{};
  const auto found = co_await services(resource.home).topics->find_subscription(topic, queue);
  co_return Seen{.there = found.has_value()};
}

Task<std::string> Outside::notification(const Resource& rule) {
  const HttpAnswer answer =
      co_await given_.store(rule.home).call({.bucket = rule.name, .query = {{"notification", ""}}});
  if (answer.status == 404) co_return "";
  if (answer.status / 100 != 2) {
    throw refusal(answer, "GET ?notification", rule.home + "://" + rule.name);
  }
  co_return answer.body;
}

Task<Seen> Outside::look_rule(const Resource& resource) {
  const std::vector<Rule> rules = read_rules(co_await notification(resource));
  const auto setting = [&](std::string_view name) {
    const auto found = resource.settings.find(name);
    return found == resource.settings.end() ? std::string() : found->second;
  };
  const std::string to = setting("to");
  Rule ours{resource.id, "", events_of(setting("events")), setting("prefix"), setting("suffix")};
  // Others than Amazon let rules overlap.
  const bool strict = !to.starts_with("arn ") && !resource.via.starts_with(kStoreHome);
  Seen seen;
  for (const Rule& rule : rules) {
    if (rule.id != resource.id) {
      if (!to.empty() && strict && overlap(ours, rule)) {
        seen.problem = fmt::format(
            "bucket {}://{}: the notification `{}` of somebody else (to {}, prefix '{}', suffix "
            "'{}') overlaps with `{}`, which the store does not allow; narrow one of them",
            resource.home, resource.name, rule.id, rule.target, rule.prefix, rule.suffix,
            resource.id);
      }
      continue;
    }
    seen.there = true;
    std::string word = to.substr(0, to.find(' '));
    seen.settings = {
        {"events", events_text(rule.events)},
        {"prefix", rule.prefix},
        {"suffix", rule.suffix},
        {"to", word == "arn" ? as_written("arn " + rule.target, to)
                             : (rule.to_topic ? "topic " : "queue ") + last_part(rule.target)}};
  }
  co_return seen;
}

Task<> Outside::ensure_now(const Resource& resource) {
  switch (resource.kind) {
    case Kind::kBucket:
      return ensure_bucket(resource);
    case Kind::kQueue:
      return ensure_queue(resource);
    case Kind::kTopic:
      return ensure_topic(resource);
    case Kind::kSubscription:
      return ensure_subscription(resource);
    case Kind::kRule:
      return ensure_rule(resource);
    case Kind::kPermission:
      return ensure_permission(resource);
  }
  throw Error(ErrorKind::kBug, "a kind of resource that can't be made");
}

Task<> Outside::ensure_permission(const Resource& resource) {
  const auto found = co_await guarded(resource);
  std::string sender = co_await arn_of(resource.settings.at("sender"), resource.home);
  if (!found || sender.empty()) {
    throw Error(ErrorKind::kTransient, resource.text() + ": one side is not there yet");
  }
  if (found->arn.starts_with("arn:aws-cn:") && sender.starts_with("arn:aws:")) {
    sender.replace(0, 8, "arn:aws-cn:");
  }
  co_await set_policy(resource, *found,
                      with_permission(found->policy, {resource.id, found->arn, sender}));
}

Task<> Outside::ensure_bucket(const Resource& resource) {
  co_await given_.store(resource.home).create_bucket(resource.name);
  if (!resource.settings.contains("versioning")) co_return;
  co_await must_call(
      resource.home,
      {.method = "PUT",
       .bucket = resource.name,
       .query = {{"versioning", ""}},
       .body = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
               "<Status>Enabled</Status></VersioningConfiguration>"});
}

Task<> Outside::ensure_queue(const Resource& resource) {
  Queues& queues = *services(resource.home).queues;
  auto queue = co_await queues.find(resource.name);
  if (!queue) {
    co_await queues.create(resource.name);
    queue = co_await queues.find(resource.name);
    if (!queue) throw Error(ErrorKind::kTransient, resource.text() + ": not there yet");
  }
  std::map<std::string, std::string> attributes;
  for (const auto& [name, value] : resource.settings) {
    if (name == "visibility") attributes["VisibilityTimeout"] = text_seconds(value);
    if (name == "keep") attributes["MessageRetentionPeriod"] = text_seconds(value);
    if (name != "dead_letters") continue;
    const std::size_t space = value.find(' ');
    const std::string dead = co_await arn_of("queue " + value.substr(0, space), resource.home);
    JsonWriter json;
    json.begin_object().key("deadLetterTargetArn").string(dead);
    json.key("maxReceiveCount").string(value.substr(value.rfind(' ') + 1)).end_object();
    attributes["RedrivePolicy"] = std::move(json).text();
  }
  if (!attributes.empty()) co_await queues.set(queue->url, std::move(attributes));
}

Task<> Outside::ensure_topic(const Resource& resource) {
  Fields attributes;
  if (const auto push_to = resource.settings.find("push_to"); push_to != resource.settings.end()) {
    attributes = {{"push-endpoint", push_to->second}, {"persistent", "true"}};
  }
  co_await services(resource.home).topics->create(resource.name, std::move(attributes));
}

Task<> Outside::ensure_subscription(const Resource& resource) {
  const std::string topic = co_await arn_of("topic " + resource.name, resource.home);
  const std::string queue = co_await arn_of("queue " + resource.id, resource.home);
  if (topic.empty() || queue.empty()) {
    throw Error(ErrorKind::kTransient, resource.text() + ": one side is not there yet");
  }
  co_await services(resource.home).topics->subscribe(topic, queue);
}

Task<> Outside::ensure_rule(const Resource& resource) {
  const std::string to = resource.settings.at("to");
  Rule rule{resource.id,
            co_await arn_of(to, resource.via),
            events_of(resource.settings.at("events")),
            resource.settings.at("prefix"),
            resource.settings.at("suffix"),
            to.starts_with("topic ")};
  if (rule.target.empty()) {
    throw Error(ErrorKind::kTransient, resource.text() + ": its target is not there yet");
  }
  std::string xml = with_rule(co_await notification(resource), rule);
  co_await must_call(resource.home, {.method = "PUT",
                                     .bucket = resource.name,
                                     .query = {{"notification", ""}},
                                     .body = std::move(xml)});
}

Task<> Outside::remove_now(const Resource& resource) {
  switch (resource.kind) {
    case Kind::kBucket:
      co_await given_.store(resource.home).remove_bucket(resource.name);
      break;
    case Kind::kQueue: {
      Queues& queues = *services(resource.home).queues;
      if (const auto queue = co_await queues.find(resource.name))
        co_await queues.remove(queue->url);
      break;
    }
    case Kind::kTopic: {
      const std::string arn = co_await arn_of("topic " + resource.name, resource.home);
      if (!arn.empty()) co_await services(resource.home).topics->remove(arn);
      break;
    }
    case Kind::kPermission: {
      const auto found = co_await guarded(resource);
      if (!found || !sender_of(found->policy, resource.id)) break;
      co_await set_policy(resource, *found, without_permission(found->policy, resource.id));
      break;
    }
    case Kind::kSubscription: {
      const std::string topic = co_await arn_of("topic " + resource.name, resource.home);
      const std::string queue = co_await arn_of("queue " + resource.id, resource.home);
      if (topic.empty() || queue.empty()) break;
      Topics& topics = *services(resource.home).topics;
      const auto found = co_await topics.find_subscription(topic, queue);
      if (found) co_await topics.unsubscribe(*found);
      break;
    }
    case Kind::kRule:
      co_await remove_rule(resource);
      break;
  }
}

Task<> Outside::remove_rule(const Resource& resource) {
  const std::string before = co_await notification(resource);
  const bool there = std::ranges::any_of(read_rules(before),
                                         [&](const Rule& rule) { return rule.id == resource.id; });
  if (!there) co_return;
  if (resource.via.starts_with(kStoreHome)) {
    // Ceph adds what is put to what there is, and has a request of its own to remove. To any other
    // store the same request could mean the bucket itself.
    co_await must_call(
        resource.home,
        {.method = "DELETE", .bucket = resource.name, .query = {{"notification", resource.id}}});
    co_return;
  }
  co_await must_call(resource.home, {.method = "PUT",
                                     .bucket = resource.name,
                                     .query = {{"notification", ""}},
                                     .body = without_rule(before, resource.id)});
}

Task<HttpAnswer> Outside::must_call(const std::string& store, S3Store::RawCall call) {
  const std::string method = call.method + " ?" + call.query.at(0).first;
  const std::string where = store + "://" + call.bucket;
  HttpAnswer answer = co_await given_.store(store).call(std::move(call));
  if (answer.status / 100 != 2) throw refusal(answer, method, where);
  co_return answer;
}

}  // namespace headrace::setup
