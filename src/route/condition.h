#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "route/case_text.h"
#include "route/ip.h"
#include "route/wildcard.h"

namespace headrace {

/// A scalar of an event: a string, a number, or one of the words true, false, null. The text is
/// that of the event, decoded for strings; whoever made the value keeps it alive. For one thread.
class FieldValue {
 public:
  enum class Kind : unsigned char { kString, kNumber, kWord };

  FieldValue(Kind kind, std::string_view text) : kind_(kind), text_(text) {}
  /// A whole number below 10^15, whose double is known to be comparable.
  static FieldValue small_integer(std::string_view text, double value);

  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }
  /// The double nearest to it, if it is a number in a double's range. It may be comparable or not.
  /// Found out when first asked for.
  std::optional<double> nearest() const;
  /// The number, if it is one and comparable (route/number.h). Costs more than nearest().
  std::optional<double> number() const;

 private:
  enum class Known : unsigned char { kNothing, kNearest, kComparable, kNotComparable };

  Kind kind_;
  mutable Known known_ = Known::kNothing;
  mutable std::optional<double> nearest_;
  std::string_view text_;
};

struct ConditionParts;

/// One condition on the value of a field. All but kAbsent speak of a scalar that is there.
struct Condition {
  enum class Kind : unsigned char {
    kString,            ///< The string `text`.
    kNumber,            ///< A comparable number equal to `low`.
    kLiteral,           ///< Spelled `text`: true, false, null, or a number that is not comparable.
    kPrefix,            ///< A string that begins with `text`.
    kSuffix,            ///< A string that ends with `text`.
    kIgnoreCase,        ///< A string that `folded` stands for, ...
    kPrefixIgnoreCase,  ///< ... that begins with one, ...
    kSuffixIgnoreCase,  ///< ... that ends with one.
    kWildcard,          ///< A string that `wildcard` matches.
    kRange,             ///< A comparable number between `low` and `high`.
    kCidr,              ///< A string that is an address in `cidr`.
    kExists,            ///< Any scalar.
    kAbsent,            ///< No scalar of this name.
    kNoneOf,            ///< Any scalar that fits none of `none_of`.
  };

  Kind kind = Kind::kExists;
  bool low_included = true;
  bool high_included = true;
  double low = 0;
  double high = 0;
  std::string text;                             ///< As written in the pattern.
  std::shared_ptr<const ConditionParts> parts;  ///< For the kinds that need some.

  /// Does this value fit? kAbsent fits none.
  bool fits(const FieldValue& value) const;

  /// Do both mean the same? hash() is then the same too.
  bool same_as(const Condition& other) const;
  std::uint64_t hash() const;

  /// The condition as a verb phrase: `ends with ".json"`, `is above 0`. For people.
  std::string words() const;
};

/// What the text of some kinds of conditions was taken apart into.
struct ConditionParts {
  CaseText folded;
  std::optional<Wildcard> wildcard;
  std::optional<Cidr> cidr;
  std::vector<Condition> none_of;
  std::vector<std::string> no_text;  ///< Sorted: those of kNoneOf that are plain strings.
};

}  // namespace headrace
