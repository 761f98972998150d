#include "table/delta/table_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "table/delta/action_json.h"

namespace headrace::delta {
namespace {

using testing::UnorderedElementsAre;

constexpr const char* kStart =
    R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
    "\n"
    R"({"metaData":{"id":"i","schemaString":"{\"type\":\"struct\",\"fields\":[]}",)"
    R"("partitionColumns":[]}})"
    "\n";

std::string add(const std::string& path, const std::string& vector = "") {
  return R"({"add":{"path":")" + path + R"(","size":1,"partitionValues":{})" +
         (vector.empty() ? ""
                         : R"(,"deletionVector":{"storageType":"u","pathOrInlineDv":")" + vector +
                               R"(","sizeInBytes":1,"cardinality":1})") +
         "}}\n";
}
std::string remove(const std::string& path, const std::string& vector = "") {
  std::string line = add(path, vector);
  return line.replace(line.find("add"), 3, "remove");
}

class TableStateTest : public testing::Test {
 protected:
  void apply(const std::string& text) { state_.apply(parse_commit(text)); }
  std::vector<std::string> live() const {
    std::vector<std::string> out;
    for (const auto& [key, file] : state_.files()) {
      out.push_back(file.path + (file.deletion_vector ? "+" : ""));
    }
    return out;
  }
  TableState state_{100};
};

TEST_F(TableStateTest, LetsTheNewestWordOnAFileCount) {
  apply(kStart + add("a") + add("b"));
  apply(remove("a"));
  EXPECT_THAT(live(), UnorderedElementsAre("b"));
  apply(add("a") + remove("b"));
  EXPECT_THAT(live(), UnorderedElementsAre("a"));
  EXPECT_EQ(state_.version, 2);
  EXPECT_EQ(state_.tombstones().size(), 1u);
}

TEST_F(TableStateTest, KnowsAFileByItsPathAndDeletionVector) {
  apply(kStart + add("a"));
  apply(remove("a") + add("a", "one"));
  EXPECT_THAT(live(), UnorderedElementsAre("a+"));
  // Line order within a commit says nothing.
  apply(add("a", "two") + remove("a", "one"));
  EXPECT_THAT(live(), UnorderedElementsAre("a+"));
  apply(remove("a", "two"));
  EXPECT_THAT(live(), UnorderedElementsAre());
}

TEST_F(TableStateTest, KnowsAFileUnderAnotherSpellingOfItsPath) {
  apply(kStart + add("p=Z%C3%BCrich/f") + add("/abs/with%20space"));
  apply(remove("p=Zürich/f") + remove("file:///abs/with%20space"));
  EXPECT_THAT(live(), UnorderedElementsAre());
}

TEST_F(TableStateTest, KeepsTheLastTransactionOfEachApplication) {
  apply(std::string(kStart) + R"({"txn":{"appId":"a","version":5}})");
  apply(R"({"txn":{"appId":"a","version":7}})"
        "\n"
        R"({"txn":{"appId":"b","version":1}})");
  EXPECT_EQ(state_.transactions().at("a").version, 7);
  EXPECT_EQ(state_.transactions().at("b").version, 1);
}

TEST_F(TableStateTest, ForgetsADomainThatWasRemoved) {
  apply(std::string(kStart) + R"({"domainMetadata":{"domain":"d","configuration":"x"}})");
  EXPECT_EQ(state_.domains().size(), 1u);
  apply(R"({"domainMetadata":{"domain":"d","configuration":"","removed":true}})");
  EXPECT_EQ(state_.domains().size(), 0u);
}

TEST_F(TableStateTest, DropsTombstonesOlderThanTheRetention) {
  apply(kStart + add("a") + add("b"));
  apply(R"({"remove":{"path":"a","deletionTimestamp":1000}})"
        "\n"
        R"({"remove":{"path":"b","deletionTimestamp":604800000}})");
  state_.drop_expired(604'800'000 + 1'001);
  ASSERT_EQ(state_.tombstones().size(), 1u);
  EXPECT_EQ(state_.tombstones().begin()->second.path, "b");
}

TEST_F(TableStateTest, KeepsTransactionsUnlessTheTableSaysHowLong) {
  apply(std::string(kStart) + R"({"txn":{"appId":"a","version":5,"lastUpdated":1}})");
  state_.drop_expired(1'000'000'000'000);
  EXPECT_EQ(state_.transactions().size(), 1u);
  apply(R"({"metaData":{"id":"i","schemaString":"{\"type\":\"struct\",\"fields\":[]}",)"
        R"("configuration":{"delta.setTransactionRetentionDuration":"interval 1 day"}}})");
  state_.drop_expired(86'400'001);
  EXPECT_EQ(state_.transactions().size(), 1u);
  state_.drop_expired(86'400'002);
  EXPECT_EQ(state_.transactions().size(), 0u);
}

TEST_F(TableStateTest, RefusesMoreFilesThanItsLimit) {
  apply(kStart);
  std::string many;
  for (int i = 0; i < 101; ++i) many += add("f" + std::to_string(i));
  EXPECT_THROW(apply(many), Error);
}

TEST_F(TableStateTest, IsNoTableWithoutProtocolOrMetadata) {
  apply(add("a"));
  EXPECT_THROW(state_.check_complete("t"), Error);
  apply(kStart);
  EXPECT_NO_THROW(state_.check_complete("t"));
}

}  // namespace
}  // namespace headrace::delta
