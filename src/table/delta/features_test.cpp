#include "table/delta/features.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "table/delta/schema_json.h"

namespace headrace::delta {
namespace {

Protocol with_features(std::vector<std::string> readers, std::vector<std::string> writers) {
  return {.min_reader_version = 3,
          .min_writer_version = 7,
          .reader_features = std::move(readers),
          .writer_features = std::move(writers)};
}

Metadata with_property(std::string name, std::string value) {
  Metadata metadata;
  metadata.configuration.emplace(std::move(name), std::move(value));
  return metadata;
}

Schema with_metadata(std::string metadata) {
  Field field;
  field.name = "c";
  field.metadata = std::move(metadata);
  return {{field}};
}

/// What a table uses, and what we say to it: empty is fine, else the name in the refusal.
struct FeatureCase {
  const char* name;
  Protocol protocol;
  Metadata metadata;
  Schema schema;
  std::string read;
  std::string append;
};

class FeatureTest : public testing::TestWithParam<FeatureCase> {};

template <class Check>
std::string refusal(const Check& check) {
  try {
    check();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    const std::string what = error.what();
    const std::size_t begin = what.find('\'') + 1;
    return what.substr(begin, what.find('\'', begin) - begin);
  }
}

TEST_P(FeatureTest, IsSupportedOrRefusedByItsName) {
  const FeatureCase& row = GetParam();
  EXPECT_EQ(refusal([&] { check_readable("t", row.protocol, row.metadata, row.schema); }),
            row.read);
  EXPECT_EQ(refusal([&] { check_appendable("t", row.protocol, row.metadata, row.schema); }),
            row.append);
}

Protocol versions(int reader, int writer) {
  return {.min_reader_version = reader, .min_writer_version = writer};
}

std::vector<FeatureCase> supported() {
  const Protocol modern = with_features(
      {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "deletionVectors"},
      {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "appendOnly", "invariants",
       "domainMetadata", "inCommitTimestamp", "changeDataFeed", "deletionVectors"});
  const Metadata off = with_property("delta.columnMapping.mode", "none");
  const Schema comment = with_metadata(R"({"comment":"see \"delta.invariants\" there"})");
  return {
      {"Classic", {}, {}, {}, "", ""},
      {"WriterFive", versions(2, 5), {}, {}, "", ""},
      {"ColumnMappingOff", versions(2, 5), off, {}, "", ""},
      {"Modern", modern, {}, {}, "", ""},
      {"ACommentIsNoFeature", {}, {}, comment, "", ""},
  };
}

std::vector<FeatureCase> refused_whole() {
  const Metadata mapped = with_property("delta.columnMapping.mode", "name");
  const Schema widened = with_metadata(R"({"delta.typeChanges":[]})");
  const auto both = [](std::string name) { return with_features({name}, {name}); };
  return {
      {"ColumnMapping", versions(2, 5), mapped, {}, "", "columnMapping"},
      {"Unknown", both("fromTheFuture"), {}, {}, "fromTheFuture", "fromTheFuture"},
      {"CatalogManaged", both("catalogManaged"), {}, {}, "catalogManaged", "catalogManaged"},
      {"TypeWidening", both("typeWidening"), {}, widened, "typeWidening", "typeWidening"},
      {"ReaderVersion", versions(99, 7), {}, {}, "reader version 99", ""},
  };
}

std::vector<FeatureCase> refused_to_writers() {
  const auto writer = [](std::string name) { return with_features({}, {name}); };
  const Metadata constraint = with_property("delta.constraints.positive", "a > 0");
  const Schema invariant = with_metadata(R"({"delta.invariants":"{}"})");
  const Schema generated = with_metadata(R"({"delta.generationExpression":"a"})");
  const Schema identity = with_metadata(R"({"delta.identity.start":1})");
  const Schema with_default = with_metadata(R"({"CURRENT_DEFAULT":"1"})");
  return {
      {"RowTracking", writer("rowTracking"), {}, {}, "", "rowTracking"},
      {"Clustering", writer("clustering"), {}, {}, "", "clustering"},
      {"WriterVersion", versions(1, 8), {}, {}, "", "writer version 8"},
      {"Constraint", versions(1, 3), constraint, {}, "", "checkConstraints"},
      {"Invariant", {}, {}, invariant, "", "invariants"},
      {"Generated", versions(1, 4), {}, generated, "", "generatedColumns"},
      {"Identity", versions(1, 6), {}, identity, "", "identityColumns"},
      {"Default", writer("allowColumnDefaults"), {}, with_default, "", "allowColumnDefaults"},
  };
}

const auto name_of = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Supported, FeatureTest, testing::ValuesIn(supported()), name_of);
INSTANTIATE_TEST_SUITE_P(Refused, FeatureTest, testing::ValuesIn(refused_whole()), name_of);
INSTANTIATE_TEST_SUITE_P(WriteRefused, FeatureTest, testing::ValuesIn(refused_to_writers()),
                         name_of);

Schema with_ntz() {
  Field field;
  field.name = "t";
  field.type = *parse_primitive("timestamp_ntz");
  return {{field}};
}

TEST(ProtocolFor, StaysAtOneAndTwoWithoutNeed) { EXPECT_EQ(protocol_for({}), Protocol{}); }

TEST(ProtocolFor, ListsWhatOlderVersionsImplied) {
  const Protocol ours = protocol_for(with_ntz());
  EXPECT_EQ(ours, with_features({"timestampNtz"}, {"appendOnly", "invariants", "timestampNtz"}));
  const Protocol older =
      protocol_for(with_ntz(), {.min_reader_version = 2, .min_writer_version = 5});
  EXPECT_EQ(older, with_features({"columnMapping", "timestampNtz"},
                                 {"appendOnly", "invariants", "checkConstraints", "changeDataFeed",
                                  "generatedColumns", "columnMapping", "timestampNtz"}));
}

TEST(ProtocolFor, LeavesATableThatHasTheFeature) {
  const Protocol has = with_features({"timestampNtz"}, {"timestampNtz"});
  EXPECT_EQ(protocol_for(with_ntz(), has), has);
}

TEST(ParseInterval, TakesWhatTablesSay) {
  EXPECT_EQ(parse_interval_ms("interval 1 week"), 604'800'000);
  EXPECT_EQ(parse_interval_ms("interval 168 hours"), 604'800'000);
  EXPECT_EQ(parse_interval_ms("2 days 3 minutes 1 millisecond"), 172'980'001);
  EXPECT_EQ(parse_interval_ms("interval 1 month"), std::nullopt);
  EXPECT_EQ(parse_interval_ms("week"), std::nullopt);
  EXPECT_EQ(parse_interval_ms(""), std::nullopt);
}

}  // namespace
}  // namespace headrace::delta
