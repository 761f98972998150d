#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"
#include "event/decode.h"

struct rd_kafka_s;

namespace headrace {

/// Which topics, as whom. All that librdkafka can be told else goes into `properties`.
struct KafkaAddress {
  std::vector<std::string> brokers;  ///< "host:port"
  std::vector<std::string> topics;   ///< Names, or regular expressions that begin with '^'.
  std::string group;
  bool from_start = true;  ///< Where the group has no offset yet: the oldest message, or the next.
  std::map<std::string, std::string> properties;  ///< Secrets among them; never printed.
};

/// A topic's partition.
using KafkaPartition = std::pair<std::string, std::int32_t>;

struct KafkaMessage {
  KafkaPartition partition;
  std::int64_t offset = 0;
  std::string body;  ///< The payload; the key if there is no payload.
  Attributes attributes;
};

/// A member of a consumer group: librdkafka without its callbacks and without blocking.
///
/// Offsets   Nothing is committed but what was stored; what is stored is committed every second,
///           when a partition is taken away, and by close().
/// Groups    Cooperative: when members come and go, only the partitions that move stop.
/// Errors    The constructor throws kInvalid. What brokers do is told by `Events::trouble`;
///           librdkafka itself goes on trying for as long as it lives.
/// Threads   One, but for close() and store(); `fd` is written to by librdkafka's own.
class KafkaConsumer {
 public:
  struct Events {
    std::function<void(std::vector<KafkaPartition>)> assigned;
    std::function<void(std::vector<KafkaPartition>)> revoked;
    std::function<void(KafkaPartition)> at_end;
    /// `hopeless`: a person must act (no such topic, not allowed).
    std::function<void(const std::string& what, bool hopeless)> trouble;
  };

  /// `fd`, an eventfd, is signalled when there is something to poll() for. `log` outlives it.
  KafkaConsumer(const KafkaAddress& address, int fd, Events events, const Log& log);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  /// The next message that is there; calls the events on the way. False if there is none.
  bool poll(KafkaMessage& message);
  /// All before `offset` is done with. Harmless if the partition is no longer ours.
  void store(const KafkaPartition& partition, std::int64_t offset);
  void pause();
  void resume();
  /// Commits what is stored and leaves the group. Blocks up to some seconds; no poll() after it,
  /// and no more events.
  void close();

 private:
  friend struct KafkaCallbacks;
  void set_paused(bool paused);
  void destroy();

  Events events_;
  const Log& log_;
  rd_kafka_s* handle_ = nullptr;
  void* queue_ = nullptr;
  std::atomic<bool> closing_ = false;
};

}  // namespace headrace
