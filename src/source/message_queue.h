#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "source/messages.h"
#include "source/source.h"

namespace headrace {

/// Messages between being read and being durable: a source pushes what it read, gives it out in
/// batches, and learns of each message when all that came of it is acknowledged. A message may
/// be spread over several batches, and a batch over several messages.
///
/// Bounds   None of its own: the source looks at held() before it reads more.
/// Threads  One executor.
class MessageQueue {
 public:
  /// Called once, when all of the message is durable. At once if nothing came of it.
  using Durable = std::move_only_function<void()>;

  void push(ReadMessage message, Durable durable);
  bool empty() const { return waiting_.empty(); }
  /// Up to kMostEvents events, and garbage of about 4 MiB; not to be called while empty().
  EventBatch take();
  /// Throws kBug for a receipt that is not out.
  void ack(Receipt receipt);
  /// Events and garbage pushed and not acknowledged.
  std::size_t held() const { return held_; }

 private:
  struct Entry {
    ReadMessage message;
    std::size_t events_given = 0;
    std::size_t garbage_given = 0;
    std::size_t batches = 0;  // That hold a part of it and are not acknowledged.
    Durable durable;

    bool given() const {
      return events_given == message.events.size() && garbage_given == message.garbage.size();
    }
  };
  struct Out {
    std::vector<std::shared_ptr<Entry>> entries;
    std::size_t count = 0;
  };

  static void move_events(Entry& entry, EventBatch& batch);
  static void move_garbage(Entry& entry, EventBatch& batch, std::size_t& bytes);

  std::deque<std::shared_ptr<Entry>> waiting_;
  std::unordered_map<Receipt, Out> out_;
  Receipt next_receipt_ = 1;
  std::size_t held_ = 0;
};

}  // namespace headrace
