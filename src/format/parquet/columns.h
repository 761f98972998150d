#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "format/buffer.h"
#include "format/jsonl/plan.h"
#include "format/jsonl/row.h"
#include "format/parquet/text_dictionary.h"

namespace headrace::parquet_file {

/// How the values of a leaf are kept, and written.
enum class Physical : unsigned char {
  kNone,
  kBool,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kText,
  kWide,
  kUuid
};
Physical physical_of(const jsonl::Node& node);
inline constexpr std::size_t kWideBytes = 16;  ///< Of a value of kWide, big-endian.
inline constexpr std::size_t kUuidBytes = 16;

/// One node's part of the buffered rows, in the form that Parquet wants (Dremel): a definition
/// level for every slot, values only where there are some. A row is a slot; within a list, every
/// element.
///
/// Levels are filled in late: a node that is absent has nothing done to it until it is present or
/// written; then the levels of its parent are its levels for the slots it missed. Of a leaf only
/// one bit a slot is kept, since most leaves of a wide table are absent from most rows: where it is
/// present it has its own level, elsewhere its parent's.
struct Column {
  Column(const jsonl::Node& node, Column* parent_column);

  // What appending a value needs comes first.
  std::uint8_t level;       ///< Of a present value; of a list that has no element.
  std::uint8_t repetition;  ///< Lists: of all elements but the first.
  Physical physical;
  bool repeats;  ///< A list or map: its levels are those of its elements' slots.
  std::uint32_t node;
  Column* space;                 ///< The list in whose slots it lives; nullptr: the rows.
  Buffer<std::uint8_t> present;  ///< Leaves: a bit for each slot, up to the last that is set.
  /// The values as Parquet has them: of a fixed size, or texts one after another; or, for texts in
  /// a dictionary, their indices of four bytes.
  Buffer<char> bytes;
  Buffer<std::int32_t> lengths;  ///< Of texts that are not in a dictionary.
  bool in_dictionary;            ///< Texts are, for as long as that pays.
  TextDictionary dictionary;

  Column* parent;                    ///< nullptr: a column of the table.
  Buffer<std::uint8_t> levels;       ///< Structs and lists.
  Buffer<std::uint8_t> repetitions;  ///< Lists: one for each of `levels`.
  std::size_t mirrored = 0;          ///< Lists: slots of `space` that are taken over.

  /// The values of a fixed size: std::uint8_t for booleans, std::int32_t and so on.
  template <class Value>
  std::span<const Value> values_as() const {
    return bytes.view_as<Value>();
  }

  std::size_t values() const;
  std::size_t memory() const;
  /// Forgets the rows; keeps the memory for the next ones, or gives it back.
  void clear(bool keep_memory);
  /// A leaf has a value in `slot`, which lies behind all that it has one in.
  void mark(std::size_t slot) {
    if (present.size() * 8 <= slot) miss(slot);
    present.back() |= static_cast<std::uint8_t>(1u << slot % 8);
  }
  void append_text(BytesView text);
  void leave_dictionary();

 private:
  void miss(std::size_t slot);
};

/// Rows waiting to be written as one row group.
class Columns {
 public:
  explicit Columns(const jsonl::Plan& plan) : plan_(plan) { sync(); }

  /// Takes in the nodes that the plan has grown by.
  void sync();
  void append(const Buffer<jsonl::Cell>& cells);

  /// Brings the levels of a struct or list, and of all around it, up to the last slot.
  void complete(Column& column);
  /// Definition levels of a leaf for all its slots.
  void definition_levels(const Column& leaf, Buffer<std::uint8_t>& levels);
  Column& at(std::uint32_t node) { return *columns_[node]; }
  std::size_t slots(const Column& column) const {
    return column.space == nullptr ? rows_ : column.space->levels.size();
  }

  /// Takes over what other rows, of the same table, have shown of each column.
  void go_on_after(const Columns& others);

  std::size_t rows() const { return rows_; }
  /// Memory in use, but for what is filled in on writing. Looks at every column.
  std::size_t bytes() const;
  void clear(bool keep_memory);

 private:
  void reach(Column& column, std::size_t slot) {
    if (column.levels.size() < slot) fill(column, slot);
  }
  void fill(Column& column, std::size_t slot);
  void mirror(Column& list, std::size_t slot);
  void append_slot(Column& list, std::uint32_t slot);

  const jsonl::Plan& plan_;
  std::vector<std::unique_ptr<Column>> columns_;  // By node; the root has none.
  std::size_t rows_ = 0;
};

}  // namespace headrace::parquet_file
