#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace {

// Scalar values spelled as the engine's CAST(... AS VARCHAR) spells them. All append to `out`.

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

void append_integer(std::string& out, Int128 value);
void append_unsigned(std::string& out, UInt128 value);
void append_decimal(std::string& out, Int128 unscaled, int scale);
/// "1.0", "1e+20"; false if the number is none that JSON knows: "nan", "inf", "-inf".
bool append_double(std::string& out, double value);
bool append_float(std::string& out, float value);
void append_blob(std::string& out, std::string_view bytes);
/// `bits` as stored: the first byte says how many bits of the second are padding.
void append_bits(std::string& out, std::string_view bits);
void append_uuid(std::string& out, duckdb_hugeint value);
void append_interval(std::string& out, duckdb_interval value);
void append_date(std::string& out, duckdb_date date);
/// `ticks` of 1/`per_second` seconds since midnight.
void append_time_of_day(std::string& out, std::int64_t ticks, std::int64_t per_second);
void append_time_tz(std::string& out, duckdb_time_tz time);
/// `ticks` of 1/`per_second` seconds since 1970; `suffix` follows a finite time ("+00" or nothing).
void append_timestamp(std::string& out, std::int64_t ticks, std::int64_t per_second,
                      std::string_view suffix);

}  // namespace headrace
