#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/jsonl/lines.h"

namespace headrace::jsonl {

/// Cuts JSON that is not one object per line into its rows: the elements of a top-level array, or
/// documents one after another, however they are spread over lines. Streams: no more than one row
/// and one batch are in memory. It only finds where rows begin and end; reading them shows what is
/// wrong with them. Commas between elements are not insisted on.
///
/// After a broken string (one that a line end cuts) it goes on as if a new row began, which may
/// cost a few faults more but no later row.
class DocumentBuffer {
 public:
  struct Fault {
    std::uint64_t line = 0;
    std::string text;
    std::string reason;
  };

  /// A row longer than `row_bytes` is a fault; its bytes are dropped as they come.
  explicit DocumentBuffer(std::uint64_t row_bytes) : row_bytes_(row_bytes) {}

  void push(BytesView piece);
  /// The next rows; nullopt if too little waits. `at_end`: no more will come, give all there is.
  /// Valid until the next call of push().
  std::optional<Batch> next(bool at_end);
  /// What is wrong beyond single rows, given once.
  std::vector<Fault> take_faults();
  /// Begins another object.
  void clear();

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  void compact();
  void scan();
  void scan_text(char c, std::size_t at);
  void open(char bracket, std::size_t at);
  void close(char bracket, std::size_t at);
  void begin_row(std::size_t at);
  void end_row(std::size_t end);
  void finish();
  void drop_if_overlong();

  std::uint64_t row_bytes_;
  std::string bytes_;  // Up to used_, then padding.
  std::size_t used_ = 0;
  std::size_t scanned_ = 0;
  std::uint64_t line_ = 1;  // Of scanned_.

  std::size_t row_begin_ = kNone;
  std::uint64_t row_line_ = 1;
  bool dropping_ = false;  // The row at hand is overlong.
  std::size_t depth_ = 0;  // Open brackets, the top-level array's included.
  bool in_array_ = false;  // Rows are elements of a top-level array.
  bool in_string_ = false;
  bool escaped_ = false;

  std::vector<Span> ready_;  // Rows found, by position in bytes_.
  std::vector<Span> given_;
  std::vector<Fault> faults_;
};

}  // namespace headrace::jsonl
