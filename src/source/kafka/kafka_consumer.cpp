#include "source/kafka/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace headrace {
namespace {

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

struct ConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;

/// What the source depends on, and users may not change.
constexpr std::array<std::pair<const char*, const char*>, 8> kOurs = {{
    {"enable.auto.offset.store", "false"},
    {"enable.auto.commit", "true"},
    {"auto.commit.interval.ms", "1000"},
    {"enable.partition.eof", "true"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"queued.max.messages.kbytes", "16384"},
    {"log.connection.close", "false"},
    {"allow.auto.create.topics", "false"},
}};

/// Never with the value: it may be a secret.
void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> ignored;
  const auto result =
      rd_kafka_conf_set(conf, name.c_str(), value.c_str(), ignored.data(), ignored.size());
  if (result == RD_KAFKA_CONF_OK) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("kafka: the property {} {}", name,
                          result == RD_KAFKA_CONF_UNKNOWN ? "is not known to librdkafka"
                                                          : "does not take this value"));
}

std::vector<KafkaPartition> partitions_of(const rd_kafka_topic_partition_list_t* list) {
  std::vector<KafkaPartition> partitions;
  for (int i = 0; i < list->cnt; ++i) {
    partitions.emplace_back(list->elems[i].topic, list->elems[i].partition);
  }
  return partitions;
}

bool is_hopeless(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
      return true;
    default:
      return false;
  }
}

Attributes headers_of(const rd_kafka_message_t& message) {
  Attributes attributes;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return attributes;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    attributes.emplace_back(
        name, value == nullptr ? "" : std::string(static_cast<const char*>(value), size));
  }
  return attributes;
}

KafkaMessage message_of(const rd_kafka_message_t& given) {
  KafkaMessage message;
  message.partition = {rd_kafka_topic_name(given.rkt), given.partition};
  message.offset = given.offset;
  if (given.payload != nullptr) {
    message.body.assign(static_cast<const char*>(given.payload), given.len);
  } else if (given.key != nullptr) {
    message.body.assign(static_cast<const char*>(given.key), given.key_len);
  }
  message.attributes = headers_of(given);
  return message;
}

}  // namespace

/// What librdkafka calls; `opaque` is the consumer.
struct KafkaCallbacks {
  static void rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto& self = *static_cast<KafkaConsumer*>(opaque);
    rd_kafka_error_t* failed = nullptr;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      failed = rd_kafka_incremental_assign(handle, list);
      if (!self.closing_) self.events_.assigned(partitions_of(list));
    } else {
      // Commits what was stored of these partitions before they go.
      if (!self.closing_) self.events_.revoked(partitions_of(list));
      failed = rd_kafka_incremental_unassign(handle, list);
    }
    if (failed == nullptr) return;
    self.log_.warning("kafka: partitions could not be moved",
                      {{"error", rd_kafka_error_string(failed)}});
    rd_kafka_error_destroy(failed);
  }

  static void error(rd_kafka_t*, int code, const char* reason, void* opaque) {
    auto& self = *static_cast<KafkaConsumer*>(opaque);
    if (self.closing_) return;
    self.events_.trouble(reason, is_hopeless(static_cast<rd_kafka_resp_err_t>(code)));
  }

  static void log(const rd_kafka_t* handle, int level, const char*, const char* line) {
    const auto* self = static_cast<const KafkaConsumer*>(rd_kafka_opaque(handle));
    if (self == nullptr) return;
    if (level <= 4) {
      self->log_.warning("librdkafka says", {{"line", line}});
    } else {
      self->log_.debug("librdkafka says", {{"line", line}});
    }
  }
};

KafkaConsumer::KafkaConsumer(const KafkaAddress& address, int fd, Events events, const Log& log)
    : events_(std::move(events)), log_(log) {
  Conf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : address.properties) {
    const bool ours =
        std::ranges::any_of(kOurs, [&name](const auto& one) { return name == one.first; });
    if (ours || name == "group.id" || name == "bootstrap.servers" || name == "auto.offset.reset") {
      throw Error(ErrorKind::kInvalid,
                  "kafka: the property " + name + " is the source's own; leave it out");
    }
    set(conf.get(), name, value);
  }
  for (const auto& [name, value] : kOurs) set(conf.get(), name, value);
  set(conf.get(), "bootstrap.servers", fmt::format("{}", fmt::join(address.brokers, ",")));
  set(conf.get(), "group.id", address.group);
  set(conf.get(), "auto.offset.reset", address.from_start ? "earliest" : "latest");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), &KafkaCallbacks::rebalance);
  rd_kafka_conf_set_error_cb(conf.get(), &KafkaCallbacks::error);
  rd_kafka_conf_set_log_cb(conf.get(), &KafkaCallbacks::log);

  std::array<char, 512> reason{};
  handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  if (handle_ == nullptr) {
    throw Error(ErrorKind::kInvalid, fmt::format("kafka: {}", reason.data()));
  }
  (void)conf.release();  // The handle's now.
  rd_kafka_poll_set_consumer(handle_);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(handle_);
  queue_ = queue;
  const std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
  const List topics(rd_kafka_topic_partition_list_new(static_cast<int>(address.topics.size())));
  for (const std::string& topic : address.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(handle_, topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    destroy();
    throw Error(ErrorKind::kInvalid,
                fmt::format("kafka: cannot subscribe: {}", rd_kafka_err2str(code)));
  }
}

KafkaConsumer::~KafkaConsumer() { destroy(); }

void KafkaConsumer::destroy() {
  closing_ = true;
  if (queue_ != nullptr) {
    auto* queue = static_cast<rd_kafka_queue_t*>(queue_);
    rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
    rd_kafka_queue_destroy(queue);
  }
  if (handle_ != nullptr) {
    rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
}

bool KafkaConsumer::poll(KafkaMessage& message) {
  while (rd_kafka_message_t* given = rd_kafka_consumer_poll(handle_, 0)) {
    struct Free {
      rd_kafka_message_t* message;
      ~Free() { rd_kafka_message_destroy(message); }
    } const free{given};
    if (given->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      message = message_of(*given);
      return true;
    }
    if (given->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      events_.at_end({rd_kafka_topic_name(given->rkt), given->partition});
    } else {
      events_.trouble(rd_kafka_message_errstr(given), is_hopeless(given->err));
    }
  }
  return false;
}

void KafkaConsumer::store(const KafkaPartition& partition, std::int64_t offset) {
  const List list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)->offset =
      offset;
  const rd_kafka_resp_err_t code = rd_kafka_offsets_store(handle_, list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    log_.debug("kafka: an offset was not stored", {{"topic", partition.first},
                                                   {"partition", partition.second},
                                                   {"error", rd_kafka_err2str(code)}});
  }
}

void KafkaConsumer::set_paused(bool paused) {
  rd_kafka_topic_partition_list_t* given = nullptr;
  if (rd_kafka_assignment(handle_, &given) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const List list(given);
  if (paused) {
    rd_kafka_pause_partitions(handle_, list.get());
  } else {
    rd_kafka_resume_partitions(handle_, list.get());
  }
}

void KafkaConsumer::pause() { set_paused(true); }
void KafkaConsumer::resume() { set_paused(false); }

void KafkaConsumer::close() {
  closing_ = true;
  rd_kafka_consumer_close(handle_);
}

}  // namespace headrace
