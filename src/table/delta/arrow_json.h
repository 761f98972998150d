#pragma once

#include <cstdint>
#include <string>

namespace arrow {
class Array;
}

namespace headrace::delta {

/// One value of an array as JSON, the way Delta's statistics spell values: dates as yyyy-MM-dd,
/// timestamps with three or six digits of seconds, decimals as numbers. Null members, floats that
/// are no numbers and types that statistics do not have are left out of their struct.
std::string arrow_json(const arrow::Array& array, std::int64_t row);

}  // namespace headrace::delta
