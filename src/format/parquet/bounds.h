#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/parquet/columns.h"

namespace headrace::parquet_file {

/// The least and the greatest value of a column. Which members count depends on how it is kept.
struct Bounds {
  bool any = false;                        ///< Nothing else counts if there is no value.
  std::int64_t least = 0, most = 0;        ///< Whole numbers, dates, moments, booleans.
  double least_real = 0, most_real = 0;    ///< Zeros keep the sign that includes the other.
  std::string_view least_text, most_text;  ///< By bytes; wide decimals by number. Lent.
};

/// The bounds of `count` of the values that wait, from value `first` on; of texts without a
/// dictionary, the first one begins at byte `text_at`. Texts are lent until the column is cleared.
Bounds bounds_of(const Column& column, std::size_t first, std::size_t count, std::size_t text_at);

/// Widens `all` by `more`.
void widen(Bounds& all, const Bounds& more, Physical physical);

/// -1, 0 or 1 as the least values, or the greatest, compare.
int compare_least(const Bounds& a, const Bounds& b, Physical physical);
int compare_most(const Bounds& a, const Bounds& b, Physical physical);

/// The greater and the lesser of wide decimals, given as 16 bytes each.
bool less_wide(std::string_view a, std::string_view b);

}  // namespace headrace::parquet_file
