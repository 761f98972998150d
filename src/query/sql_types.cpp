#include "query/sql_types.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "query/engine.h"

namespace headrace {
namespace {

constexpr int kDeepest = 100;

enum class Shape : unsigned char { kScalar, kStruct, kList, kMap };

/// A type taken apart. Struct members have names; a list has one part, a map two.
struct Parts {
  Shape shape = Shape::kScalar;
  std::string text;
  std::vector<std::pair<std::string, Parts>> parts;

  bool operator==(const Parts&) const = default;
};

/// Reads the engine's spelling: STRUCT("a b" BIGINT, c VARCHAR[]), MAP(VARCHAR, DOUBLE).
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<Parts> whole() {
    auto type = read(0);
    if (!type || at_ != text_.size()) return std::nullopt;
    return type;
  }

 private:
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::optional<Parts> read(int depth) {
    if (depth > kDeepest) return std::nullopt;
    std::optional<Parts> type;
    if (take("STRUCT(")) {
      type = read_members(depth);
    } else if (take("MAP(")) {
      type = read_map(depth);
    } else {
      type = read_scalar();
    }
    while (type && take("[")) {
      const std::size_t end = text_.find(']', at_);
      if (end == std::string_view::npos) return std::nullopt;
      at_ = end + 1;  // A fixed size is no part of what a list may hold.
      type = Parts{.shape = Shape::kList, .text = {}, .parts = {{"", std::move(*type)}}};
    }
    return type;
  }

  std::optional<Parts> read_members(int depth) {
    Parts type{.shape = Shape::kStruct, .text = {}, .parts = {}};
    do {
      std::string name = read_name();
      auto member = take(" ") ? read(depth + 1) : std::nullopt;
      if (!member) return std::nullopt;
      type.parts.emplace_back(std::move(name), std::move(*member));
    } while (take(", "));
    return take(")") ? std::optional(std::move(type)) : std::nullopt;
  }

  std::optional<Parts> read_map(int depth) {
    auto key = read(depth + 1);
    auto value = key && take(", ") ? read(depth + 1) : std::nullopt;
    if (!value || !take(")")) return std::nullopt;
    return Parts{.shape = Shape::kMap,
                 .text = {},
                 .parts = {{"", std::move(*key)}, {"", std::move(*value)}}};
  }

  std::string read_name() {
    std::string name;
    if (!take("\"")) {
      while (at_ < text_.size() && text_[at_] != ' ') name += text_[at_++];
      return name;
    }
    while (at_ < text_.size()) {
      if (take("\"\"")) {
        name += '"';
      } else if (take("\"")) {
        break;
      } else {
        name += text_[at_++];
      }
    }
    return name;
  }

