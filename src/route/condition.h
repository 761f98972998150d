#pragma once

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

  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }
  /// The number, if it is one and comparable (route/number.h). Found out when first asked for.
  std::optional<double> number() const;

 private:
  Kind kind_;
  mutable bool asked_ = false;
  mutable std::optional<double> number_;
  std::string_view text_;
};

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
  std::string text;  ///< As written in the pattern.
  CaseText folded;
  std::optional<Wildcard> wildcard;
  double low = 0;
  double high = 0;
  bool low_included = true;
  bool high_included = true;
  std::optional<Cidr> cidr;
  std::vector<Condition> none_of;

  /// Does this value fit? kAbsent fits none.
  bool fits(const FieldValue& value) const;

  /// Equal for conditions that mean the same; different for all others.
  std::string key() const;

  /// The condition as a verb phrase: `ends with ".json"`, `is above 0`. For people.
  std::string words() const;
};

}  // namespace headrace
