// Random nested rows of random schemas, against what a plain walk over the values says.
#include <gtest/gtest.h>

#include <array>

#include "core/json.h"
#include "core/random.h"
#include "format/read_back.h"

namespace headrace {
namespace {

DataType random_type(SeededRandom& random, int depth) {
  constexpr std::array kLeaves = {TypeKind::kLong, TypeKind::kString, TypeKind::kBoolean,
                                  TypeKind::kDouble, TypeKind::kInteger};
  const auto choice = random.below(depth > 4 ? 5 : 9);
  DataType type;
  if (choice < 5) {
    type.kind = kLeaves[choice];
  } else if (choice < 7) {
    type.kind = TypeKind::kStruct;
    for (std::uint64_t i = 0; i <= random.below(4); ++i) {
      type.fields.push_back(
          {.name = "m" + std::to_string(i), .type = random_type(random, depth + 1)});
    }
  } else if (choice == 7) {
    type.kind = TypeKind::kList;
    type.fields = {{.name = "element", .type = random_type(random, depth + 1)}};
  } else {
    type.kind = TypeKind::kMap;
    type.fields = {{.name = "key", .nullable = false},
                   {.name = "value", .type = random_type(random, depth + 1)}};
  }
  return type;
}

/// A value as it is sent, with keys left out and out of order, and as it should come back.
struct Pair {
  std::string sent;
  std::string back;
};

Pair random_value(const DataType& type, SeededRandom& random);

Pair random_object(const std::vector<Field>& fields, SeededRandom& random) {
  std::vector<std::string> sent;
  std::string back;
  for (const Field& field : fields) {
    Pair value{"", "null"};
    if (random.below(4) != 0) value = random_value(field.type, random);
    if (!value.sent.empty()) sent.push_back("\"" + field.name + "\" : " + value.sent);
    back += (back.empty() ? "{\"" : ",\"") + field.name + "\":" + value.back;
  }
  for (std::size_t i = sent.size(); i > 1; --i) std::swap(sent[i - 1], sent[random.below(i)]);
  std::string text;
  for (const std::string& member : sent) text += (text.empty() ? "{ " : ", ") + member;
  return {text.empty() ? "{ }" : text + " }", back.empty() ? "{}" : back + "}"};
}

Pair random_list(const DataType& type, SeededRandom& random) {
  const bool map = type.kind == TypeKind::kMap;
  Pair out;
  for (std::uint64_t i = 0, size = random.below(4); i < size; ++i) {
    const std::string key = map ? "\"k" + std::to_string(i) + "\":" : "";
    const Pair value = random_value(type.fields.back().type, random);
    out.sent += (i == 0 ? "" : " ,") + key + value.sent;
    out.back += (i == 0 ? "" : ",") + key + value.back;
  }
  const char* brackets = map ? "{}" : "[]";
  out.sent = brackets[0] + out.sent + brackets[1];
  out.back = brackets[0] + out.back + brackets[1];
  return out;
}

Pair random_value(const DataType& type, SeededRandom& random) {
  if (random.below(5) == 0) return {"null", "null"};
  const auto same = [](std::string text) { return Pair{text, text}; };
  switch (type.kind) {
    case TypeKind::kStruct:
      return random_object(type.fields, random);
    case TypeKind::kList:
    case TypeKind::kMap:
      return random_list(type, random);
    case TypeKind::kString: {
      std::string text;
      append_json_string(
          text, std::string(random.below(40), 'x') + (random.below(3) == 0 ? "\"\\é" : ""));
      return same(text);
    }
    case TypeKind::kBoolean:
      return same(random.below(2) == 0 ? "true" : "false");
    case TypeKind::kDouble:
      return same(std::to_string(random.below(1'000)) + ".5");
    case TypeKind::kInteger:
      return same(std::to_string(static_cast<std::int32_t>(random.next())));
    default:
      return same(std::to_string(static_cast<std::int64_t>(random.next())));
  }
}

TEST(Shredding, GivesBackRandomNestedRows) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SeededRandom random(seed);
    ConvertOptions options;
    options.infer_bytes = seed % 2 == 0 ? 0 : 1 << 20;
    for (std::uint64_t i = 0; i <= random.below(5); ++i) {
      options.schema.fields.push_back(
          {.name = "c" + std::to_string(i), .type = random_type(random, 1)});
    }
    std::string lines;
    std::vector<std::string> expected;
    for (std::uint64_t i = 0, rows = 1 + random.below(60); i < rows; ++i) {
      const Pair row = random_object(options.schema.fields, random);
      lines += row.sent + "\n";
      expected.push_back(row.back);
    }
    const auto out = convert(lines, options);
    EXPECT_EQ(out.rows, expected) << "seed " << seed << ", " << to_string(options.schema);
    EXPECT_EQ(out.object.fault_count, 0u);
    EXPECT_EQ(out.rescued, 0u);
  }
}

}  // namespace
}  // namespace headrace
