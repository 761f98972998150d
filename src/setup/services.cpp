#include "setup/services.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <pugixml.hpp>

#include "core/error.h"
#include "core/json.h"
#include "net/http.h"

namespace headrace::setup {
namespace {

using simdjson::dom::element;

std::string text_of(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Error refusal(std::string_view what, int status, const std::string& code,
              const std::string& message) {
  const std::string text =
      fmt::format("{}: {} {}{}{}", what, status, code.empty() ? "without a code" : code,
                  message.empty() ? "" : ": ", message.substr(0, 500));
  const bool passing = status >= 500 || status == 429 || code.contains("Throttl") ||
                       code.contains("TooManyRequests");
  return Error(passing ? ErrorKind::kTransient : ErrorKind::kInvalid, text);
}

std::string form_text(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    text += uri_encode(name) + "=" + uri_encode(value);
  }
  return text;
}

/// "topic" in "arn:aws:sns:region:account:topic".
std::string_view last_part(std::string_view arn) { return arn.substr(arn.rfind(':') + 1); }

pugi::xml_document parse(const std::string& xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) {
    throw Error(ErrorKind::kTransient, "SNS: the answer is no XML");
  }
  return document;
}

pugi::xml_node find_node(const pugi::xml_node& root, std::string_view name) {
  return root.find_node([&](const pugi::xml_node& node) { return name == node.name(); });
}

/// The `value` beside the <key> of that name, as SNS writes maps.
std::string attribute_in(const std::string& xml, std::string_view name) {
  const auto document = parse(xml);
  const auto attributes = find_node(document, "Attributes");
  for (const auto entry : attributes.children("entry")) {
    if (name == entry.child_value("key")) return entry.child_value("value");
  }
  return "";
}

}  // namespace

struct Queues::Answer {
  int status = 0;
  Bytes body;
  std::string code;
  std::string message;
  std::string action;

  bool is_missing() const {
    return code.contains("NonExistentQueue") || code.contains("QueueDoesNotExist");
  }
  void must() const {
    if (status != 200) throw refusal("SQS " + action, status, code, message);
  }
};

std::string Queues::Queue::arn() const { return attribute("QueueArn"); }

std::string Queues::Queue::attribute(const std::string& name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? "" : found->second;
}

Queues::Queues(std::string endpoint, const std::string& region, HttpClient& client,
               CredentialsProvider& credentials, Clock& clock)
    : endpoint_(std::move(endpoint)),
      signer_(SigningScope{region, "sqs"}),
      client_(client),
      credentials_(credentials),
      clock_(clock) {}

Task<Queues::Answer> Queues::call(std::string action, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.url = parse_url(endpoint_);
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  request.headers.add("X-Amz-Target", "AmazonSQS." + action);
  request.body.bytes = body;
  const auto credentials = co_await credentials_.get();
  if (credentials) signer_.sign(request, *credentials, clock_.now(), sha256_hex(body));
  HttpAnswer given = co_await fetch(client_, std::move(request));
  Answer answer{given.status, std::move(given.body), "", "", std::move(action)};
  if (answer.status == 200) co_return answer;
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(answer.body).get(root) == simdjson::SUCCESS) {
    const std::string type = text_of(root, "__type");
    answer.code = type.substr(type.rfind('#') + 1);
    answer.message = text_of(root, "message");
    if (answer.message.empty()) answer.message = text_of(root, "Message");
  }
  const std::string_view legacy = given.headers.get("x-amzn-query-error");
  if (answer.code.empty()) answer.code = std::string(legacy.substr(0, legacy.find(';')));
  co_return answer;
}

Task<std::optional<Queues::Queue>> Queues::find(std::string name) {
  JsonWriter json;
  json.begin_object().key("QueueName").string(name).end_object();
  const Answer found = co_await call("GetQueueUrl", std::move(json).text());
  if (found.is_missing()) co_return std::nullopt;
  found.must();
  simdjson::dom::parser parser;
  element root;
  Queue queue;
  if (parser.parse(found.body).get(root) == simdjson::SUCCESS)
    queue.url = text_of(root, "QueueUrl");
  if (queue.url.empty()) throw Error(ErrorKind::kTransient, "SQS GetQueueUrl: no URL came");
  JsonWriter ask;
  ask.begin_object().key("QueueUrl").string(queue.url);
  ask.key("AttributeNames").begin_array().string("All").end_array().end_object();
  const Answer attributes = co_await call("GetQueueAttributes", std::move(ask).text());
  if (attributes.is_missing()) co_return std::nullopt;
  attributes.must();
  simdjson::dom::object given;
  if (parser.parse(attributes.body)["Attributes"].get(given) == simdjson::SUCCESS) {
    for (const auto& [key, value] : given) {
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) queue.attributes.emplace(key, text);
    }
  }
  co_return queue;
}

Task<> Queues::create(std::string name) {
  JsonWriter json;
  json.begin_object().key("QueueName").string(name).end_object();
  const Answer answer = co_await call("CreateQueue", std::move(json).text());
  answer.must();
}

