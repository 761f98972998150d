#include "table/delta/log_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::delta {
namespace {

using testing::ElementsAre;

Time at(int seconds) { return Time(std::chrono::seconds(seconds)); }

TEST(LogName, KnowsCommitsAndAllKindsOfCheckpoints) {
  EXPECT_EQ(parse_log_name("00000000000000000007.json").kind, LogName::Kind::kCommit);
  EXPECT_EQ(parse_log_name("00000000000000000007.json").version, 7);
  EXPECT_EQ(parse_log_name("00000000000000000010.checkpoint.parquet").kind,
            LogName::Kind::kCheckpoint);
  const LogName part =
      parse_log_name("00000000000000000010.checkpoint.0000000002.0000000003.parquet");
  EXPECT_EQ(part.kind, LogName::Kind::kCheckpoint);
  EXPECT_EQ(part.part, 2u);
  EXPECT_EQ(part.parts, 3u);
  EXPECT_TRUE(parse_log_name("00000000000000000010.checkpoint."
                             "80a083e8-7026-4e79-81be-64bd76c43a11.json")
                  .by_uuid);
}

TEST(LogName, PassesOverAllElse) {
  for (const char* name : {"_last_checkpoint", "00000000000000000007.crc", "7.json", "0.json.tmp",
                           "00000000000000000001.00000000000000000009.compacted.json",
                           "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
                           "00000000000000000010.checkpoint.0000000000.0000000003.parquet",
                           "0000000000000000001x.json", "-0000000000000000001.json", ""}) {
    EXPECT_EQ(parse_log_name(name).kind, LogName::Kind::kOther) << name;
  }
}

TEST(LogListing, MakesTimesRiseWithVersions) {
  LogListing listing;
  listing.add(commit_name(0), at(100));
  listing.add(commit_name(1), at(90));   // The store's clock was set back.
  listing.add(commit_name(2), at(100));  // Copied together.
  std::vector<Time> times;
  for (const CommitFile& file : listing.commits()) times.push_back(file.at);
  const auto ms = std::chrono::milliseconds(1);
  EXPECT_THAT(times, ElementsAre(at(100), at(100) + ms, at(100) + 2 * ms));
}

TEST(LogListing, TakesTheNewestCheckpointOfWhichAllPartsAreThere) {
  LogListing listing;
  listing.add("00000000000000000010.checkpoint.parquet", at(1));
  listing.add("00000000000000000020.checkpoint.0000000001.0000000002.parquet", at(2));
  listing.add("00000000000000000020.checkpoint.0000000002.0000000002.parquet", at(3));
  listing.add("00000000000000000030.checkpoint.0000000001.0000000002.parquet", at(4));
  const auto newest = listing.checkpoint(99);
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->version, 20);
  EXPECT_EQ(newest->names.size(), 2u);
  EXPECT_EQ(listing.checkpoint(19)->version, 10);
  EXPECT_FALSE(listing.checkpoint(9));
}

TEST(LogListing, DoesNotMixPartsOfTwoCheckpointsOfOneVersion) {
  LogListing listing;
  listing.add("00000000000000000010.checkpoint.0000000001.0000000002.parquet", at(1));
  listing.add("00000000000000000010.checkpoint.0000000002.0000000003.parquet", at(1));
  EXPECT_FALSE(listing.checkpoint(10));
}

TEST(LogListing, SaysHowFarBackTheLogReaches) {
  LogListing whole;
  whole.add(commit_name(0), at(1));
  whole.add(commit_name(1), at(2));
  EXPECT_EQ(whole.oldest(), 0);
  EXPECT_EQ(whole.newest(), 1);
  LogListing cleaned;
  cleaned.add(commit_name(8), at(1));
  cleaned.add(commit_name(9), at(1));
  cleaned.add(checkpoint_name(10), at(1));
  cleaned.add(commit_name(10), at(1));
  cleaned.add(commit_name(11), at(1));
  EXPECT_EQ(cleaned.oldest(), 10);
  EXPECT_EQ(cleaned.newest(), 11);
}

}  // namespace
}  // namespace headrace::delta
