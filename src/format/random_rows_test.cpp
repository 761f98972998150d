// Rows made from known columns at random, written in every way that pages can be, and read back by
// Arrow: each has to be what it was made as.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "core/json.h"
#include "core/random.h"
#include "format/read_back.h"

namespace headrace {
namespace {

Field list_of(std::string name, DataType element) {
  DataType type{.kind = TypeKind::kList};
  type.fields.push_back({.name = "element", .type = std::move(element)});
  return {.name = std::move(name), .type = std::move(type)};
}

Field struct_of(std::string name, std::vector<Field> members) {
  DataType type{.kind = TypeKind::kStruct};
  type.fields = std::move(members);
  return {.name = std::move(name), .type = std::move(type)};
}

/// Every physical type, plain and within structs and lists, two lists deep.
Schema wide_schema() {
  DataType wide{.kind = TypeKind::kDecimal, .precision = 30, .scale = 0};
  const Field inner =
      struct_of("inner", {field_of("whole", TypeKind::kLong), field_of("text", TypeKind::kString)});
  DataType longs{.kind = TypeKind::kList};
  longs.fields.push_back({.name = "element", .type = {.kind = TypeKind::kInteger}});
  return schema_of({field_of("long", TypeKind::kLong), field_of("int", TypeKind::kInteger),
                    field_of("byte", TypeKind::kByte), field_of("double", TypeKind::kDouble),
                    field_of("float", TypeKind::kFloat), field_of("flag", TypeKind::kBoolean),
                    field_of("text", TypeKind::kString), field_of("other", TypeKind::kString),
                    field_of("never", TypeKind::kString), Field{.name = "wide", .type = wide},
                    inner, list_of("list", inner.type), list_of("lists", longs),
                    list_of("texts", {.kind = TypeKind::kString})});
}

/// Makes a row twice at once: as a line of JSON, and as read_back() gives it.
class RowMaker {
 public:
  explicit RowMaker(std::uint64_t seed) : random_(seed) {}

  std::string line, row;

  void make(const std::vector<Field>& fields) {
    line = row = "";
    members(fields);
  }
  /// How likely texts and numbers are to be new ones: of 10.
  std::uint64_t novelty = 3;

 private:
  void members(const std::vector<Field>& fields) {
    line += '{';
    row += '{';
    bool first_met = true;
    for (const Field& field : fields) {
      if (row.back() != '{') row += ',';
      row += fmt::format("\"{}\":", field.name);
      if (field.name == "never" || random_.below(8) == 0) {
        row += "null";
        continue;
      }
      if (!first_met) line += ',';
      first_met = false;
      line += fmt::format("\"{}\":", field.name);
      value(field.type);
    }
    line += '}';
    row += '}';
  }

  void both(const std::string& text) {
    line += text;
    row += text;
  }

  void value(const DataType& type) {
    if (random_.below(12) == 0) return both("null");
    const bool fresh = random_.below(10) < novelty;
    switch (type.kind) {
      case TypeKind::kLong:
        return both(std::to_string(static_cast<std::int64_t>(
            fresh ? random_.next() >> random_.below(64) : random_.below(20))));
      case TypeKind::kInteger:
        return both(std::to_string(static_cast<std::int32_t>(
            fresh ? random_.next() >> random_.below(64) : random_.below(20))));
      case TypeKind::kByte:
        return both(std::to_string(static_cast<int>(random_.below(256)) - 128));
      case TypeKind::kDouble:
        return both(
            fmt::format("{}", static_cast<double>(random_.below(fresh ? 1u << 30 : 9)) / 8));
      case TypeKind::kFloat:
        return both(fmt::format("{}", static_cast<float>(random_.below(fresh ? 1u << 20 : 9)) / 4));
      case TypeKind::kBoolean:
        return both(random_.below(2) == 0 ? "true" : "false");
      case TypeKind::kDecimal:
        return both(fmt::format("{}{}", fresh ? "-" : "", 1 + random_.below(1u << 30)) +
                    "000000000000000");
      case TypeKind::kString: {
        std::string text = fresh ? std::string(random_.below(60), 'y') + random_.uuid()
                                 : std::string(random_.below(40), 'x') + "ü\"\n\\";
        std::string json;
        append_json_string(json, text);
        return both(json);
      }
      case TypeKind::kStruct:
        return members(type.fields);
      default:
        break;
    }
    both("[");
    for (std::uint64_t left = random_.below(4), all = left; left > 0; --left) {
      if (left < all) both(",");
      value(type.fields[0].type);
    }
    both("]");
  }

