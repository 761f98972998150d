#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "route/condition.h"

namespace headrace {

/// Which events are wanted: an EventBridge event pattern. README.md has the language in a table.
///
/// A pattern is kept as alternatives (what `$or` makes), one of which must hold. An alternative
/// asks something of several fields, all of which must hold; a field has several conditions, one of
/// which must fit one of its values. Fields that lie under one array must hold in the same element.
///
/// A value; threads may share one.
class Pattern {
 public:
  struct Field {
    std::string path;  ///< Names joined by dots.
    std::vector<Condition> any_of;
  };
  /// Sorted by path (path_less), each path once: the order in which elements of arrays are chosen.
  using Alternative = std::vector<Field>;

  /// Reads a pattern. Throws kInvalid for one that is no JSON or not in the language: the message
  /// names the field, says what is allowed, and at which byte it went wrong. At most 1,000
  /// alternatives and 100,000 conditions.
  static Pattern parse(std::string_view json);

  const std::vector<Alternative>& alternatives() const { return alternatives_; }
  /// The same, given away.
  std::vector<Alternative> take_alternatives() && { return std::move(alternatives_); }

 private:
  friend class PatternParser;
  std::vector<Alternative> alternatives_;
};

/// The order of paths by their UTF-16 code units.
bool path_less(std::string_view a, std::string_view b);

}  // namespace headrace
