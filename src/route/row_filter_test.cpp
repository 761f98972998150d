#include "route/row_filter.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

TEST(RowFilter, AsksRowsAsRoutesAskEvents) {
  const RowFilter filter(R"({"country":["de","fr"],"age":[{"numeric":[">=",18]}]})");
  EXPECT_EQ(filter.ask(R"({"name":"x","age":40,"country":"de"})"), RowAnswer::kYes);
  EXPECT_EQ(filter.ask(R"({"age":17,"country":"de"})"), RowAnswer::kNo);
  EXPECT_EQ(filter.ask(R"({"country":"de"})"), RowAnswer::kNo);
  EXPECT_TRUE(filter.matches(R"({"age":18.0,"country":"fr"})"));
}

TEST(RowFilter, TakesABadRowForAFaultOfThatRow) {
  const RowFilter filter(R"({"a":[{"exists":false}]})");
  for (const char* row : {"", "{", "[]", "1", "{\"b\":tru}", "{\"b\":\"\xff\"}", "{} {}"}) {
    EXPECT_EQ(filter.ask(row), RowAnswer::kFault) << row;
    EXPECT_THROW(filter.matches(row), Error) << row;
  }
  EXPECT_EQ(filter.ask("{}"), RowAnswer::kYes);
}

TEST(RowFilter, RefusesWhatIsNoPattern) {
  try {
    const RowFilter filter(R"({"a":"x"})");
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(std::string_view(error.what()).find("field a"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace headrace
