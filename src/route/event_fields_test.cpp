#include "route/event_fields.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "route/generate.h"
#include "route/json_tree.h"

namespace headrace {
namespace {

/// Is it one JSON object, by the reader that takes one byte after the other?
bool is_object(std::string_view text) {
  try {
    return parse_json_tree(text).kind == JsonTree::Kind::kObject;
  } catch (const Error&) {
    return false;
  }
}

bool reads(EventFields& fields, const FieldTree& tree, std::string_view text) {
  try {
    fields.read(text, tree);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return false;
  }
}

/// What is passed by is checked like the rest: random damage is found wherever it is, whether the
/// fields around it are asked for or not.
TEST(EventFields, TakesWhatIsJsonAndNothingElse) {
  static constexpr std::string_view kBytes = "{}[]\",:\\ \n0123456789.-+eEtruefalsn\x01\x80\xC3u";
  SeededRandom random(7);
  FieldTree none;
  FieldTree some;
  for (const char* path : {"a", "a.b", "c", "b.c", "d"}) some.add(path);
  EventFields fields;
  std::size_t good = 0;
  std::size_t bad = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text = generate::event(random);
    for (auto damage = random.below(3); damage > 0; --damage) {
      const std::size_t at = random.below(text.size() + 1);
      const char byte = kBytes[random.below(kBytes.size())];
      switch (random.below(3)) {
        case 0:
          text.insert(at, 1, byte);
          break;
        case 1:
          if (at < text.size()) text[at] = byte;
          break;
        default:
          text.erase(at, 1);
      }
    }
    const bool expected = is_object(text);
    ASSERT_EQ(reads(fields, none, text), expected) << text;
    ASSERT_EQ(reads(fields, some, text), expected) << text;
    ++(expected ? good : bad);
  }
  EXPECT_GT(good, 5000);
  EXPECT_GT(bad, 5000);
}

/// What is passed by closes with the last byte there is: nothing behind it may be looked at.
TEST(EventFields, RefusesAnEventThatEndsWithAnObjectThatNobodyAsksFor) {
  FieldTree tree;
  tree.add("a");
  EventFields fields;
  for (const std::string_view text :
       {R"({"x":{"y":1})", R"({"x":{"y":[1,2]})", R"({"a":1,"x":{})"}) {
    const std::vector<char> alone(text.begin(), text.end());
    EXPECT_FALSE(reads(fields, tree, {alone.data(), alone.size()})) << text;
  }
}

TEST(EventFields, ReadsLongAndShortNumbers) {
  FieldTree tree;
  const std::uint32_t field = tree.add("a");
  EventFields fields;
  for (const char* number :
       {"0", "-0", "7", "-12.5", "1e5", "1.25E-7", "123456789012345678901234567890.5",
        "0.00000000000000000000000000000000000001", "1234567890123456789012345678901",
        "12345678901234567890123456789.1e+10"}) {
    // With room for wide loads behind the number, and without.
    for (const std::string& rest :
         {std::string(), std::string(R"(,"z":")") + std::string(40, 'z') + "\""}) {
      const std::string event = R"({"a":)" + std::string(number) + rest + "}";
      fields.read(event, tree);
      EXPECT_EQ(fields.leaf(fields.first(field)).value.text(), number);
    }
  }
}

}  // namespace
}  // namespace headrace
