#include "core/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace headrace {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, EscapesOnlyWhatItMust) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("plain text / 'x'"), R"("plain text / 'x'")");
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted("\n\r\t\b\f\x01\x1F\x7F"), "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\\u007f\"");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), "\"\\u0000\"");
  EXPECT_EQ(quoted("äπ🦆"), "\"äπ🦆\"");
}

TEST(JsonString, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(quoted("a\xFF"
                   "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(quoted("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object();
  json.key("a").number(1);
  json.key("b").begin_array().string("x").null().boolean(true).boolean(false);
  json.begin_object().end_object().begin_array().end_array().end_array();
  json.key("c").begin_object().key("d").raw("[1, 2]").key("e").number(2).end_object();
  json.end_object();
  EXPECT_EQ(std::move(json).text(),
            R"({"a":1,"b":["x",null,true,false,{},[]],"c":{"d":[1, 2],"e":2}})");
}

TEST(JsonWriter, WritesNumbersThatReadBackTheSame) {
  JsonWriter json;
  json.begin_array();
  json.number(std::numeric_limits<std::int64_t>::min());
  json.number(std::numeric_limits<std::uint64_t>::max());
  json.number(0.1).number(1e300).number(-0.0).number(5.0);
  json.number(std::nan("")).number(-std::numeric_limits<double>::infinity());
  json.end_array();
  EXPECT_EQ(json.text(), "[-9223372036854775808,18446744073709551615,0.1,1e+300,-0,5,null,null]");
}

}  // namespace
}  // namespace headrace
