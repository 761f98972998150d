#pragma once

#include <optional>
#include <string_view>

namespace headrace {

/// The double that a JSON number stands for, if the number says no more than the double does: its
/// value equals the shortest decimal that reads back as the double. 5, 5.0 and 5e0 are the same
/// number; -0 is 0. 9007199254740993 and 1e400 are not comparable: a double would be another
/// number.
std::optional<double> comparable_number(std::string_view json_number);

/// The two halves of it, for who can do without the second, which costs more.
struct NearestNumber {
  double value = 0;
  bool comparable = false;  ///< Known to be; otherwise ask is_comparable().
};
/// nullopt if it is beyond the doubles.
std::optional<NearestNumber> nearest_number(std::string_view json_number);
bool is_comparable(std::string_view json_number, double nearest);

}  // namespace headrace
