#pragma once

#include <string_view>

#include "route/matcher.h"

namespace headrace {

enum class RowAnswer : unsigned char {
  kNo,
  kYes,
  kFault,  ///< The text is not one JSON object: a fault of the row, for the caller to count.
};

/// A pattern asked of rows and messages: which of them are wanted. The language and its answers are
/// those of routes; a row is the JSON object that an event would be.
///
///   const RowFilter filter(R"({"country":["de"],"age":[{"numeric":[">=",18]}]})");
///   filter.ask(R"({"country":"de","age":40})");   // RowAnswer::kYes
///
/// Threads  All may be called by any number of threads at a time.
class RowFilter {
 public:
  /// Throws kInvalid for a text that is no pattern; the message names the field and the byte.
  explicit RowFilter(std::string_view pattern_json);

  /// Is the row wanted? Does not throw for anything a row may hold.
  RowAnswer ask(std::string_view row_json) const;

  /// The same for who knows that it is a JSON object. Throws kCorrupt if it is not.
  bool matches(std::string_view row_json) const;

  /// For rows of a batch that are no JSON: bind the columns once, then give the scalars of each row
  /// (matcher.h says how). The number for a column's path; Matcher::kNoField if the filter does not
  /// look at it.
  std::uint32_t field(std::string_view path) const { return matcher_.field(path); }
  bool matches(std::span<const Matcher::Scalar> row) const;

 private:
  Matcher matcher_;
};

}  // namespace headrace
