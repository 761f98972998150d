#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"

namespace headrace {

struct JsonRowsOptions {
  std::uint64_t line_bytes = 128u << 20;  ///< A longer row is a fault.
  std::size_t fault_bytes = 64u << 10;    ///< Kept of a bad row's text.
  std::size_t faults_per_object = 1'000;  ///< Kept with text; beyond, counted only.
  int depth = 1'000;                      ///< Deeper nesting is a fault.
};

/// Cuts JSON text into its rows and reads a few fields of each, without touching a byte of them.
/// What is a row, and what is wrong with one, is just as in LinesToParquet: a line, an element of a
/// top-level array, or a document spread over lines; always a JSON object.
///
///   JsonRows rows({"event_type", "actor.login"});
///   rows.begin_object();
///   rows.write(piece, take); ...                    // any cut, also inside a row
///   ObjectRows came = rows.end_object(take);
///
/// A path names a field, `a.b` one within another. If a key is double, its first scalar counts.
///
/// Threads  One at a time. CPU work only.
class JsonRows {
 public:
  /// Valid until `take` returns.
  struct Row {
    /// Every byte as it stands in the object, without the line's end (LF or CRLF). In a row that
    /// goes over several lines each line end became spaces, so that a row is always one line.
    BytesView text;
    std::uint64_t line = 1;  ///< On which it begins, from 1.
    /// In the order of the paths: a text without its escapes, a number as it is spelled, "true" or
    /// "false"; nullopt if there is no such field, or it is null, an object or an array.
    std::span<const std::optional<std::string>> fields;
  };
  /// Takes a row, or says why it cannot: then the row is a fault with this reason.
  using Take = std::function<std::string(const Row&)>;

  explicit JsonRows(std::vector<std::string> paths, JsonRowsOptions options = {});
  ~JsonRows();
  JsonRows(JsonRows&&) noexcept;
  JsonRows& operator=(JsonRows&&) noexcept;

  void begin_object();
  void write(BytesView piece, const Take& take);
  /// What the object came to; `rows` counts those that were taken.
  ObjectRows end_object(const Take& take);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace
