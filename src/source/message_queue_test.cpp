#include "source/message_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MessageQueueTest : public testing::Test {
 protected:
  void push(const std::string& name, std::size_t events, std::vector<std::size_t> garbage = {}) {
    ReadMessage message;
    message.events.resize(events);
    for (const std::size_t size : garbage) message.garbage.push_back({"bad", Bytes(size, 'x')});
    queue_.push(std::move(message), [this, name] { durable_.push_back(name); });
  }

  MessageQueue queue_;
  std::vector<std::string> durable_;
};

TEST_F(MessageQueueTest, SaysWhenAMessageIsDurable) {
  push("a", 2);
  push("b", 1);
  const EventBatch batch = queue_.take();
  EXPECT_EQ(batch.events.size(), 3u);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.held(), 3u);
  EXPECT_THAT(durable_, IsEmpty());
  queue_.ack(batch.receipt);
  EXPECT_THAT(durable_, ElementsAre("a", "b"));
  EXPECT_EQ(queue_.held(), 0u);
}

TEST_F(MessageQueueTest, AMessageOfNothingIsDurableAtOnce) {
  push("a", 0);
  EXPECT_THAT(durable_, ElementsAre("a"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(MessageQueueTest, SpreadsALargeMessageOverBatches) {
  push("a", kMostEvents * 2 + 1);
  push("b", 1);
  const EventBatch first = queue_.take();
  const EventBatch second = queue_.take();
  const EventBatch third = queue_.take();
  EXPECT_EQ(first.events.size(), kMostEvents);
  EXPECT_EQ(third.events.size(), 2u);
  queue_.ack(third.receipt);
  EXPECT_THAT(durable_, ElementsAre("b"));
  queue_.ack(first.receipt);
  queue_.ack(second.receipt);
  EXPECT_THAT(durable_, ElementsAre("b", "a"));
}

TEST_F(MessageQueueTest, ABatchHoldsAFewMebibytesOfGarbage) {
  push("a", 1, {kRawBytes, kRawBytes, kRawBytes, kRawBytes, kRawBytes});
  EXPECT_EQ(queue_.take().garbage.size(), 4u);
  EXPECT_EQ(queue_.take().garbage.size(), 1u);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(MessageQueueTest, KeepsTheBeginningOfGarbageThatIsTooLarge) {
  push("a", 0, {kRawBytes + 1});
  const EventBatch batch = queue_.take();
  EXPECT_EQ(batch.garbage[0].raw.size(), kRawBytes);
  EXPECT_EQ(batch.garbage[0].reason, "bad (the first 1048576 of 1048577 bytes are kept)");
}

TEST_F(MessageQueueTest, RefusesAReceiptThatIsNotOut) {
  push("a", 1);
  const EventBatch batch = queue_.take();
  queue_.ack(batch.receipt);
  EXPECT_THROW(queue_.ack(batch.receipt), Error);
}

}  // namespace
}  // namespace headrace
