#include "route/number_array.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/random.h"
#include "route/event_fields.h"
#include "route/json_scan.h"
#include "route/json_tree.h"

namespace headrace {
namespace {

/// The same answer by one byte after the other.
NumberArray plainly(std::string_view text, std::uint32_t max_depth) {
  NumberArray out;
  std::uint32_t depth = 0;
  bool value = true;  // A value may begin here; else something ends.
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    ++out.tokens;
    if (value && c == '[') {
      if (++depth > max_depth) return {};
      ++at;
      if (text.substr(at).starts_with(']')) value = false;
    } else if (value) {
      const std::string number(text.substr(at, text.find_first_of(",[]", at) - at));
      const char* end = number_end_by_bytes(number.c_str());
      if (number.find_first_of("eE") != std::string::npos || end == nullptr || *end != 0) return {};
      at += number.size();
      value = false;
    } else if (c == ']') {
      ++at;
      if (--depth == 0) {
        out.end = text.data() + at;
        return out;
      }
    } else if (c == ',') {
      ++at;
      value = true;
    } else {
      return {};
    }
  }
  return {};
}

void append_array(std::string& out, Random& random, int levels) {
  out.push_back('[');
  for (auto count = random.below(5); count > 0; --count) {
    if (levels > 0 && random.below(3) == 0) {
      append_array(out, random, levels - 1);
    } else {
      static constexpr std::string_view kStarts[] = {"-122.", "0", "-0.", "37.", "5", "10", "-1"};
      out += kStarts[random.below(7)];
      if (out.back() == '.') out += std::string(random.below(70) + 1, '0' + random.below(10));
    }
    if (count > 1) out.push_back(',');
  }
  out.push_back(']');
}

std::vector<Lanes> lanes() {
  std::vector<Lanes> out;
  if (lanes_here() != Lanes::kNone) out.push_back(Lanes::k256);
  if (lanes_here() == Lanes::k512) out.push_back(Lanes::k512);
  return out;
}

/// Damaged at random, with and without text behind it, at all places in a block.
TEST(NumberArray, IsPassedByIfItIsOneAndNothingElse) {
  static constexpr std::string_view kBytes = "[],.-0123456789eE+ \"tx\x80";
  if (lanes().empty()) GTEST_SKIP() << "skipped: no wide registers here";
  SeededRandom random(11);
  std::size_t good = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random.below(70), ' ');
    const std::size_t begin = text.size();
    append_array(text, random, static_cast<int>(random.below(5)));
    for (auto damage = random.below(3); damage > 0 && text.size() > begin + 1; --damage) {
      const std::size_t at = begin + 1 + random.below(text.size() - begin - 1);
      const char byte = kBytes[random.below(kBytes.size())];
      random.below(2) == 0 ? void(text[at] = byte) : void(text.insert(at, 1, byte));
    }
    if (random.below(2) == 0) text += "]]}}" + std::string(random.below(70), ',');
    const std::string_view array = std::string_view(text).substr(begin);
    const NumberArray expected = plainly(array, 4);
    for (const Lanes wide : lanes()) {
      const char* limit = text.data() + text.size();
      const NumberArray found = pass_number_array(array.data(), text.data(), limit, 4, wide);
      if (found.end == nullptr && (text.size() < 64 || expected.end == nullptr)) continue;
      if (found.end == nullptr && std::ranges::count(text, '[') > 4) continue;  // Depth: guessed.
      ASSERT_EQ(found.end, expected.end) << array;
      ASSERT_EQ(found.tokens, expected.tokens) << array;
      ++good;
    }
  }
  EXPECT_GT(good, 50'000);
}

TEST(NumberArray, FaultsAtTheEdgeOfABlockAreFound) {
  if (lanes().empty()) GTEST_SKIP() << "skipped: no wide registers here";
  for (const char* fault :
       {"1..2", "1.2.3", "01", "-01", "00",  "1.",  ".1",   "-",   "--1", "1-", "1,,2",
        "1,]",  "[,1",   "]1", "1[",  "-.5", "1,[", "[1,2", "1 2", "+1",  "1e5"}) {
    for (std::size_t digits = 40; digits < 140; ++digits) {
      const std::string text =
          fmt::format("[{},{}]{}", std::string(digits, '7'), fault, std::string(64, ' '));
      for (const Lanes wide : lanes()) {
        const NumberArray found =
            pass_number_array(text.data(), text.data(), text.data() + text.size(), 9, wide);
        EXPECT_EQ(found.end == nullptr, plainly(text, 9).end == nullptr) << text;
      }
    }
  }
}

/// Events with arrays of numbers that nobody asks for, damaged at random: taken if they are JSON.
TEST(NumberArray, EventsAroundItAreJsonAsBefore) {
  static constexpr std::string_view kBytes = "[]{},:.-0123456789eE+ \"tx";
  SeededRandom random(12);
  FieldTree tree;
  tree.add("a");
  EventFields fields;
  std::size_t good = 0;
  std::size_t bad = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text = R"({"x":)";
    append_array(text, random, 4);
    text += random.below(2) == 0 ? R"(,"y":{"z":[{"w":)" : R"(,"y":{"z":[["k",)";
    const char closing = text.back() == ':' ? '}' : ']';
    append_array(text, random, 4);
    text += fmt::format(R"({}]}},"a":1}})", closing);
    for (auto damage = random.below(3); damage > 0; --damage) {
      const std::size_t at = random.below(text.size());
      text[at] = kBytes[random.below(kBytes.size())];
    }
    bool expected = false;
    bool read = true;
    try {
      expected = parse_json_tree(text).kind == JsonTree::Kind::kObject;
    } catch (const Error&) {
    }
    try {
      fields.read(text, tree);
    } catch (const Error&) {
      read = false;
    }
    ASSERT_EQ(read, expected) << text;
    ++(expected ? good : bad);
  }
  EXPECT_GT(good, 10'000);
  EXPECT_GT(bad, 10'000);
}

}  // namespace
}  // namespace headrace
