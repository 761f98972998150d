#include "source/sqs/sqs_queue.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "source/digest.h"

namespace headrace {
namespace {

using simdjson::dom::element;

/// Ten messages of 1 MiB with every byte escaped would be more; nobody sends such.
constexpr std::uint64_t kMostAnswer = 32u << 20;
constexpr Duration kSkewThatMatters = std::chrono::minutes(4);

std::string text_of(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

element parse(simdjson::dom::parser& parser, const Bytes& body) {
  element root;
  if (parser.parse(body).get(root) != simdjson::SUCCESS) {
    throw Error(ErrorKind::kTransient, "SQS: the answer is no JSON");
  }
  return root;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "sqs.eu-central-1.amazonaws.com" and "eu-central-1.queue.amazonaws.com" name their region.
std::string region_of_host(std::string_view host) {
  const auto labels = split(host, '.');
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == "sqs" && i + 1 < labels.size()) return std::string(labels[i + 1]);
    if (labels[i] == "queue" && i > 0) return std::string(labels[i - 1]);
  }
  return "";
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

/// "Sun, 22 Nov 2026 21:00:00 GMT" of a Date header.
std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  return parse_time(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month / 3 + 1,
                                text.substr(5, 2), text.substr(17, 8)));
}

Attributes attributes_of(const element& message) {
  Attributes attributes;
  simdjson::dom::object given;
  if (message["MessageAttributes"].get(given) != simdjson::SUCCESS) return attributes;
  for (const auto& [name, value] : given) {
    std::string_view text;
    if (value["StringValue"].get(text) == simdjson::SUCCESS) {
      attributes.emplace_back(name, text);
    }
  }
  return attributes;
}

SqsMessage message_of(const element& given) {
  SqsMessage message;
  message.id = text_of(given, "MessageId");
  message.receipt = text_of(given, "ReceiptHandle");
  message.body = text_of(given, "Body");
  const std::string digest = text_of(given, "MD5OfBody");
  message.whole = digest.empty() || digest == md5_hex(message.body);
  element system;
  if (given["Attributes"].get(system) == simdjson::SUCCESS) {
    const std::string count = text_of(system, "ApproximateReceiveCount");
    if (!count.empty()) message.receives = std::atoi(count.c_str());
  }
  message.attributes = attributes_of(given);
  return message;
}

std::int64_t seconds(Duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

}  // namespace

/// An answer that is no success.
struct SqsQueue::Answer {
  int status = 0;
  Bytes body;
  std::string code;
  std::string message;
  Duration retry_after{};
  std::optional<Time> date;
  std::optional<Credentials> used;

