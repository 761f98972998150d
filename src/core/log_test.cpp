#include "core/log.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

TEST(Log, HandsOnLinesFromItsLevelUp) {
  std::vector<std::string> lines;
  const Log log(
      [&](LogLevel level, std::string_view message, std::span<const LogField> fields) {
        lines.push_back(fmt::format("{} {} {}", to_string(level), message, fields.size()));
      },
      LogLevel::kInfo);
  log.debug("a");
  log.info("b", {{"n", 1}, {"s", "x"}});
  log.warning("c");
  log.error("d", {{"e", std::string("y")}});
  EXPECT_EQ(lines, (std::vector<std::string>{"info b 2", "warning c 0", "error d 1"}));
  silent_log().error("nobody hears this");
}

TEST(LogLine, ForPeopleQuotesOnlyWhatNeedsIt) {
  const LogField fields[] = {{"table", "people"}, {"version", 3},        {"share", 0.5},
                             {"why", "a b"},      {"empty", ""},         {"equal", "a=b"},
                             {"line", "x\ny"},    {"colour", "\x1b[31m"}};
  EXPECT_EQ(log_line_text("2026-01-31T09:08:07.123Z", LogLevel::kInfo, "table committed", fields),
            "2026-01-31T09:08:07.123Z info    table committed  table=people  version=3  "
            "share=0.5  why=\"a b\"  empty=\"\"  equal=\"a=b\"  line=\"x\\ny\"  "
            "colour=\"\\u001b[31m\"");
}

TEST(LogLine, ForProgramsIsOneJsonObject) {
  const LogField fields[] = {{"table", "a\"b"}, {"version", 3}};
  EXPECT_EQ(log_line_json("2026-01-31T09:08:07Z", LogLevel::kError, "lost", fields),
            R"({"time":"2026-01-31T09:08:07Z","level":"error","message":"lost",)"
            R"("table":"a\"b","version":"3"})");
}

}  // namespace
}  // namespace headrace
