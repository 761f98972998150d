#include "source/message_queue.h"

#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::size_t kGarbageBytes = 4u << 20;

}  // namespace

void MessageQueue::push(ReadMessage message, Durable durable) {
  for (Undecodable& garbage : message.garbage) {
    if (garbage.raw.size() <= kRawBytes) continue;
    garbage.reason +=
        fmt::format(" (the first {} of {} bytes are kept)", kRawBytes, garbage.raw.size());
    garbage.raw.resize(kRawBytes);
    garbage.raw.shrink_to_fit();
  }
  const std::size_t count = message.events.size() + message.garbage.size();
  if (count == 0) {
    durable();
    return;
  }
  held_ += count;
  auto entry = std::make_shared<Entry>();
  entry->message = std::move(message);
  entry->durable = std::move(durable);
  waiting_.push_back(std::move(entry));
}

void MessageQueue::move_events(Entry& entry, EventBatch& batch) {
  auto& events = entry.message.events;
  while (entry.events_given < events.size() && batch.events.size() < kMostEvents) {
    batch.events.push_back(std::move(events[entry.events_given++]));
  }
}

void MessageQueue::move_garbage(Entry& entry, EventBatch& batch, std::size_t& bytes) {
  auto& garbage = entry.message.garbage;
  while (entry.garbage_given < garbage.size() && batch.garbage.size() < kMostEvents) {
    Undecodable& next = garbage[entry.garbage_given];
    if (!batch.garbage.empty() && bytes + next.raw.size() > kGarbageBytes) return;
    bytes += next.raw.size();
    batch.garbage.push_back(std::move(next));
    ++entry.garbage_given;
  }
}

EventBatch MessageQueue::take() {
  EventBatch batch;
  batch.receipt = next_receipt_++;
  Out out;
  std::size_t bytes = 0;
  while (!waiting_.empty()) {
    const std::shared_ptr<Entry> entry = waiting_.front();
    const std::size_t before = batch.events.size() + batch.garbage.size();
    move_events(*entry, batch);
    move_garbage(*entry, batch, bytes);
    if (batch.events.size() + batch.garbage.size() > before) {
      ++entry->batches;
      out.entries.push_back(entry);
    }
    if (!entry->given()) break;  // The batch is full.
    waiting_.pop_front();
  }
  out.count = batch.events.size() + batch.garbage.size();
  out_.emplace(batch.receipt, std::move(out));
  return batch;
}

void MessageQueue::ack(Receipt receipt) {
  const auto out = out_.extract(receipt);
  if (out.empty()) throw Error(ErrorKind::kBug, fmt::format("no batch {} is out", receipt));
  held_ -= out.mapped().count;
  for (const auto& entry : out.mapped().entries) {
    if (--entry->batches == 0 && entry->given()) entry->durable();
  }
}

}  // namespace headrace