  SeededRandom random_;
};

void expect_rows(const Converted& out, const std::vector<std::string>& rows) {
  ASSERT_EQ(out.object.fault_count, 0u);
  ASSERT_EQ(out.rescued, 0u);
  ASSERT_EQ(out.rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(out.rows[i], rows[i]) << "row " << i;
}

TEST(RandomRows, ReadBackAsTheyWereMade) {
  const Schema schema = wide_schema();
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    ConvertOptions options;
    options.schema = schema;
    options.evolve = false;
    options.codec = std::array{Codec::kNone, Codec::kSnappy, Codec::kZstd}[seed % 3];
    RowMaker maker(seed);
    maker.novelty = seed % 11;
    std::string lines;
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < (seed == 0 ? 1 : 40 * seed); ++i) {
      maker.make(schema.fields);
      lines += maker.line + "\n";
      rows.push_back(maker.row);
    }
    expect_rows(convert(lines, options), rows);
  }
}

TEST(RandomRows, ReadBackWhenADictionaryStopsPayingAmidTheRowsAndInLaterGroups) {
  ConvertOptions options;
  options.schema = schema_of({field_of("text", TypeKind::kString), field_of("n", TypeKind::kLong),
                              list_of("l", {.kind = TypeKind::kString})});
  options.evolve = false;
  RowMaker maker(99);
  std::string lines;
  std::vector<std::string> rows;
  constexpr std::size_t kRows = 260'000;  // Three row groups.
  for (std::size_t i = 0; i < kRows; ++i) {
    maker.novelty = i < kRows / 8 ? 0 : 8;
    maker.make(options.schema.fields);
    lines += maker.line + "\n";
    rows.push_back(maker.row);
  }
  expect_rows(convert(lines, options), rows);
}

TEST(RandomRows, ReadBackWhenTextsFillManyPages) {
  ConvertOptions options;
  options.schema = schema_of({field_of("n", TypeKind::kLong), field_of("text", TypeKind::kString),
                              list_of("l", {.kind = TypeKind::kString})});
  options.evolve = false;
  std::string lines;
  std::vector<std::string> rows;
  SeededRandom random(7);
  const auto text = [&] {
    std::string out = random.uuid();
    out.append(random.below(200) == 0 ? 700'000 : random.below(3'000), 'z');
    return '"' + out + '"';
  };
  for (int i = 0; i < 2'000; ++i) {
    std::string row =
        fmt::format(R"({{"n":{},"text":{},"l":[{},null,{}]}})", i, text(), text(), text());
    lines += row + "\n";
    rows.push_back(std::move(row));
  }
  expect_rows(convert(lines, options), rows);
}

TEST(RandomRows, ReadBackWhenPagesHoldNothingButNulls) {
  ConvertOptions options;
  options.schema = schema_of({list_of("long", {.kind = TypeKind::kLong}),
                              list_of("double", {.kind = TypeKind::kDouble}),
                              list_of("flag", {.kind = TypeKind::kBoolean}),
                              list_of("text", {.kind = TypeKind::kString})});
  options.evolve = false;
  std::string nulls = "null";
  for (int i = 1; i < 500; ++i) nulls += ",null";
  std::string lines;
  std::vector<std::string> rows;
  SeededRandom random(8);
  for (int i = 0; i < 1'000; ++i) {  // Four pages of which only the last one has values.
    const bool plain = i >= 800;
    const auto list = [&](const std::string& value) { return plain ? value : nulls; };
    std::string row = fmt::format(R"({{"long":[{}],"double":[{}],"flag":[{}],"text":[{}]}})",
                                  list(std::to_string(random.next() >> 2)),
                                  list(fmt::format("{}.5", random.next() >> 20)), list("true"),
                                  list('"' + random.uuid() + '"'));
    lines += row + "\n";
    rows.push_back(std::move(row));
  }
  expect_rows(convert(lines, options), rows);
}

}  // namespace
}  // namespace headrace
