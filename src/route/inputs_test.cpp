// One semantics for all that can be asked: JSON text, decoded events, rows given by their columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <set>

#include "core/json.h"
#include "route/bench_inputs.h"
#include "route/generate.h"
#include "route/lint.h"
#include "route/matcher.h"
#include "route/oracle.h"
#include "route/row_filter.h"

namespace headrace {
namespace {

using testing::IsEmpty;

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

/// Appends the paths of all scalars, names joined by dots.
void append_paths(simdjson::dom::element value, const std::string& path,
                  std::set<std::string>& out) {
  simdjson::dom::object members;
  if (value.get(members) != simdjson::SUCCESS) {
    out.insert(path);
    return;
  }
  for (const auto& [name, member] : members) {
    append_paths(member, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name), out);
  }
}

/// Every field that an event can have, as its JSON tells.
std::set<std::string> event_fields() {
  std::set<std::string> out;
  for (const Event& event : odd_events()) {
    simdjson::dom::parser parser;
    append_paths(parser.parse(to_json(event)).value(), "", out);
  }
  return out;
}

/// Conditions on every field an event has, so that each member is bound to its path.
std::vector<Rule> rules_on_every_field() {
  std::vector<Rule> out;
  std::set<std::string> paths = event_fields();
  paths.insert({"detail.object", "nothing"});
  for (const std::string& path : paths) {
    for (const char* condition :
         {R"({"exists":true})", R"({"exists":false})", R"({"wildcard":"*a*"})", R"("x")", "5",
          R"({"numeric":[">",4]})", R"({"prefix":"20"})", R"({"suffix":"\uFFFD"})"}) {
      const std::string pattern = fmt::format(R"({{"{}":[{}]}})", path, condition);
      out.push_back({static_cast<std::uint32_t>(out.size()), Pattern::parse(pattern)});
    }
  }
  return out;
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

TEST(Inputs, NoFieldOfAnEventIsUnknownToLint) {
  for (const std::string& path : event_fields()) {
    const Rule rule{0, Pattern::parse(fmt::format(R"({{"{}":[{{"exists":true}}]}})", path))};
    EXPECT_THAT(lint(std::span(&rule, 1)), IsEmpty()) << path;
  }
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

/// Rounds of patterns and what is asked of them, by chance: `ask` gives the text of that as JSON,
/// and what the matcher answered.
void expect_what_the_oracle_says(std::string (*pattern)(Random&), auto make, auto ask) {
  SeededRandom random(1);
  std::vector<std::uint32_t> matched;
  std::size_t matches = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto asked = make(random);
    const auto patterns = generate::patterns(random, pattern);
    const std::string text = ask(Matcher(generate::rules(patterns)), asked, matched);
    ASSERT_EQ(matched, oracle::wanting(patterns, text))
        << text << fmt::format(" {}", fmt::join(patterns, " "));
    matches += matched.size();
  }
  EXPECT_GT(matches, 150);
}

TEST(Inputs, DecodedEventsByChanceAnswerAsTheOracleSays) {
  expect_what_the_oracle_says(
      generate::event_pattern, [](Random& random) { return generate::decoded_event(random); },
      [](const Matcher& matcher, const Event& event, std::vector<std::uint32_t>& matched) {
        matcher.match(event, matched);
        return to_json(event);
      });
}

TEST(Inputs, RowsByChanceAnswerAsTheOracleSays) {
  expect_what_the_oracle_says(
      generate::pattern, [](Random& random) { return generate::row(random); },
      [](const Matcher& matcher, const auto& row, std::vector<std::uint32_t>& matched) {
        matcher.match(generate::scalars(row, matcher), matched);
        return generate::to_json(row);
      });
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
