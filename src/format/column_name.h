#pragma once

#include <string>
#include <string_view>

namespace headrace {

/// The column name that stands for a JSON key. Delta forbids space , ; { } ( ) = and controls in
/// names, so these become %20, %2C and so on; "" becomes "%". A '%' that would read as such an
/// escape becomes %25. All other names stay as they are. json_key_of undoes it.
std::string column_name_of(std::string_view json_key);

/// The JSON key behind a column name.
std::string json_key_of(std::string_view column_name);

/// ASCII letters in lower case: names that agree in this are one name to Delta.
std::string folded_name(std::string_view name);

}  // namespace headrace
