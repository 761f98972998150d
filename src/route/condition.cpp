#include "route/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/hash.h"
#include "core/json.h"
#include "route/number.h"

namespace headrace {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool in_range(const Condition& range, double value) {
  return (range.low_included ? value >= range.low : value > range.low) &&
         (range.high_included ? value <= range.high : value < range.high);
}

bool fits_string(const Condition& condition, std::string_view text) {
  switch (condition.kind) {
    case Condition::Kind::kString:
      return text == condition.text;
    case Condition::Kind::kPrefix:
      return text.starts_with(condition.text);
    case Condition::Kind::kSuffix:
      return text.ends_with(condition.text);
    case Condition::Kind::kIgnoreCase:
      return condition.parts->folded.equals(text);
    case Condition::Kind::kPrefixIgnoreCase:
      return condition.parts->folded.begins(text);
    case Condition::Kind::kSuffixIgnoreCase:
      return condition.parts->folded.ends(text);
    case Condition::Kind::kWildcard:
      return condition.parts->wildcard->matches(text);
    case Condition::Kind::kCidr: {
      const auto address = parse_ip(text);
      return address && condition.parts->cidr->contains(*address);
    }
    default:
      return false;
  }
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string range_words(const Condition& range) {
  std::string out;
  if (range.low != -kInfinity) {
    out = fmt::format("is {} {}", range.low_included ? "at least" : "above", range.low);
  }
  if (range.high != kInfinity) {
    out += fmt::format("{} {} {}", out.empty() ? "is" : " and",
                       range.high_included ? "at most" : "below", range.high);
  }
  return out;
}

}  // namespace

FieldValue FieldValue::small_integer(std::string_view text, double value) {
  FieldValue out(Kind::kNumber, text);
  out.known_ = Known::kComparable;
  out.nearest_ = value;
  return out;
}

std::optional<double> FieldValue::nearest() const {
  if (known_ != Known::kNothing) return nearest_;
  known_ = Known::kNotComparable;
  if (kind_ != Kind::kNumber) return nearest_;
  if (const auto number = nearest_number(text_)) {
    nearest_ = number->value;
    known_ = number->comparable ? Known::kComparable : Known::kNearest;
  }
  return nearest_;
}

std::optional<double> FieldValue::number() const {
  if (!nearest()) return std::nullopt;
  if (known_ == Known::kNearest) {
    known_ = is_comparable(text_, *nearest_) ? Known::kComparable : Known::kNotComparable;
  }
  return known_ == Known::kComparable ? nearest_ : std::nullopt;
}

bool Condition::fits(const FieldValue& value) const {
  switch (kind) {
    case Kind::kExists:
      return true;
    case Kind::kAbsent:
      return false;
    case Kind::kNoneOf:
      if (value.kind() == FieldValue::Kind::kString &&
          std::ranges::binary_search(parts->no_text, value.text(), std::less<>())) {
        return false;
      }
      return std::ranges::none_of(parts->none_of,
                                  [&](const Condition& c) { return c.fits(value); });
    case Kind::kNumber:
      return value.nearest() == low && value.number();
    case Kind::kRange:
      return value.nearest() && in_range(*this, *value.nearest()) && value.number();
    case Kind::kLiteral:
      return value.kind() != FieldValue::Kind::kString && value.text() == text;
    default:
      return value.kind() == FieldValue::Kind::kString && fits_string(*this, value.text());
  }
}

bool Condition::same_as(const Condition& other) const {
  if (kind != other.kind || text != other.text || low != other.low || high != other.high ||
      low_included != other.low_included || high_included != other.high_included) {
    return false;
  }
  return kind != Kind::kNoneOf ||
         (parts->no_text == other.parts->no_text &&
          std::ranges::equal(parts->none_of, other.parts->none_of,
                             [](const Condition& a, const Condition& b) { return a.same_as(b); }));
}

std::uint64_t Condition::hash() const {
  std::uint64_t out = hash64(text, std::to_underlying(kind));
  const auto mix = [&](std::uint64_t more) { out = (out ^ more) * 0x9E3779B97F4A7C15U; };
  if (kind == Kind::kNumber || kind == Kind::kRange) {
    mix(std::bit_cast<std::uint64_t>(low));
    mix(std::bit_cast<std::uint64_t>(high) + (low_included ? 1 : 0) + (high_included ? 2 : 0));
  }
  if (kind == Kind::kNoneOf) {
    for (const std::string& one : parts->no_text) mix(hash64(one));
    for (const Condition& condition : parts->none_of) mix(condition.hash());
  }
  return out ^ out >> 32;
}

std::string Condition::words() const {
  switch (kind) {
    case Kind::kString:
      return "is " + quoted(text);
    case Kind::kNumber:
      return fmt::format("is the number {}", low);
    case Kind::kLiteral:
      return "is " + text;
    case Kind::kPrefix:
      return "begins with " + quoted(text);
    case Kind::kSuffix:
      return "ends with " + quoted(text);
    case Kind::kIgnoreCase:
      return fmt::format("is {} in any case", quoted(text));
    case Kind::kPrefixIgnoreCase:
      return fmt::format("begins with {} in any case", quoted(text));
    case Kind::kSuffixIgnoreCase:
      return fmt::format("ends with {} in any case", quoted(text));
    case Kind::kWildcard:
      return "is like " + quoted(text);
    case Kind::kRange:
      return range_words(*this);
    case Kind::kCidr:
      return "is an address in " + text;
    case Kind::kExists:
      return "is there";
    case Kind::kAbsent:
      return "is absent";
    case Kind::kNoneOf:
      break;
  }
  std::string out = "is there, but not one that ";
  std::size_t count = 0;
  for (const std::string& one : parts->no_text) {
    out += fmt::format("{}is {}", count++ == 0 ? "" : " or ", quoted(one));
  }
  for (const Condition& condition : parts->none_of) {
    out += fmt::format("{}{}", count++ == 0 ? "" : " or ", condition.words());
  }
  return out;
}

}  // namespace headrace
