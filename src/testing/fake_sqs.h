#pragma once

#include <simdjson.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/signal.h"
#include "net/http_server.h"
#include "source/digest.h"

namespace headrace {

/// An SQS queue over HTTP for tests, which can be told to answer oddly. Time does not pass in it: a
/// message stays hidden until redeliver().
class FakeSqs {
 public:
  explicit FakeSqs(const Executor& executor)
      : server_(
            executor, {}, [this](ServedRequest request) { return handle(std::move(request)); },
            silent_log()) {}

  Task<> run() { return server_.run(); }
  std::string endpoint() const { return fmt::format("http://127.0.0.1:{}", server_.port()); }

  struct Message {
    std::string body;
    int receives = 0;
    bool hidden = false;
    bool damaged = false;
    std::string receipt{};
  };
  void put(std::string body, int receives = 0) {
    messages_.push_back({std::move(body), receives});
    arrived_.notify_all();
  }
  void put_damaged(std::string body) {
    put(std::move(body));
    messages_.back().damaged = true;
  }
  void redeliver() {
    for (Message& message : messages_) message.hidden = false;
    arrived_.notify_all();
  }
  std::size_t left() const { return messages_.size(); }

  /// The next call of `action` is answered with this, after it was done if `done`.
  void answer_once(const std::string& action, int status, std::string body, bool done = false) {
    odd_[action].push_back({status, std::move(body), done});
  }
  /// Polls that wait are answered at once from now on.
  void stop_waiting() {
    waiting_ = false;
    arrived_.notify_all();
  }

  struct Call {
    std::string action;
    std::string body;
    Headers headers;
  };
  std::vector<Call> calls;
  std::size_t count(std::string_view action) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(calls, [&](const Call& call) { return call.action == action; }));
  }
  const Call& last(std::string_view action) const {
    return *std::find_if(calls.rbegin(), calls.rend(),
                         [&](const Call& call) { return call.action == action; });
  }

 private:
  struct Odd {
    int status;
    std::string body;
    bool done;
  };

  Task<ServedAnswer> handle(ServedRequest request) {
    const std::string action(request.headers.get("X-Amz-Target").substr(sizeof("AmazonSQS.") - 1));
    calls.push_back({action, request.body, request.headers});
    auto& odd = odd_[action];
    if (!odd.empty()) {
      const Odd answer = odd.front();
      odd.pop_front();
      if (answer.done) co_await act(action, request.body);
      co_return ServedAnswer{answer.status, {}, answer.body};
    }
    co_return ServedAnswer{200, {}, co_await act(action, request.body)};
  }

  Task<std::string> act(std::string action, std::string body) {
    simdjson::dom::parser parser;
    const simdjson::dom::element call = parser.parse(body);
    if (action == "GetQueueUrl") co_return R"({"QueueUrl":"http://127.0.0.1/1/queue"})";
    if (action == "GetQueueAttributes") co_return R"({"Attributes":{"VisibilityTimeout":"40"}})";
    if (action == "ReceiveMessage") {
      co_return co_await receive(std::size_t(std::int64_t(call["MaxNumberOfMessages"])),
                                 std::int64_t(call["WaitTimeSeconds"]));
    }
    for (const auto& entry : simdjson::dom::array(call["Entries"])) {
      const auto receipt = std::string(entry["ReceiptHandle"].get_string().value());
      if (action == "DeleteMessageBatch") {
        std::erase_if(messages_, [&](const Message& m) { return m.receipt == receipt; });
      } else if (std::int64_t(entry["VisibilityTimeout"]) == 0) {
        for (Message& message : messages_) message.hidden &= message.receipt != receipt;
      }
    }
    co_return R"({"Successful":[],"Failed":[]})";
  }

  Task<std::string> receive(std::size_t most, std::int64_t wait) {
    const auto visible = [](const Message& message) { return !message.hidden; };
    while (wait > 1 && waiting_ && std::ranges::none_of(messages_, visible)) {
      co_await arrived_.wait();
    }
    JsonWriter json;
    json.begin_object().key("Messages").begin_array();
    for (Message& message : messages_) {
      if (message.hidden || most == 0) continue;
      --most;
      message.hidden = true;
      message.receipt = fmt::format("receipt-{}", ++receipts_);
      json.begin_object().key("MessageId").string(fmt::format("id-{}", receipts_));
      json.key("ReceiptHandle").string(message.receipt).key("Body").string(message.body);
      json.key("MD5OfBody").string(md5_hex(message.body + (message.damaged ? "?" : "")));
      json.key("Attributes").begin_object().key("ApproximateReceiveCount");
      json.string(std::to_string(++message.receives)).end_object().end_object();
    }
    json.end_array().end_object();
    co_return std::move(json).text();
  }

  std::deque<Message> messages_;
  std::map<std::string, std::deque<Odd>> odd_;
  Signal arrived_;
  bool waiting_ = true;
  int receipts_ = 0;
  HttpServer server_;
};

}  // namespace headrace
