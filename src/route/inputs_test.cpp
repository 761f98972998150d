// One semantics for all that can be asked: JSON text, decoded events, rows given by their columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "route/bench_inputs.h"
#include "route/matcher.h"
#include "route/row_filter.h"

namespace headrace {
namespace {

using testing::ElementsAre;

/// Conditions on every field an event has, so that each member is bound to its path.
std::vector<Rule> rules_on_every_field() {
  std::vector<Rule> out;
  for (const char* path : {"version",
                           "id",
                           "detail-type",
                           "source",
                           "time",
                           "detail.version",
                           "detail.bucket.name",
                           "detail.object.key",
                           "detail.object.size",
                           "detail.object.etag",
                           "detail.object.version-id",
                           "detail.object.sequencer",
                           "detail.store",
                           "detail.origin",
                           "detail.producer",
                           "detail.key_fields.day",
                           "detail.key_fields.a.b",
                           "detail.line.number",
                           "detail.line.text",
                           "detail.line.base64",
                           "detail.object",
                           "nothing"}) {
    for (const char* condition :
         {R"({"exists":true})", R"({"exists":false})", R"({"wildcard":"*a*"})", R"("x")", "5",
          R"({"numeric":[">",4]})", R"({"prefix":"20"})", R"({"suffix":"\uFFFD"})"}) {
      const std::string pattern = fmt::format(R"({{"{}":[{}]}})", path, condition);
      out.push_back({static_cast<std::uint32_t>(out.size()), Pattern::parse(pattern)});
    }
  }
  return out;
}

std::vector<Event> odd_events() {
  Event bare;
  bare.id = "x";
  bare.object = {"x", "a"};
  Event full = bare;
  full.kind = EventKind::kOther;
  full.detail_type = "Object Painted";
  full.store = full.origin = full.producer = full.version_id = full.sequencer = "xa";
  full.etag = Etag{"a"};
  full.size = 5;
  full.key_fields = {{"day", "20"}, {"a.b", "x"}, {"other", "a"}};
  Event large = full;
  large.size = 9'007'199'254'740'993;
  Event broken = full;
  broken.object.path = "a\xFF";
  Event broken_field = full;
  broken_field.key_fields["day"] = "\xFF";
  Event line = full;
  line.line = Event::Line{5, "x"};
  Event bytes = full;
  bytes.line = Event::Line{5, "\xFF"};
  return {bare, full, large, broken, broken_field, line, bytes};
}

TEST(Inputs, ADecodedEventIsWhatItsJsonIs) {
  const Matcher matcher(rules_on_every_field());
  std::vector<Event> events = odd_events();
  for (const Event& event : bench::events(200)) events.push_back(event);
  std::size_t matches = 0;
  for (const Event& event : events) {
    std::vector<std::uint32_t> decoded;
    std::vector<std::uint32_t> text;
    matcher.match(event, decoded);
    matcher.match(to_json(event), text);
    EXPECT_EQ(decoded, text) << to_json(event);
    matches += text.size();
  }
  EXPECT_GT(matches, 1000);
}

TEST(Inputs, ManyRulesAnswerAlikeForBoth) {
  std::vector<Rule> rules;
  for (const std::string& pattern : bench::patterns(3000)) {
    rules.push_back({static_cast<std::uint32_t>(rules.size()), Pattern::parse(pattern)});
  }
  const Matcher matcher(rules);
  for (const Event& event : bench::events(500)) {
    std::vector<std::uint32_t> decoded;
    std::vector<std::uint32_t> text;
    matcher.match(event, decoded);
    matcher.match(to_json(event), text);
    ASSERT_EQ(decoded, text) << to_json(event);
  }
}

TEST(Inputs, ARowIsAskedByItsColumns) {
  const RowFilter filter(
      R"({"country":["de"],"age":[{"numeric":[">=",18]}],"gone":[{"exists":false}]})");
  const std::uint32_t country = filter.field("country");
  const std::uint32_t age = filter.field("age");
  EXPECT_EQ(filter.field("name"), Matcher::kNoField);
  EXPECT_EQ(filter.field(""), Matcher::kNoField);
  using Kind = FieldValue::Kind;
  const auto row = [&](std::string_view of, std::string_view years) {
    return std::vector<Matcher::Scalar>{{country, {Kind::kString, of}},
                                        {age, {Kind::kNumber, years}},
                                        {filter.field("name"), {Kind::kString, "x"}}};
  };
  EXPECT_TRUE(filter.matches(row("de", "18")));
  EXPECT_FALSE(filter.matches(row("fr", "18")));
  EXPECT_FALSE(filter.matches(row("de", "17")));
  std::vector<Matcher::Scalar> more = row("de", "18");
  more.push_back({filter.field("gone"), {Kind::kWord, "null"}});
  EXPECT_FALSE(filter.matches(more)) << "a null is there";
}

}  // namespace
}  // namespace headrace
