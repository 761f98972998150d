// What the stack file may say of sources.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/stack_file.h"

namespace headrace {
namespace {

using testing::HasSubstr;

LoadedStack load(const std::string& sources) {
  const std::string text =
      "version: 1\nname: lake\nstores: { lake: { kind: file, path: ./buckets } }\nsources:\n" +
      sources;
  return load_stack_text("headrace.yaml", text, "/nowhere");
}

TEST(SourceStanzas, AreReadAsTheyAreWritten) {
  const LoadedStack loaded = load(R"(
  raw: { kind: sqs, queue: nakadi-raw-events, store: lake, key: "raw/{event_type}/{name}.json" }
  posts: { kind: webhook, path: /events/incoming, token: secret, store: lake }
  stream: { kind: kafka, brokers: [ "k:9092" ], topics: [ a, b ], store: lake, start: newest }
  sweep: { kind: listing, store: lake, bucket: raw, every: 1h, parallel: 4 }
)");
  EXPECT_EQ(loaded.diagnostics, "");
  ASSERT_TRUE(loaded.stack);
  const auto& sources = loaded.stack->sources;
  const auto& sqs = std::get<SqsStanza>(*sources.at("raw"));
  EXPECT_EQ(sqs.queue, "nakadi-raw-events");
  EXPECT_EQ(sqs.bucket, "");
  EXPECT_EQ(sqs.credentials.from, CredentialsStanza::From::kChain);
  EXPECT_EQ(std::get<WebhookStanza>(*sources.at("posts")).listen, "127.0.0.1:8480");
  EXPECT_EQ(std::get<KafkaStanza>(*sources.at("stream")).start, KafkaStanza::Start::kNewest);
  EXPECT_EQ(std::get<ListingStanza>(*sources.at("sweep")).parallel, 4u);
}

struct Fault {
  const char* name;
  const char* sources;
  const char* said;
};

class SourceFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(SourceFaultTest, IsToldAtItsPlace) {
  const LoadedStack loaded = load(GetParam().sources);
  EXPECT_FALSE(loaded.stack);
  EXPECT_THAT(loaded.diagnostics, HasSubstr(GetParam().said));
  EXPECT_THAT(loaded.diagnostics, testing::Not(HasSubstr("hush")));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, SourceFaultTest,
    testing::Values(
        Fault{"AnOpenDoorToEveryone",
              "  a: { kind: webhook, listen: \"0.0.0.0:80\", path: /a, store: lake }\n",
              "needs `token` or `hmac`"},
        Fault{"NoAddress", "  a: { kind: webhook, listen: here, path: /a, store: lake }\n",
              "`here` is no address to listen at"},
        Fault{"APathWithoutSlash", "  a: { kind: webhook, path: a, store: lake }\n",
              "a path starts with `/`"},
        Fault{"TwoAtOneDoor",
              "  a: { kind: webhook, path: /a, store: lake }\n"
              "  b: { kind: webhook, path: /a, store: lake }\n",
              "the source `a` has the same path and address"},
        Fault{"KeysWithoutASecret",
              "  a: { kind: sqs, queue: q, store: lake, credentials: { from: keys } }\n",
              "needs access_key and secret_key"},
        Fault{"ASecretThatIsNotUsed",
              "  a: { kind: sqs, queue: q, store: lake, credentials: { secret_key: hush } }\n",
              "need `from: keys`"},
        Fault{"TooManyMessagesAtATime", "  a: { kind: sqs, queue: q, store: lake, batch: 11 }\n",
              "batch"},
        Fault{"NoTopics", "  a: { kind: kafka, brokers: [ k ], store: lake }\n", "topics"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
