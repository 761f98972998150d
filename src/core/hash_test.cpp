#include "core/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace headrace {
namespace {

TEST(Hash, IsTheSameForEver) {
  // Kept on disk: a change of any of these loses what was written before.
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2ULL);
  EXPECT_EQ(hash64("abc"), 0x78AF5F94892F3950ULL);
  EXPECT_EQ(hash64("abc", 1), hash64("abc", 1));
  EXPECT_NE(hash64("abc", 1), hash64("abc"));
  EXPECT_NE(hash64("abc"), hash64(std::string_view("abc\0", 4)));
}

}  // namespace
}  // namespace headrace
