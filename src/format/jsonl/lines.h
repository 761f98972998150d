#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "format/jsonl/cursor.h"
#include "format/jsonl/structure.h"

namespace headrace::jsonl {

/// A row within a batch, and the line on which it begins.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t line = 1;
};

/// Whole lines of an object, without the last line's end; or, if `rows` is not empty, text in which
/// those rows lie. 64 bytes behind it can be read, as Cursor and RowReader ask for.
struct Batch {
  BytesView text;
  std::uint64_t first_line = 1;
  std::span<const Span> rows;
};

/// Memory that keeps a batch's bytes.
Bytes padded_copy(BytesView text);

/// Gathers pieces of any cut into batches of whole lines. A line longer than the limit is passed
/// over as it comes, so that it costs no more memory than the limit.
class LineBuffer {
 public:
  explicit LineBuffer(std::uint64_t line_bytes) : line_bytes_(line_bytes) {}

  void push(BytesView piece);
  /// The next batch; nullopt if too little waits. `at_end`: no more will come, give all there is.
  /// Valid until the next call of push().
  std::optional<Batch> next(bool at_end);
  /// The number and the start of a line that was passed over, given once. Ask after each next().
  std::optional<Batch> take_overlong();
  /// Tells the number of the line that follows the last batch, which its walk has counted.
  void count(std::uint64_t next_line) { line_ = next_line; }
  /// The first byte that waits and is no white space; 0 if there is none yet.
  char first_byte() const;
  /// All that waits, the last batch given included, for another to cut. Clears.
  std::string take_all();
  /// Begins another object.
  void clear();

 private:
  std::optional<Batch> give(std::size_t end, std::size_t next_begin);
  void pass_over();

  std::uint64_t line_bytes_;
  std::string bytes_;           // Waiting bytes from begin_ to used_, then padding.
  std::size_t last_begin_ = 0;  // Of the batch given last.
  std::size_t begin_ = 0;
  std::size_t used_ = 0;
  std::size_t searched_ = 0;  // No line end between begin_ and here.
  std::uint64_t line_ = 1;    // Of begin_.
  bool passing_over_ = false;
  std::optional<Batch> overlong_;
  std::string overlong_text_;
};

/// The bytes that some programs put before UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// One line that is not blank, or one row of a document.
struct Line {
  BytesView text;
  std::uint64_t number = 1;
  Cursor cursor;
  std::string_view flaw;  ///< Not empty: the line has no index, and why.
};

/// Walks over a batch's lines, or rows. Normally one index serves them all; if some line has none,
/// each line gets its own, so that a bad line costs no other.
class LineWalk {
 public:
  /// `structure` is taken up until the walk ends.
  LineWalk(Structure& structure, const Batch& batch);

  bool next(Line& line);
  /// Tells where reading the last line ended, which spares looking for it.
  void passed(const Cursor& cursor) {
    if (shared_) at_ = cursor.at;
  }
  /// The number of the line that follows the last one given, blank ones included.
  std::uint64_t next_line() const { return number_; }
  /// What is left, from the beginning of `line` on.
  Batch rest(const Line& line) const;

 private:
  bool give_index(Line& line);
  bool next_span(Line& line);

  Structure& structure_;
  std::span<const Span> rows_;  // What is left of the batch's.
  bool has_rows_;
  BytesView text_;
  std::size_t begin_ = 0;  // Of the next line.
  std::uint64_t number_;   // Of the next line.
  bool shared_;
  const std::uint32_t* at_ = nullptr;
};

}  // namespace headrace::jsonl
