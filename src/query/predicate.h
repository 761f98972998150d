#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headrace {

enum class Test : unsigned char {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kBetween,  ///< Two constants, both included.
  kIn,       ///< Any number of constants.
  kIsNull,
  kIsNotNull,
};

/// What WHERE demands of the rows of one table, as far as it is understood. Tests compare a column
/// with constants; what is not understood is kAnything, which every row may pass.
struct Predicate {
  enum class Kind : unsigned char { kAnything, kAll, kAny, kTest };

  Kind kind = Kind::kAnything;
  std::vector<Predicate> parts;     ///< Of kAll and kAny.
  std::vector<std::string> column;  ///< Of kTest: a column, then struct members.
  Test test = Test::kEqual;
  std::vector<std::size_t> constants;  ///< Of kTest: indexes into the statement's constants.
};

/// What an expression without columns comes to in this session, as the engine says.
struct Constant {
  std::string type;                 ///< "INTEGER", "VARCHAR", "TIMESTAMP WITH TIME ZONE", ...
  std::optional<std::string> text;  ///< Cast to VARCHAR; nullopt is null.
  bool literal = false;             ///< Written as such, so that it takes the column's type.
  bool moving = false;              ///< now() and its like: may differ a little when run.
  // Microseconds since 1970 if the text is a time: without a zone, in the session's zone (or its
  // own), and of its day.
  std::optional<std::int64_t> naive_time;
  std::optional<std::int64_t> zoned_time;
  std::optional<std::int64_t> day_time;
};

}  // namespace headrace
