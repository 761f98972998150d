#include "source/webhook/webhook_source.h"

#include <memory>
#include <set>
#include <utility>

#include "core/error.h"
#include "source/message_source.h"
#include "source/together.h"

namespace headrace {
namespace {

constexpr int kRetryAfterSeconds = 2;

ServedAnswer say(int status, std::string_view what) {
  ServedAnswer answer;
  answer.status = status;
  answer.headers.add("Content-Type", "text/plain");
  answer.body = std::string(what) + "\n";
  if (status == 429 || status == 503) {
    answer.headers.add("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  return answer;
}

/// CloudEvents 1.0 webhooks, section 4: a sender asks before it sends.
ServedAnswer allowed(const ServedRequest& request) {
  ServedAnswer answer;
  answer.headers.add("Allow", "POST, PUT, OPTIONS");
  if (const std::string* origin = request.headers.find("WebHook-Request-Origin")) {
    answer.headers.add("WebHook-Allowed-Origin", *origin);
    answer.headers.add("WebHook-Allowed-Rate", "*");
  }
  return answer;
}

class WebhookSource final : public MessageSource {
 public:
  WebhookSource(WebhookOptions options, std::shared_ptr<WebhookListener> listener,
                HttpClient& client, Store& store, KeyMatcher matcher, Clock& clock, const Log& log)
      : MessageSource(options.messages, store, std::move(matcher), clock, log),
        options_(std::move(options)),
        listener_(std::move(listener)),
        client_(client),
        log_(log) {
    listener_->add(
        options_.path, options_.body_bytes,
        [this](const ServedRequest& request) { return answer_unread(request); },
        [this](ServedRequest request) { return handle(std::move(request)); });
  }

  Task<> ack(Receipt receipt) override {
    messages_.ack(receipt);
    changed_.notify_all();
    co_return;
  }

  void drain() override {
    draining_ = true;
    changed_.notify_all();
  }

  Task<> run() override;
  void describe(JsonWriter& json) const override;

 private:
  /// A request that waits for its events to be durable. Lives in its handler's frame and, until
  /// the acknowledgement, in the queue's callback.
  struct Waiter {
    bool durable = false;
    Signal changed;
  };

  bool has_ended() const override { return draining_ && messages_.held() == 0; }
  Task<> until_stopped();
  Task<ServedAnswer> handle(ServedRequest request);
  std::optional<ServedAnswer> answer_unread(const ServedRequest& request);
  std::optional<ServedAnswer> refuse(const ServedRequest& request);
  ServedAnswer unauthorised(const ServedRequest& request);
  Task<ServedAnswer> take(ServedRequest request);
  Task<ServedAnswer> shake_hands(SnsHandshake handshake);
  Task<bool> durable(ReadMessage read);

  const WebhookOptions options_;
  const std::shared_ptr<WebhookListener> listener_;
  HttpClient& client_;
  const Log& log_;

  std::set<std::shared_ptr<Waiter>> waiters_;
  Signal never_;
  bool draining_ = false;
  bool stopping_ = false;

  std::uint64_t unauthorised_ = 0;
  std::uint64_t throttled_ = 0;
};

Task<> WebhookSource::run() {
  if (draining_) co_return;
  std::vector<Task<>> tasks;
  tasks.push_back(listener_->run());
  tasks.push_back(until_stopped());
  co_await together(std::move(tasks));
}

/// Whoever still waits for an answer when the engine stops is told to come again: nobody else would
/// end those requests, and the door waits for them.
Task<> WebhookSource::until_stopped() {
  std::exception_ptr cancelled;
  try {
    while (true) co_await never_.wait();
  } catch (...) {
    cancelled = std::current_exception();
  }
  stopping_ = true;
  for (const auto& waiter : waiters_) waiter->changed.notify_all();
  std::rethrow_exception(cancelled);
}

ServedAnswer WebhookSource::unauthorised(const ServedRequest& request) {
  if (++unauthorised_ == 1) {
    log_.warning("a request does not show the token or signature; more are only counted",
                 {{"source", options_.messages.name}, {"peer", request.peer}});
  }
  return say(401, "the token or signature is missing or wrong");
}

/// What is answered before the body is read: a stranger is to cost no memory.
std::optional<ServedAnswer> WebhookSource::answer_unread(const ServedRequest& request) {
  if (request.method == "OPTIONS") return allowed(request);
  if (request.method != "POST" && request.method != "PUT") {
    ServedAnswer answer = say(405, "events are posted here");
    answer.headers.add("Allow", "POST, PUT, OPTIONS");
    return answer;
  }
  if (!shows_token(options_.auth, request)) return unauthorised(request);
  return std::nullopt;
}

std::optional<ServedAnswer> WebhookSource::refuse(const ServedRequest& request) {
  if (!shows_signature(options_.auth, request)) return unauthorised(request);
  if (draining_ || stopping_) return say(503, "the engine is stopping");
  if (messages_.held() >= options_.pending) {
    ++throttled_;
    return say(429, "too many events wait to be written; come again later");
  }
  return std::nullopt;
}

Task<ServedAnswer> WebhookSource::handle(ServedRequest request) {
  if (auto refused = refuse(request)) co_return std::move(*refused);
  co_return co_await take(std::move(request));
}

Task<ServedAnswer> WebhookSource::take(ServedRequest request) {
  Attributes attributes;
  for (const auto& [name, value] : request.headers) attributes.emplace_back(name, value);
  ReadMessage read;
  std::optional<ServedAnswer> failed;
  try {
    read = co_await reader_.read(std::move(request.body), std::move(attributes));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    log_.warning("an event could not be checked with the store; its producer is told to repeat it",
                 {{"source", options_.messages.name}, {"error", error.what()}});
    failed = say(503, "the store could not be asked about the object");
  }
  if (failed) co_return std::move(*failed);
  if (read.handshake) co_return co_await shake_hands(std::move(*read.handshake));
  const bool is_durable = co_await durable(std::move(read));
  co_return is_durable ? say(200, "taken") : say(503, "the engine is stopping");
}

Task<bool> WebhookSource::durable(ReadMessage read) {
  const auto waiter = std::make_shared<Waiter>();
  messages_.push(std::move(read), [waiter] {
    waiter->durable = true;
    waiter->changed.notify_all();
  });
  changed_.notify_all();
  waiters_.insert(waiter);
  struct Leave {
    std::set<std::shared_ptr<Waiter>>& waiters;
    const std::shared_ptr<Waiter>& waiter;
    ~Leave() { waiters.erase(waiter); }
  } const leave{waiters_, waiter};
  while (!waiter->durable && !stopping_) co_await waiter->changed.wait();
  co_return waiter->durable;
}

Task<ServedAnswer> WebhookSource::shake_hands(SnsHandshake handshake) {
  const std::string& topic = handshake.topic_arn;
  if (handshake.kind == SnsHandshake::Kind::kUnsubscribe) {
    log_.warning("SNS says that this source gets a topic's messages no more",
                 {{"source", options_.messages.name}, {"topic", topic}});
    co_return say(200, "taken");
  }
  if (!is_sns_confirmation(handshake.subscribe_url, options_.trusted_sns)) {
    log_.warning("a subscription asks to be confirmed at a host that is not SNS's; not done",
                 {{"source", options_.messages.name}, {"topic", topic}});
    co_return say(403, "this host may not confirm subscriptions");
  }
  HttpRequest request;
  request.url = parse_url(handshake.subscribe_url);
  const HttpAnswer answer = co_await fetch(client_, std::move(request));
  if (answer.status / 100 != 2) {
    log_.warning("SNS did not confirm a subscription",
                 {{"source", options_.messages.name}, {"topic", topic}, {"status", answer.status}});
    co_return say(503, "the subscription was not confirmed");
  }
  log_.info("subscription confirmed", {{"source", options_.messages.name}, {"topic", topic}});
  co_return say(200, "confirmed");
}

void WebhookSource::describe(JsonWriter& json) const {
  json.key("path").string(options_.path);
  if (const auto bound = listener_->bound()) json.key("listen").string(*bound);
  reader_.describe(json);
  json.key("unacknowledged").number(static_cast<std::uint64_t>(messages_.held()));
  json.key("unauthorised").number(unauthorised_).key("throttled").number(throttled_);
}

}  // namespace

std::unique_ptr<Source> make_webhook_source(WebhookOptions options,
                                            std::shared_ptr<WebhookListener> listener,
                                            HttpClient& client, Store& store, KeyMatcher matcher,
                                            Clock& clock, const Log& log) {
  return std::make_unique<WebhookSource>(std::move(options), std::move(listener), client, store,
                                         std::move(matcher), clock, log);
}

}  // namespace headrace
