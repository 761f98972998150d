#pragma once

#include <memory>
#include <optional>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "net/credentials.h"
#include "net/http_client.h"
#include "source/messages.h"
#include "source/source.h"
#include "source/sqs/sqs_queue.h"

namespace headrace {

struct SqsOptions {
  MessageOptions messages;
  SqsAddress address;
  int receivers = 2;                         ///< Long polls at a time, and as many deletes.
  int batch = 10;                            ///< Messages a poll asks for, 1 to 10.
  Duration wait = std::chrono::seconds(20);  ///< Of a long poll, at most 20 s.
  std::optional<Duration> visibility;        ///< Absent: what the queue says.
  int max_receives = 10;                     ///< Beyond: a dead letter of the source, unread.
  std::size_t held = 4096;                   ///< Messages received and not yet deleted.
  std::uint64_t held_bytes = 64u << 20;      ///< Of their bodies.
};

/// Events out of an SQS queue.
///
/// Deleting    A message is deleted when all that came of it is durable, dead letters included.
///             Deletes go out in batches beside the receiving; one that fails is tried again, one
///             that never happens means that the message comes once more and is recognised.
/// Lease       What is held longer than half its visibility timeout is hidden anew, for as long
///             as SQS allows (12 h from the receive) and the delivery is still ours.
/// Poison      A message received more than `max_receives` times was never finished by whoever had
///             it: it becomes a dead letter with its bytes. One whose digest does not fit is left
///             for the next delivery.
/// Failures    Throttling, 5xx and the network are waited out with back-off and jitter. Whatever
///             else the queue says ends run() at the start, and drain(); later it is logged and
///             tried again every minute, since queues and rights come back.
/// drain()     Ends when each receiver's poll came back empty and all is deleted.
/// Stopping    Deletes that wait are sent and what is not durable is given back, within 5 s.
///
/// References outlive the source.
std::unique_ptr<Source> make_sqs_source(SqsOptions options, HttpClient& client,
                                        std::unique_ptr<CredentialsProvider> credentials,
                                        Store& store, KeyMatcher matcher, Clock& clock,
                                        Random& random, const Log& log);

}  // namespace headrace
