#include "source/messages.h"

#include "testing/source_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MessageReaderTest : public SourceTest {
 protected:
  ReadMessage read(const std::string& body) {
    options_.name = "raw";
    options_.store = "lake";
    const KeyMatcher matcher = [](std::string_view key) -> std::optional<KeyFields> {
      if (!key.ends_with(".json")) return std::nullopt;
      return KeyFields{{"key", std::string(key)}};
    };
    reader_ = std::make_unique<MessageReader>(options_, *store_, matcher, clock_, log_);
    return run(reader_->read(body, {}));
  }
  std::vector<std::string> keys(const ReadMessage& message) {
    std::vector<std::string> keys;
    for (const Event& event : message.events) keys.push_back(event.object.path);
    return keys;
  }
  std::string described() {
    JsonWriter json;
    json.begin_object();
    reader_->describe(json);
    json.end_object();
    return json.text();
  }

  std::vector<std::string> said_;
  Log log_{[this](LogLevel, std::string_view message, std::span<const LogField>) {
    said_.emplace_back(message);
  }};
  MessageOptions options_;
  std::unique_ptr<MessageReader> reader_;
};

TEST_F(MessageReaderTest, TakesOnlyWhatIsTheSourcesAndSaysSoOnce) {
  options_.bucket = "bucket";
  options_.prefix = "in/";
  const ReadMessage message =
      read(SourceTest::message({record("in/a.json"), record("in/b.json", "elsewhere"),
                                record("out/c.json"), record("in/d.txt"), record("in/e.txt")}));
  EXPECT_THAT(keys(message), ElementsAre("in/a.json"));
  EXPECT_EQ(message.events[0].store, "lake");
  EXPECT_EQ(message.events[0].origin, "raw");
  EXPECT_EQ(message.events[0].key_fields, (KeyFields{{"key", "in/a.json"}}));
  EXPECT_THAT(message.garbage, IsEmpty());
  EXPECT_THAT(described(), HasSubstr(R"("other_bucket":1,"other_key":3,"too_old":0)"));
  EXPECT_EQ(said_.size(), 2u);  // Once for each reason.
}

// `apply` writes its state into the bucket whose events it has just asked for.
TEST_F(MessageReaderTest, LeavesOutOurOwnObjects) {
  const ReadMessage message = read(
      SourceTest::message({record(".headrace/lake/setup.json"), record("a/.headrace/b.json")}));
  EXPECT_THAT(keys(message), ElementsAre("a/.headrace/b.json"));
  EXPECT_THAT(described(), HasSubstr(R"("other_key":1)"));
}

TEST_F(MessageReaderTest, LeavesOutWhatIsOlderThanItMayBe) {
  // The records are of 2027-01-15 08:00, which is when the clock stands.
  clock_.advance(std::chrono::hours(2));
  options_.max_age = std::chrono::hours(1);
  EXPECT_THAT(keys(read(created("a.json"))), IsEmpty());
  EXPECT_THAT(described(), HasSubstr(R"("too_old":1)"));
  options_.max_age = std::chrono::hours(3);
  EXPECT_THAT(keys(read(created("a.json"))), ElementsAre("a.json"));
  options_.max_age = std::nullopt;
  clock_.advance(std::chrono::days(1000));
  EXPECT_THAT(keys(read(created("a.json"))), ElementsAre("a.json"));
}

}  // namespace
}  // namespace headrace
