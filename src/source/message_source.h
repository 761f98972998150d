#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/signal.h"
#include "source/message_queue.h"
#include "source/messages.h"
#include "source/source.h"

namespace headrace {

/// What sources that are told of objects by messages have in common: a reader of messages, and a
/// queue of what was read. How messages come, and what their acknowledgement is, is each one's own.
class MessageSource : public Source {
 public:
  Task<std::optional<EventBatch>> next() final {
    while (messages_.empty()) {
      if (has_ended()) co_return std::nullopt;
      co_await changed_.wait();
    }
    co_return messages_.take();
  }

  Task<EventBatch> reread(std::string raw) final {
    ReadMessage read = co_await reader_.read(std::move(raw), {});
    EventBatch batch;
    batch.events = std::move(read.events);
    batch.garbage = std::move(read.garbage);
    co_return batch;
  }

 protected:
  MessageSource(const MessageOptions& options, Store& store, KeyMatcher matcher, Clock& clock,
                const Log& log)
      : reader_(options, store, std::move(matcher), clock, log) {}

  /// Will nothing be pushed any more?
  virtual bool has_ended() const = 0;

  MessageReader reader_;
  MessageQueue messages_;
  /// To be told when something was pushed, or has_ended() changed.
  Signal changed_;
};

}  // namespace headrace
