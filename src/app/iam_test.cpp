// The least policy of stacks: what each part of one adds, and nothing else.

#include "app/iam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <set>

#include "core/error.h"

namespace headrace {
namespace {

using Allowed = std::map<std::string, std::set<std::string>>;

/// The actions of each resource; a list that is bound to prefixes is "s3:ListBucket in/*".
Allowed allowed_by(const std::string& policy) {
  Allowed allowed;
  simdjson::dom::parser parser;
  for (const auto statement : parser.parse(policy)["Statement"].get_array()) {
    EXPECT_EQ(std::string_view(statement["Effect"]), "Allow");
    std::string bound;
    simdjson::dom::array prefixes;
    if (statement["Condition"]["StringLike"]["s3:prefix"].get(prefixes) == simdjson::SUCCESS) {
      for (const auto prefix : prefixes) bound += " " + std::string(std::string_view(prefix));
    }
    for (const auto resource : statement["Resource"].get_array()) {
      std::string name(std::string_view{resource});
      if (name.starts_with("arn:aws:s3:::")) name.erase(0, 13);
      for (const auto action : statement["Action"].get_array()) {
        allowed[name].insert(std::string(std::string_view(action)) + bound);
      }
    }
  }
  return allowed;
}

Allowed policy_of(const std::string& parts, bool with_setup = false) {
  const LoadedStack loaded = load_stack_text("headrace.yaml", R"(version: 1
name: lake
stores:
  prod: { kind: s3, region: eu-west-1 }
  here: { kind: file, path: ./buckets }
)" + parts,
                                             "/nowhere");
  if (!loaded.stack) throw Error(ErrorKind::kBug, loaded.diagnostics);
  return allowed_by(iam_policy(*loaded.stack, with_setup));
}

constexpr const char* kQueueSource =
    "sources:\n"
    "  raw: { kind: sqs, queue: landing, region: eu-west-1, store: prod, bucket: inbox,\n"
    "         prefix: in/ }\n";
const std::set<std::string> kReceive = {"sqs:ReceiveMessage", "sqs:DeleteMessage",
                                        "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
                                        "sqs:GetQueueUrl"};
const std::set<std::string> kWrite = {"s3:PutObject", "s3:PutObjectTagging",
                                      "s3:AbortMultipartUpload"};

std::set<std::string> operator+(std::set<std::string> one, const std::set<std::string>& other) {
  one.insert(other.begin(), other.end());
  return one;
}

struct Part {
  const char* name;
  std::string parts;
  Allowed expected;
};

class IamPartTest : public testing::TestWithParam<Part> {};

TEST_P(IamPartTest, AllowsWhatItDoes) {
  EXPECT_EQ(policy_of(GetParam().parts), GetParam().expected);
}

const std::string kQueue = "arn:aws:sqs:eu-west-1:*:landing";
const std::set<std::string> kProbe =
    kWrite + std::set<std::string>{"s3:GetObject", "s3:DeleteObject"};

INSTANTIATE_TEST_SUITE_P(
    Parts, IamPartTest,
    testing::Values(
        Part{"AQueueIsReadAndEmptied", kQueueSource, {{kQueue, kReceive}}},
        Part{"AListingListsItsPrefix",
             "sources: { sweep: { kind: listing, store: prod, bucket: inbox, prefix: in/ } }\n",
             {{"inbox", {"s3:ListBucket in/*"}}}},
        Part{"AFolderTakesNothing",
             "sources: { sweep: { kind: listing, store: here, bucket: inbox } }\n",
             {}},
        Part{"AnEditReadsAndWritesInPlace",
             std::string(kQueueSource) +
                 "routes: { r: { from: raw, steps: [ { edit: { set: { a: \"\" } } } ] } }\n",
             {{kQueue, kReceive},
              {"inbox/in/*", kWrite + std::set<std::string>{"s3:GetObject", "s3:GetObjectTagging"}},
              {"inbox/.headrace/probe-*", kProbe}}},
        Part{"ATagTouchesOnlyTags",
             std::string(kQueueSource) +
                 "routes: { r: { from: raw, steps: [ { tag: { done: \"true\" } } ] } }\n",
             {{kQueue, kReceive},
              {"inbox/in/*", {"s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging"}}}},
        Part{"AMoveWritesThereAndDeletesHere",
             std::string(kQueueSource) +
                 "routes: { r: { from: raw, steps: [ { move: { bucket: done,"
                 " to: \"ok/{filename}\" } } ] } }\n",
             {{kQueue, kReceive},
              {"inbox/in/*", {"s3:GetObject", "s3:GetObjectTagging", "s3:DeleteObject"}},
              {"done/ok/*", kWrite + std::set<std::string>{"s3:GetObject"}},
              {"done/.headrace/probe-*", kProbe}}},
        Part{
            "ATableHasItsFolder",
            std::string(kQueueSource) + "tables: { t: { store: prod, location: lake/tables/t } }\n",
            {{kQueue, kReceive},
             {"lake/tables/t*", kProbe},
             {"lake", {"s3:ListBucket tables/t*"}},
             {"lake/.headrace/probe-*", kProbe}}}),
    [](const auto& row) { return row.param.name; });

TEST(IamPolicyOfAStack, WithSetupMayMakeAndUnmakeWhatTheStackNeeds) {
  const Allowed allowed = policy_of(kQueueSource, true);
  EXPECT_TRUE(allowed.at(kQueue).contains("sqs:CreateQueue"));
  EXPECT_TRUE(allowed.at(kQueue).contains("sqs:ReceiveMessage"));
  EXPECT_TRUE(allowed.at("inbox").contains("s3:PutBucketNotification"));
  EXPECT_TRUE(allowed.at("inbox/.headrace/lake/*").contains("s3:PutObject"));
  EXPECT_FALSE(policy_of(kQueueSource).contains("inbox"));
}

}  // namespace
}  // namespace headrace
