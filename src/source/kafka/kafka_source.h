#pragma once

#include <cstddef>
#include <memory>

#include "core/clock.h"
#include "core/log.h"
#include "source/kafka/kafka_consumer.h"
#include "source/messages.h"
#include "source/source.h"

namespace headrace {

struct KafkaOptions {
  MessageOptions messages;
  KafkaAddress address;
  std::size_t held = 4096;  ///< Events taken in and not yet durable; beyond, partitions rest.
};

/// Events out of Kafka topics, as a member of a consumer group.
///
/// Offsets   A message's offset is committed after all that came of it, and of those before it in
///           its partition, is durable. What was not committed comes again, to whoever has the
///           partition then, and is recognised.
/// Brokers   may go and come back: librdkafka connects anew; what it complains of is logged.
/// Empty     A message with neither payload nor key (a tombstone) tells nothing and is counted.
/// drain()   Ends when the partitions of this member were read to their ends and all is durable. A
///           topic that is not there, or not allowed, is an error then.
/// Stopping  Commits and leaves the group, so that others take over at once.
///
/// Blocking calls run on `io`. References outlive the source.
std::unique_ptr<Source> make_kafka_source(KafkaOptions options, CpuPool& io, Store& store,
                                          KeyMatcher matcher, Clock& clock, Random& random,
                                          const Log& log);

}  // namespace headrace
