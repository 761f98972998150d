#include "route/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

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
      return condition.folded.equals(text);
    case Condition::Kind::kPrefixIgnoreCase:
      return condition.folded.begins(text);
    case Condition::Kind::kSuffixIgnoreCase:
      return condition.folded.ends(text);
    case Condition::Kind::kWildcard:
      return condition.wildcard->matches(text);
    case Condition::Kind::kCidr: {
      const auto address = parse_ip(text);
      return address && condition.cidr->contains(*address);
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

std::optional<double> FieldValue::number() const {
  if (!asked_ && kind_ == Kind::kNumber) number_ = comparable_number(text_);
  asked_ = true;
  return number_;
}

bool Condition::fits(const FieldValue& value) const {
  switch (kind) {
    case Kind::kExists:
      return true;
    case Kind::kAbsent:
      return false;
    case Kind::kNoneOf:
      return std::ranges::none_of(none_of, [&](const Condition& c) { return c.fits(value); });
    case Kind::kNumber:
      return value.number() == low;
    case Kind::kRange:
      return value.number() && in_range(*this, *value.number());
    case Kind::kLiteral:
      return value.kind() != FieldValue::Kind::kString && value.text() == text;
    default:
      return value.kind() == FieldValue::Kind::kString && fits_string(*this, value.text());
  }
}

std::string Condition::key() const {
  std::string out = fmt::format("{} ", std::to_underlying(kind));
  switch (kind) {
    case Kind::kNumber:
      return out + fmt::format("{}", low);
    case Kind::kRange:
      return out + fmt::format("{} {} {} {}", low, low_included, high, high_included);
    case Kind::kNoneOf:
      for (const Condition& condition : none_of) {
        const std::string key = condition.key();
        out += fmt::format("{}:{}", key.size(), key);
      }
      return out;
    default:
      return out + text;
  }
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
  for (std::size_t i = 0; i < none_of.size(); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : " or ", none_of[i].words());
  }
  return out;
}

}  // namespace headrace