  bool ok() const { return status == 200; }
};

SqsQueue::SqsQueue(SqsAddress address, HttpClient& client, CredentialsProvider& credentials,
                   Clock& clock)
    : address_(std::move(address)), client_(client), credentials_(credentials), clock_(clock) {
  if (is_url(address_.queue)) {
    url_ = address_.queue;
    const Url url = parse_url(url_);
    if (address_.region.empty()) address_.region = region_of_host(url.host);
    if (address_.endpoint.empty()) {
      address_.endpoint = fmt::format("{}://{}", url.scheme, url.authority());
      if (address_.region.empty()) address_.region = "us-east-1";  // A stand-in: any will do.
    }
  } else if (address_.queue.starts_with("arn:")) {
    const auto parts = split(address_.queue, ':');
    if (parts.size() != 6 || parts[2] != "sqs") {
      throw Error(ErrorKind::kInvalid, address_.queue + " is not the ARN of a queue");
    }
    if (address_.region.empty()) address_.region = std::string(parts[3]);
    account_ = std::string(parts[4]);
    address_.queue = std::string(parts[5]);
  }
  if (address_.region.empty()) {
    if (address_.endpoint.empty()) {
      throw Error(ErrorKind::kInvalid, "queue " + address_.queue +
                                           ": its region is not known; give `region`, or the "
                                           "queue's URL or ARN");
    }
    address_.region = "us-east-1";
  }
  if (address_.endpoint.empty()) {
    address_.endpoint =
        fmt::format("https://sqs.{}.amazonaws.com{}", address_.region,
                    address_.region.starts_with("cn-") ? std::string_view(".cn") : "");
  }
  endpoint_ = parse_url(address_.endpoint);
  signer_ = std::make_unique<Signer>(SigningScope{address_.region, "sqs"});
}

Task<> SqsQueue::open() {
  if (!url_.empty()) co_return;
  JsonWriter json;
  json.begin_object().key("QueueName").string(address_.queue);
  if (!account_.empty()) json.key("QueueOwnerAWSAccountId").string(account_);
  json.end_object();
  const Bytes body = co_await call("GetQueueUrl", std::move(json).text());
  simdjson::dom::parser parser;
  url_ = text_of(parse(parser, body), "QueueUrl");
  if (url_.empty()) throw Error(ErrorKind::kTransient, "SQS GetQueueUrl: the answer has no URL");
}

Task<std::optional<Duration>> SqsQueue::visibility_timeout() {
  JsonWriter json;
  json.begin_object().key("QueueUrl").string(url_);
  json.key("AttributeNames").begin_array().string("VisibilityTimeout").end_array().end_object();
  Bytes body;
  try {
    body = co_await call("GetQueueAttributes", std::move(json).text());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid ||
        !has_any(error.what(), {"AccessDenied", "not authorized"})) {
      throw;
    }
    co_return std::nullopt;
  }
  simdjson::dom::parser parser;
  element attributes;
  if (parse(parser, body)["Attributes"].get(attributes) != simdjson::SUCCESS) {
    co_return std::nullopt;
  }
  const std::string text = text_of(attributes, "VisibilityTimeout");
  if (text.empty()) co_return std::nullopt;
  co_return std::chrono::seconds(std::atoi(text.c_str()));
}

Task<std::vector<SqsMessage>> SqsQueue::receive(int most, Duration wait, Duration visibility) {
  JsonWriter json;
  json.begin_object().key("QueueUrl").string(url_).key("MaxNumberOfMessages").number(most);
  json.key("WaitTimeSeconds").number(seconds(wait));
  json.key("VisibilityTimeout").number(seconds(visibility));
  // The same under its old name, which is the one that stand-ins know.
  for (const char* name : {"AttributeNames", "MessageSystemAttributeNames"}) {
    json.key(name).begin_array().string("ApproximateReceiveCount").end_array();
  }
  json.key("MessageAttributeNames").begin_array().string("All").end_array().end_object();
  const Bytes body = co_await call("ReceiveMessage", std::move(json).text());
  simdjson::dom::parser parser;
  simdjson::dom::array given;
  std::vector<SqsMessage> messages;
  if (parse(parser, body)["Messages"].get(given) != simdjson::SUCCESS) co_return messages;
  for (const element& one : given) messages.push_back(message_of(one));
  co_return messages;
}

Task<std::vector<SqsQueue::Failed>> SqsQueue::remove(std::vector<std::string> receipts) {
  return batch("DeleteMessageBatch", std::move(receipts), std::nullopt);
}

Task<std::vector<SqsQueue::Failed>> SqsQueue::extend(std::vector<std::string> receipts,
                                                     Duration visibility) {
  return batch("ChangeMessageVisibilityBatch", std::move(receipts), visibility);
}

Task<std::vector<SqsQueue::Failed>> SqsQueue::batch(std::string action,
                                                    std::vector<std::string> receipts,
                                                    std::optional<Duration> visibility) {
  JsonWriter json;
  json.begin_object().key("QueueUrl").string(url_).key("Entries").begin_array();
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    json.begin_object().key("Id").string(std::to_string(i));
    json.key("ReceiptHandle").string(receipts[i]);
    if (visibility) json.key("VisibilityTimeout").number(seconds(*visibility));
    json.end_object();
  }
  json.end_array().end_object();
  const Bytes body = co_await call(std::move(action), std::move(json).text());
  simdjson::dom::parser parser;
  simdjson::dom::array given;
  std::vector<Failed> failed;
  if (parse(parser, body)["Failed"].get(given) != simdjson::SUCCESS) co_return failed;
  for (const element& one : given) {
    const auto entry = static_cast<std::size_t>(std::atoll(text_of(one, "Id").c_str()));
    if (entry >= receipts.size()) continue;
    bool senders = false;
    if (one["SenderFault"].get(senders) != simdjson::SUCCESS) senders = false;
    failed.push_back({entry, senders, text_of(one, "Code") + ": " + text_of(one, "Message")});
  }
  co_return failed;
}