Task<> Queues::set(std::string url, std::map<std::string, std::string> attributes) {
  JsonWriter json;
  json.begin_object().key("QueueUrl").string(url).key("Attributes").begin_object();
  for (const auto& [name, value] : attributes) json.key(name).string(value);
  json.end_object().end_object();
  const Answer answer = co_await call("SetQueueAttributes", std::move(json).text());
  answer.must();
}

Task<> Queues::remove(std::string url) {
  JsonWriter json;
  json.begin_object().key("QueueUrl").string(url).end_object();
  const Answer answer = co_await call("DeleteQueue", std::move(json).text());
  if (!answer.is_missing()) answer.must();
}

Task<std::optional<std::string>> Topics::call(std::string action, Fields fields) {
  Fields form{{"Action", action}, {"Version", "2010-03-31"}};
  form.insert(form.end(), fields.begin(), fields.end());
  const HttpAnswer answer = co_await post_(form_text(form));
  if (answer.status / 100 == 2) co_return answer.body;
  std::string code;
  std::string message;
  pugi::xml_document document;
  if (document.load_buffer(answer.body.data(), answer.body.size())) {
    code = find_node(document, "Code").child_value();
    message = find_node(document, "Message").child_value();
  }
  if (answer.status == 404 && code != "NoSuchBucket") co_return std::nullopt;
  throw refusal("SNS " + action, answer.status, code, message);
}

Task<std::optional<Topics::Topic>> Topics::find(std::string name) {
  std::string next;
  do {
    const auto xml =
        co_await call("ListTopics", next.empty() ? Fields{} : Fields{{"NextToken", next}});
    if (!xml) co_return std::nullopt;
    const auto document = parse(*xml);
    for (const auto member : find_node(document, "Topics").children("member")) {
      const std::string arn = member.child_value("TopicArn");
      if (last_part(arn) != name) continue;
      co_return Topic{arn, member.child("EndPoint").child_value("EndpointAddress")};
    }
    next = find_node(document, "NextToken").child_value();
  } while (!next.empty());
  co_return std::nullopt;
}

Task<> Topics::create(std::string name, Fields attributes) {
  Fields fields{{"Name", std::move(name)}};
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    fields.emplace_back(fmt::format("Attributes.entry.{}.key", i + 1), attributes[i].first);
    fields.emplace_back(fmt::format("Attributes.entry.{}.value", i + 1), attributes[i].second);
  }
  const auto made = co_await call("CreateTopic", std::move(fields));
  if (!made) throw Error(ErrorKind::kInvalid, "CreateTopic: the store knows no topics");
}

Task<> Topics::remove(std::string arn) {
  co_await call("DeleteTopic", Fields{{"TopicArn", std::move(arn)}});
}

Task<std::string> Topics::policy(std::string arn) {
  const auto xml = co_await call("GetTopicAttributes", Fields{{"TopicArn", std::move(arn)}});
  co_return xml ? attribute_in(*xml, "Policy") : "";
}

Task<> Topics::set_policy(std::string arn, std::string policy) {
  co_await call("SetTopicAttributes", Fields{{"TopicArn", std::move(arn)},
                                             {"AttributeName", "Policy"},
                                             {"AttributeValue", std::move(policy)}});
}

Task<std::optional<std::string>> Topics::find_subscription(std::string topic_arn,
                                                           std::string queue_arn) {
  std::string next;
  do {
    Fields fields{{"TopicArn", topic_arn}};
    if (!next.empty()) fields.emplace_back("NextToken", next);
    const auto xml = co_await call("ListSubscriptionsByTopic", std::move(fields));
    if (!xml) co_return std::nullopt;
    const auto document = parse(*xml);
    for (const auto member : find_node(document, "Subscriptions").children("member")) {
      if (queue_arn == member.child_value("Endpoint")) {
        co_return std::string(member.child_value("SubscriptionArn"));
      }
    }
    next = find_node(document, "NextToken").child_value();
  } while (!next.empty());
  co_return std::nullopt;
}

Task<> Topics::subscribe(std::string topic_arn, std::string queue_arn) {
  const auto done = co_await call("Subscribe", Fields{{"TopicArn", std::move(topic_arn)},
                                                      {"Protocol", "sqs"},
                                                      {"Endpoint", std::move(queue_arn)}});
  if (!done) throw Error(ErrorKind::kTransient, "SNS Subscribe: the topic is not there yet");
}

Task<> Topics::unsubscribe(std::string subscription_arn) {
  co_await call("Unsubscribe", Fields{{"SubscriptionArn", std::move(subscription_arn)}});
}

Topics::Post sns_post(std::string endpoint, std::string region, HttpClient& client,
                      CredentialsProvider& credentials, Clock& clock) {
  auto signer = std::make_shared<Signer>(SigningScope{std::move(region), "sns"});
  return [endpoint = std::move(endpoint), signer, &client, &credentials,
          &clock](std::string form) -> Task<HttpAnswer> {
    HttpRequest request;
    request.method = "POST";
    request.url = parse_url(endpoint);
    request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    const std::string hash = sha256_hex(form);
    request.body.bytes = std::move(form);
    const auto given = co_await credentials.get();
    if (given) signer->sign(request, *given, clock.now(), hash);
    co_return co_await fetch(client, std::move(request));
  };
}

}  // namespace headrace::setup
