#include "source/kafka/kafka_source.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "testing/source_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

/// A cluster of librdkafka's own inside this process, and a producer.
class MockKafka {
 public:
  MockKafka() {
    char reason[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", reason, sizeof reason);
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof reason);
    rd_kafka_conf_set(conf, "linger.ms", "0", reason, sizeof reason);
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cluster_ = rd_kafka_handle_mock_cluster(producer_);
    rd_kafka_mock_topic_create(cluster_, "events", 2, 1);
  }
  ~MockKafka() { rd_kafka_destroy(producer_); }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void stop_broker() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void start_broker() { rd_kafka_mock_broker_set_up(cluster_, 1); }

  /// Sends and waits until it is there. An empty payload is a tombstone.
  void put(int partition, std::string_view payload, std::string_view key = "",
           const Attributes& attributes = {}) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(attributes.size());
    for (const auto& [name, value] : attributes) {
      rd_kafka_header_add(headers, name.c_str(), -1, value.c_str(), -1);
    }
    const auto sent = rd_kafka_producev(
        producer_, RD_KAFKA_V_TOPIC("events"), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(payload.empty() ? nullptr : const_cast<char*>(payload.data()),
                         payload.size()),
        RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    ASSERT_EQ(sent, RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_EQ(rd_kafka_flush(producer_, 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

 private:
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

class KafkaSourceTest : public SourceTest {
 protected:
  void open() {
    options_.messages.name = "topic";
    options_.messages.store = "lake";
    options_.address.brokers = {kafka_.brokers()};
    options_.address.topics = {"events"};
    options_.address.group = "group";
    options_.address.properties["log_level"] = "0";
    // The cluster has a member that left wait for this long, and the next one with it.
    options_.address.properties["session.timeout.ms"] = "6000";
    options_.address.properties["heartbeat.interval.ms"] = "200";
    options_.address.properties["reconnect.backoff.max.ms"] = "200";
    source_ = make_kafka_source(options_, io_, *store_, {}, real_clock(), random_, silent_log());
    start(source_->run());
  }
  std::vector<std::string> drain_once() {
    open();
    auto keys = drain();
    EXPECT_EQ(failure(), std::nullopt);
    return keys;
  }

  MockKafka kafka_;
  CpuPool io_{1};
  SeededRandom random_{1};
  KafkaOptions options_;
};

TEST_F(KafkaSourceTest, GivesWhatIsThereOnceAndEnds) {
  kafka_.put(0, created("a"));
  kafka_.put(1, created("b"));
  EXPECT_THAT(drain_once(), UnorderedElementsAre("a", "b"));
  kafka_.put(0, created("c"));
  EXPECT_THAT(drain_once(), ElementsAre("c"));
}

TEST_F(KafkaSourceTest, GivesAgainWhatWasNotDurable) {
  kafka_.put(0, created("a"));
  kafka_.put(0, created("b"));
  options_.held = 1;
  open();
  const auto batch = next();
  EXPECT_THAT(keys_of(*batch).front(), "a");
  stop_last();
  EXPECT_THAT(drain_once(), ElementsAre("a", "b"));
}

TEST_F(KafkaSourceTest, CommitsNothingBeyondAGap) {
  for (int i = 0; i < 600; ++i) kafka_.put(0, created(fmt::format("{:03}", i)));
  open();
  const auto first = next();
  std::size_t seen = first->events.size();
  while (seen < 600) {
    const auto batch = next();
    seen += batch->events.size();
    ack(*batch);
  }
  stop_last();
  EXPECT_EQ(drain_once().size(), 600u);
}

TEST_F(KafkaSourceTest, RestsWhenTooMuchIsNotDurableAndGoesOn) {
  for (int i = 0; i < 1000; ++i) kafka_.put(i % 2, created(fmt::format("{:03}", i)));
  options_.held = 100;
  const auto keys = drain_once();
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 1000u);
}

TEST_F(KafkaSourceTest, ReadsEventsInPayloadHeadersAndKey) {
  kafka_.put(0, "", "",
             {{"eventType", "OBJECT_FINALIZE"},
              {"bucketId", "bucket"},
              {"objectId", "in-headers"},
              {"objectGeneration", "1"},
              {"eventTime", "2027-01-15T08:00:00Z"},
              {"payloadFormat", "NONE"}});
  kafka_.put(0, "", created("in-key"));
  kafka_.put(0, "no event");
  kafka_.put(0, "");
  open();
  source_->drain();
  std::vector<std::string> garbage;
  std::vector<std::string> keys;
  while (const auto batch = next()) {
    for (const auto& key : keys_of(*batch)) keys.push_back(key);
    for (const auto& one : batch->garbage) garbage.push_back(one.raw);
    ack(*batch);
  }
  EXPECT_THAT(keys, ElementsAre("in-headers", "in-key"));
  EXPECT_THAT(garbage, ElementsAre("no event"));
}

TEST_F(KafkaSourceTest, SurvivesARestartOfTheBroker) {
  kafka_.put(0, created("a"));
  open();
  ack(*next());
  kafka_.stop_broker();
  kafka_.start_broker();
  kafka_.put(0, created("b"));
  const auto batch = next();
  EXPECT_THAT(keys_of(*batch), testing::Contains("b"));
}

TEST_F(KafkaSourceTest, WaitsForABrokerThatDisappearsAndCountsTheTrouble) {
  kafka_.put(0, created("a"));
  open();
  ack(*next());
  kafka_.stop_broker();
  const auto described = [&] {
    JsonWriter json;
    json.begin_object();
    source_->describe(json);
    json.end_object();
    return json.text();
  };
  until([&] { return !described().contains(R"("troubles":0)"); });
  EXPECT_FALSE(background().ended);
  kafka_.start_broker();
  kafka_.put(0, created("b"));
  EXPECT_THAT(keys_of(*next()), testing::Contains("b"));
}

TEST_F(KafkaSourceTest, SharesPartitionsWithOtherMembersOfItsGroup) {
  open();
  kafka_.put(0, created("a"));
  ack(*next());
  auto other = make_kafka_source(options_, io_, *store_, {}, real_clock(), random_, silent_log());
  start(other->run());
  const auto partitions = [](const Source& source) {
    JsonWriter json;
    json.begin_object();
    source.describe(json);
    json.end_object();
    return json.text().substr(json.text().find("\"partitions\":") + 13, 1);
  };
  until([&] { return partitions(*source_) == "1" && partitions(*other) == "1"; });
  stop_last();
  until([&] { return partitions(*source_) == "2"; });
  kafka_.put(1, created("b"));
  // This cluster refuses commits while members come and go: "a" may come once more.
  EXPECT_THAT(keys_of(*next()), testing::Contains("b"));
}

TEST_F(KafkaSourceTest, RefusesPropertiesThatAreItsOwnAndNeverPrintsTheirValues) {
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"enable.auto.commit", "secret"},
                                          {"sasl.nonsense", "secret"},
                                          {"linger.ms", "secret"}}) {
    KafkaAddress address{{"127.0.0.1:1"}, {"events"}, "group", true, {{name, value}}};
    try {
      const KafkaConsumer consumer(address, -1, {}, silent_log());
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), testing::HasSubstr(name));
      EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
    }
  }
}

}  // namespace
}  // namespace headrace
