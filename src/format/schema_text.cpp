#include "format/schema_text.h"

#include <array>
#include <charconv>
#include <utility>

namespace headrace {
namespace {

constexpr int kDepth = 100;
constexpr std::array kNames = {
    std::pair{"boolean", TypeKind::kBoolean},
    std::pair{"byte", TypeKind::kByte},
    std::pair{"short", TypeKind::kShort},
    std::pair{"integer", TypeKind::kInteger},
    std::pair{"long", TypeKind::kLong},
    std::pair{"float", TypeKind::kFloat},
    std::pair{"double", TypeKind::kDouble},
    std::pair{"decimal", TypeKind::kDecimal},
    std::pair{"string", TypeKind::kString},
    std::pair{"binary", TypeKind::kBinary},
    std::pair{"date", TypeKind::kDate},
    std::pair{"timestamp", TypeKind::kTimestamp},
    std::pair{"timestamp_ntz", TypeKind::kTimestampNtz},
    std::pair{"struct", TypeKind::kStruct},
    std::pair{"array", TypeKind::kList},
    std::pair{"map", TypeKind::kMap},
};

/// Takes a type apart from left to right.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : rest_(text) {}

  std::optional<DataType> read_all() {
    auto type = read(0);
    skip_spaces();
    return rest_.empty() ? type : std::nullopt;
  }

 private:
  std::optional<DataType> read(int depth) {
    if (depth > kDepth) return std::nullopt;
    const std::string_view name = take_word(" <>(),");
    std::string lower(name);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    DataType type;
    bool known = false;
    for (const auto& [spelled, kind] : kNames) {
      if (lower != spelled) continue;
      type.kind = kind;
      known = true;
    }
    if (!known) return std::nullopt;
    bool ok = true;
    if (type.kind == TypeKind::kDecimal) ok = read_decimal(type);
    if (type.kind == TypeKind::kStruct) ok = read_members(type, depth);
    if (type.kind == TypeKind::kList) ok = read_inner(type, {"element"}, depth);
    if (type.kind == TypeKind::kMap) ok = read_inner(type, {"key", "value"}, depth);
    return ok ? std::optional(std::move(type)) : std::nullopt;
  }

  bool read_decimal(DataType& type) {
    type.precision = 10;
    if (!take('(')) return true;
    if (!read_number(type.precision)) return false;
    if (take(',') && !read_number(type.scale)) return false;
    return take(')') && type.precision >= 1 && type.precision <= 38 && type.scale >= 0 &&
           type.scale <= type.precision;
  }

  bool read_members(DataType& type, int depth) {
    if (!take('<')) return false;
    if (take('>')) return true;
    do {
      Field member;
      member.name = take_word(" :<>,");
      if (member.name.empty() || !take(':')) return false;
      auto inner = read(depth + 1);
      if (!inner) return false;
      member.type = std::move(*inner);
      type.fields.push_back(std::move(member));
    } while (take(','));
    return take('>');
  }

  bool read_inner(DataType& type, std::initializer_list<const char*> names, int depth) {
    char before = '<';
    for (const char* name : names) {
      if (!take(std::exchange(before, ','))) return false;
      auto inner = read(depth + 1);
      if (!inner) return false;
      Field member;
      member.name = name;
      member.type = std::move(*inner);
      member.nullable = member.name != "key";
      type.fields.push_back(std::move(member));
    }
    return take('>');
  }

  bool read_number(int& number) {
    skip_spaces();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  void skip_spaces() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_word(std::string_view ends) {
    skip_spaces();
    const std::string_view word = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(word.size());
    return word;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<DataType> parse_type(std::string_view text) { return TypeReader(text).read_all(); }

}  // namespace headrace
