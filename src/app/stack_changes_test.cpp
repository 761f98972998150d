#include "app/stack_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kStack = R"(version: 1
name: lake
stores:
  lake: { kind: file, path: ./buckets }
sources:
  landing: { kind: watch, store: lake, bucket: inbox }
routes:
  mark:
    from: landing
    match: { key: { suffix: .json } }
    steps: [ { tag: { seen: "yes" } } ]
    retry: { attempts: 3 }
)";

class StackChangesTest : public testing::Test {
 protected:
  /// What the stack says with `from` replaced by `to`.
  WrittenStack with(const std::string& from, const std::string& to) const {
    std::string text(kStack);
    text.replace(text.find(from), from.size(), to);
    const LoadedStack loaded = load_stack_text("headrace.yaml", text, folder_.path());
    EXPECT_TRUE(loaded.stack) << loaded.diagnostics;
    return loaded.stack ? loaded.stack->written : WrittenStack();
  }
  StackChanges changes(const std::string& from, const std::string& to) const {
    return changes_between(with("", ""), with(from, to));
  }

  TempFolder folder_;
};

TEST_F(StackChangesTest, WritingItInAnotherWayIsNone) {
  const StackChanges same =
      changes("landing: { kind: watch, store: lake, bucket: inbox }",
              "landing:\n    # a comment\n    bucket: \"inbox\"\n    store: lake\n    kind: watch");
  EXPECT_THAT(same.fixed, IsEmpty());
  EXPECT_THAT(same.changed, IsEmpty());
  EXPECT_THAT(same.added, IsEmpty());
}

TEST_F(StackChangesTest, NamesWhatTakesARestart) {
  EXPECT_THAT(changes("name: lake", "name: sea").fixed, ElementsAre("name"));
  EXPECT_THAT(changes("./buckets", "./other").fixed, ElementsAre("stores.lake.path"));
  EXPECT_THAT(changes("bucket: inbox", "bucket: inbox, prefix: a/").fixed,
              ElementsAre("sources.landing.prefix"));
  EXPECT_THAT(changes("bucket: inbox }",
                      "bucket: inbox }\n  more: { kind: watch, store: lake, "
                      "bucket: more }")
                  .fixed,
              ElementsAre("sources.more.bucket", "sources.more.kind", "sources.more.store"));
  EXPECT_THAT(changes("routes:", "datasets:\n  all: { store: lake, bucket: inbox }\nroutes:").fixed,
              ElementsAre("datasets.all.bucket", "datasets.all.store"));
  EXPECT_THAT(changes("seen: \"yes\"", "seen: \"no\"").fixed, ElementsAre("routes.mark.steps"));
  EXPECT_THAT(changes("  mark:", "  other:").fixed, ElementsAre("routes.mark (gone)"));
}

TEST_F(StackChangesTest, NamesRoutesThatCanBeTakenAtOnce) {
  const StackChanges later = changes("attempts: 3", "attempts: 4");
  EXPECT_THAT(later.fixed, IsEmpty());
  EXPECT_THAT(later.changed, ElementsAre("mark"));
  const StackChanges more =
      changes("    retry: { attempts: 3 }\n",
              "    retry: { attempts: 3 }\n"
              "  new: { from: landing, steps: [ { tag: { new: \"yes\" } } ] }\n");
  EXPECT_THAT(more.fixed, IsEmpty());
  EXPECT_THAT(more.changed, IsEmpty());
  EXPECT_THAT(more.added, ElementsAre("new"));
}

TEST_F(StackChangesTest, WhatOnlyVerbsLookAtAndWhatARouteMatchesAreNone) {
  const StackChanges other = changes(".json } }", ".csv } }");
  EXPECT_THAT(other.fixed, IsEmpty());
  EXPECT_THAT(other.changed, IsEmpty());
  EXPECT_THAT(changes("routes:", "sql: { memory: 1GiB }\nroutes:").fixed, IsEmpty());
}

}  // namespace
}  // namespace headrace
