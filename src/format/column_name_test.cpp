#include "format/column_name.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace headrace {
namespace {

TEST(ColumnName, LeavesAllowedNamesAlone) {
  for (const char* key : {"a", "Größe", "a.b", "100%", "a%zz", "%2", "[x]", "a/b:c"}) {
    EXPECT_EQ(column_name_of(key), key);
  }
}

TEST(ColumnName, IsUndoneByItsReverseForAnyKey) {
  SeededRandom random(3);
  const std::string_view characters = "%%%20aAfF =,;{}()\n\t\x01\x7Fz";
  for (int round = 0; round < 20'000; ++round) {
    std::string key;
    for (auto left = random.below(8); left > 0; --left) {
      key += characters[random.below(characters.size())];
    }
    const std::string name = column_name_of(key);
    EXPECT_EQ(json_key_of(name), key) << name;
    EXPECT_EQ(name.find_first_of(" ,;{}()\n\t="), std::string::npos) << name;
    EXPECT_FALSE(name.empty());
  }
}

}  // namespace
}  // namespace headrace