  /// Up to what ends it on this level: DECIMAL(10,2), TIMESTAMP WITH TIME ZONE, ENUM('a', 'b').
  std::optional<Parts> read_scalar() {
    const std::size_t from = at_;
    int depth = 0;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\'') quoted = !quoted;
      if (quoted) continue;
      if (depth == 0 && (c == ',' || c == ')' || c == '[')) break;
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (at_ == from) return std::nullopt;
    return Parts{
        .shape = Shape::kScalar, .text = std::string(text_.substr(from, at_ - from)), .parts = {}};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string written(const Parts& type) {
  switch (type.shape) {
    case Shape::kScalar:
      return type.text;
    case Shape::kList:
      return written(type.parts[0].second) + "[]";
    case Shape::kMap:
      return "MAP(" + written(type.parts[0].second) + ", " + written(type.parts[1].second) + ")";
    case Shape::kStruct:
      break;
  }
  std::string out = "STRUCT(";
  for (const auto& [name, member] : type.parts) {
    if (out.size() > 7) out += ", ";
    out += sql_name(name) + " " + written(member);
  }
  return out + ")";
}

Parts scalar(std::string text) {
  return {.shape = Shape::kScalar, .text = std::move(text), .parts = {}};
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// The later of both in a list of types that each hold all values of those before.
template <std::size_t N>
std::optional<std::string> later(const std::array<std::string_view, N>& order, std::string_view a,
                                 std::string_view b) {
  const auto at_a = std::ranges::find(order, a);
  const auto at_b = std::ranges::find(order, b);
  if (at_a == order.end() || at_b == order.end()) return std::nullopt;
  return std::string(*std::max(at_a, at_b));
}

/// Digits before and after the point.
struct Digits {
  int whole = 0;
  int fraction = 0;
};

std::optional<Digits> digits_of(std::string_view type) {
  constexpr std::pair<std::string_view, int> kIntegers[] = {
      {"TINYINT", 3},  {"SMALLINT", 5},  {"INTEGER", 10},  {"BIGINT", 19},
      {"UTINYINT", 3}, {"USMALLINT", 5}, {"UINTEGER", 10}, {"UBIGINT", 20},
  };
  for (const auto& [name, whole] : kIntegers) {
    if (type == name) return Digits{whole, 0};
  }
  int precision = 0;
  int scale = 0;
  const std::string text(type);
  if (std::sscanf(text.c_str(), "DECIMAL(%d,%d)", &precision, &scale) != 2) return std::nullopt;
  return Digits{precision - scale, scale};
}

/// A decimal that holds both, DOUBLE where none is wide enough.
std::optional<std::string> wider_decimal(std::string_view a, std::string_view b) {
  constexpr int kMostDigits = 38;
  if (!a.starts_with("DECIMAL(") && !b.starts_with("DECIMAL(")) return std::nullopt;
  if (a == "DOUBLE" || b == "DOUBLE" || a == "FLOAT" || b == "FLOAT") return "DOUBLE";
  const auto left = digits_of(a);
  const auto right = digits_of(b);
  if (!left || !right) return std::nullopt;
  const int fraction = std::max(left->fraction, right->fraction);
  const int precision = std::max(left->whole, right->whole) + fraction;
  if (precision > kMostDigits) return "DOUBLE";
  return "DECIMAL(" + std::to_string(precision) + "," + std::to_string(fraction) + ")";
}

std::optional<std::string> wider(std::string_view a, std::string_view b) {
  constexpr std::array<std::string_view, 6> kSigned = {"TINYINT", "SMALLINT", "INTEGER",
                                                       "BIGINT",  "HUGEINT",  "DOUBLE"};
  constexpr std::array<std::string_view, 6> kUnsigned = {"UTINYINT", "USMALLINT", "UINTEGER",
                                                         "UBIGINT",  "HUGEINT",   "DOUBLE"};
  constexpr std::array<std::string_view, 3> kTimes = {"DATE", "TIMESTAMP",
                                                      "TIMESTAMP WITH TIME ZONE"};
  constexpr std::array<std::string_view, 2> kReals = {"FLOAT", "DOUBLE"};
  for (const auto& found :
       {later(kSigned, a, b), later(kUnsigned, a, b), later(kTimes, a, b), later(kReals, a, b)}) {
    if (found) return found;
  }
  if (auto decimal = wider_decimal(a, b)) return decimal;
  const auto integer = [&](std::string_view type) {
    return type != "DOUBLE" && (std::ranges::find(kSigned, type) != kSigned.end() ||
                                std::ranges::find(kUnsigned, type) != kUnsigned.end());
  };
  if (integer(a) && integer(b)) return "HUGEINT";
  if ((integer(a) && b == "FLOAT") || (integer(b) && a == "FLOAT")) return "DOUBLE";
  return std::nullopt;
}

Parts merged(const Parts& a, const Parts& b, Mixing mixing) {
  if (a == b) return a;
  if (a.shape == Shape::kStruct && b.shape == Shape::kStruct) {
    Parts out = a;
    for (const auto& [name, member] : b.parts) {
      const auto found = std::ranges::find_if(
          out.parts, [&](const auto& part) { return same_name(part.first, name); });
      if (found == out.parts.end()) {
        out.parts.emplace_back(name, member);
      } else {
        found->second = merged(found->second, member, mixing);
      }
    }
    return out;
  }
  if (a.shape == b.shape && a.shape != Shape::kScalar) {
    Parts out = a;
    for (std::size_t i = 0; i < out.parts.size(); ++i) {
      out.parts[i].second = merged(a.parts[i].second, b.parts[i].second, mixing);
    }
    return out;
  }
  const bool scalars = a.shape == Shape::kScalar && b.shape == Shape::kScalar;
  if (scalars) {
    if (auto wide = wider(a.text, b.text)) return scalar(std::move(*wide));
  }
  const bool json = a.text == "JSON" || b.text == "JSON";
  return scalar(mixing == Mixing::kText || (scalars && !json) ? "VARCHAR" : "JSON");
}

}  // namespace

std::string merge_types(std::string_view a, std::string_view b, Mixing mixing) {
  if (a == b) return std::string(a);
  const auto read = [](std::string_view text) {
    return Reader(text).whole().value_or(scalar(std::string(text)));
  };
  return written(merged(read(a), read(b), mixing));
}

}  // namespace headrace
