#include "core/bytes.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

TEST(BytesSource, GivesPiecesOfTheSizeAskedFor) {
  const auto source = source_of("abcdefgh", 3);
  EXPECT_EQ(run_task(source->read()), "abc");
  EXPECT_EQ(run_task(source->read()), "def");
  EXPECT_EQ(run_task(source->read()), "gh");
  EXPECT_EQ(run_task(source->read()), "");
  EXPECT_EQ(run_task(source->read()), "");
}

TEST(BytesSource, GivesAShortTextInOnePiece) {
  const auto source = source_of("abc");
  EXPECT_EQ(run_task(source->read()), "abc");
  EXPECT_EQ(run_task(source->read()), "");
  EXPECT_EQ(run_task(source->read()), "");
}

TEST(BytesSource, OfNothingEndsAtOnce) {
  const auto source = source_of("");
  EXPECT_EQ(run_task(source->read()), "");
  EXPECT_EQ(run_task(source->read()), "");
}

TEST(BytesSource, TakesPiecesOfNothingForPiecesOfOne) {
  const auto source = source_of("ab", 0);
  EXPECT_EQ(run_task(source->read()), "a");
  EXPECT_EQ(run_task(source->read()), "b");
  EXPECT_EQ(run_task(source->read()), "");
}

TEST(ReadAll, ReadsToTheEndWithinItsLimit) {
  EXPECT_EQ(run_task(read_all(*source_of("abcdefgh", 3), 8)), "abcdefgh");
  EXPECT_EQ(run_task(read_all(*source_of(""), 0)), "");
  try {
    run_task(read_all(*source_of("abcdefgh", 3), 7));
    FAIL() << "read more than its limit";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_STREQ(error.what(), "more than the limit of 7 bytes");
  }
}

}  // namespace
}  // namespace headrace
