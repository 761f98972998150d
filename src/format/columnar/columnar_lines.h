#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"

namespace headrace {

/// The rows of a Parquet or ORC file as JSON lines, so that what reads JSON lines reads them too.
/// Whole numbers and decimals keep all digits, floats and doubles have a point or an exponent;
/// moments are RFC 3339 in UTC, those without a zone too; dates and times of day are texts, binary
/// is base64; NaN and infinities are texts; maps with text keys are objects, others arrays of
/// {"key":..,"value":..}.
///
/// Errors   kCorrupt: the file is broken. kInvalid: a type that has no such form, by its column; no
///          columns at all; Parquet rows that take more than `memory` to unpack, beside the file.
/// Threads  One at a time. CPU work only; Arrow's own threads are not used.
class ColumnarLines {
 public:
  /// `file` is a whole file; is_columnar() is true of it.
  explicit ColumnarLines(Bytes file, std::uint64_t memory = 1u << 30);
  ~ColumnarLines();
  ColumnarLines(ColumnarLines&&) noexcept;

  /// Lines of some thousand rows; empty at the end.
  Bytes next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Does a file that starts so claim to be Parquet or ORC? Wants 4 bytes.
bool is_columnar(BytesView start);

}  // namespace headrace
