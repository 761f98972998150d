#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "format/jsonl/cursor.h"
#include "format/jsonl/moment.h"
#include "format/jsonl/plan.h"
#include "format/jsonl/row.h"

namespace headrace::jsonl {

/// Reads one row at a time along a plan. Every byte of the row is checked; what does not fit the
/// plan is rescued as path and raw text, so that nothing of a well-formed row is lost.
/// docs/formats/types.md has the rules; row_reader_test.cpp asserts each.
class RowReader {
 public:
  enum class Result : unsigned char {
    kRow,
    kFault,     ///< No row: flaw() says why.
    kUnplanned  ///< A row, but it has keys or small integers that the plan could grow by.
  };

  /// `plan` outlives the reader. `depth` limits the nesting of a row. `fixed`: what does not fit
  /// makes the row a fault, instead of being rescued.
  RowReader(const Plan& plan, int depth, std::size_t partitions, bool fixed);

  /// Reads the object at `cursor` and moves behind it. If `may_grow`, what the plan could grow by
  /// is passed over and the result is kUnplanned: grow it and read again. Else it is rescued.
  Result read(Cursor& cursor, BytesView line, bool may_grow, Row& row);
  const Flaw& flaw() const { return flaw_; }

 private:
  enum class Step : unsigned char { kOk, kBroken, kMisfit };

  Step object(const Node& node);
  Step members(const Node& node, std::uint64_t serial);
  const Node* find_child(const Node& node, std::size_t& hint);
  const Node* look_up(const Node& node, std::size_t& hint);
  Step member(const Node& node, std::uint64_t serial);
  Step unknown(const Node& node, BytesView raw_key);
  Step check_required(const Node& node, std::uint64_t serial);
  bool quick_value(const Node& node);
  Step null(const Node& node);
  Step value(const Node& node);
  Step list(const Node& node);
  Step elements(const Node& node);
  Step map_entries(const Node& node);
  Step text(const Node& node);
  Step uuid(const Node& node);
  Step json_text(const Node& node);
  Step whole(const Node& node, std::int64_t least, std::int64_t most);
  Step real(const Node& node);
  Step decimal(const Node& node);
  Step boolean(const Node& node);
  Step moment(const Node& node);
  Step binary(const Node& node);

  bool take_text(BytesView raw, Cell& cell);
  void put(const Node& node, Cell cell);
  Step done(const Node& node, std::int64_t integer);
  Step misfit(const Node& node);
  Step rescue(std::uint32_t node, const std::string_view* key);
  Step refuse(const Node& node, const std::string_view* key);
  bool skip(BytesView& raw);
  Step broken(const char* what);
  Step no_colon();

  const Plan& plan_;
  Skipper skipper_;
  std::size_t depth_limit_;
  std::size_t partitions_;
  MomentParser moments_;
  std::vector<std::uint64_t> seen_;  // Per node: the object in which its key was last met.
  std::uint64_t serial_ = 0;         // Numbers every object that is opened.
  std::string key_;                  // An unescaped key.
  bool fixed_;
  std::string refusal_;  // What flaw_ says, if it is about one column.

  Cursor cursor_;
  Row* row_ = nullptr;
  BytesView line_;
  Flaw flaw_;
  std::size_t open_ = 0;   // Objects and arrays around the cursor.
  std::size_t lists_ = 0;  // Lists and maps among them.
  bool may_grow_ = false;
  bool unplanned_ = false;
  bool seen_twice_ = false;  // Is the misfit at hand a key that comes again?
};

}  // namespace headrace::jsonl