Task<Bytes> SqsQueue::call(std::string name, std::string body) {
  Answer answer = co_await try_call(name, body);
  if (!answer.ok() && mend(answer)) answer = co_await try_call(name, body);
  if (!answer.ok()) throw refusal(name, answer);
  co_return std::move(answer.body);
}

Task<SqsQueue::Answer> SqsQueue::try_call(const std::string& name, const std::string& body) {
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint_;
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  request.headers.add("X-Amz-Target", "AmazonSQS." + name);
  request.body.bytes = body;
  Answer answer;
  answer.used = co_await credentials_.get();
  if (answer.used) signer_->sign(request, *answer.used, clock_.now() + skew_, sha256_hex(body));
  HttpAnswer given = co_await fetch(client_, std::move(request), kMostAnswer);
  answer.status = given.status;
  answer.date = parse_http_date(given.headers.get("Date"));
  answer.body = std::move(given.body);
  if (answer.ok()) co_return answer;
  answer.retry_after = std::chrono::seconds(
      std::clamp(std::atoi(std::string(given.headers.get("Retry-After")).c_str()), 0, 300));
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(answer.body).get(root) == simdjson::SUCCESS) {
    const std::string type = text_of(root, "__type");
    answer.code = type.substr(type.rfind('#') + 1);  // npos + 1 is 0.
    answer.message = text_of(root, "message");
    if (answer.message.empty()) answer.message = text_of(root, "Message");
  }
  if (answer.code.empty()) {
    const std::string_view legacy = given.headers.get("x-amzn-query-error");
    answer.code = std::string(legacy.substr(0, legacy.find(';')));
  }
  co_return answer;
}

bool SqsQueue::mend(const Answer& answer) {
  if (answer.status != 400 && answer.status != 401 && answer.status != 403) return false;
  if (answer.date && has_any(answer.code, {"RequestTimeTooSkewed", "RequestExpired",
                                           "InvalidSignature", "SignatureDoesNotMatch"})) {
    const Duration skew = *answer.date - clock_.now();
    if (std::chrono::abs(skew - skew_) > kSkewThatMatters) {
      skew_ = skew;
      return true;
    }
  }
  if (answer.used && has_any(answer.code, {"ExpiredToken", "InvalidClientTokenId",
                                           "UnrecognizedClient", "InvalidAccessKeyId"})) {
    credentials_.refused(*answer.used);
    return true;
  }
  return false;
}

Error SqsQueue::refusal(std::string_view name, const Answer& answer) const {
  const std::string what =
      fmt::format("SQS {} on queue {}: {} {}{}{}", name, address_.queue, answer.status,
                  answer.code.empty() ? "without a code" : answer.code,
                  answer.message.empty() ? "" : ": ", answer.message.substr(0, 500));
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(answer.retry_after);
  if (answer.status >= 500 || answer.status == 429 || answer.status == 408 ||
      has_any(answer.code, {"Throttl", "OverLimit", "TooManyRequests", "RequestTimeout",
                            "ServiceUnavailable", "InternalFailure"})) {
    return Error(ErrorKind::kTransient, what, pause);
  }
  if (has_any(answer.code, {"NonExistentQueue", "QueueDoesNotExist"})) {
    return Error(ErrorKind::kInvalid, what + "; does it exist in region " + address_.region + "?");
  }
  return Error(ErrorKind::kInvalid, what);
}

}  // namespace headrace
