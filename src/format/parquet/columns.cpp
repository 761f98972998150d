#include "format/parquet/columns.h"

#include <algorithm>
#include <utility>

#include "format/jsonl/uuid.h"

namespace headrace::parquet_file {

Physical physical_of(const jsonl::Node& node) {
  switch (node.kind) {
    case TypeKind::kBoolean:
      return Physical::kBool;
    case TypeKind::kByte:
    case TypeKind::kShort:
    case TypeKind::kInteger:
    case TypeKind::kDate:
      return Physical::kInt32;
    case TypeKind::kLong:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return Physical::kInt64;
    case TypeKind::kFloat:
      return Physical::kFloat;
    case TypeKind::kDouble:
      return Physical::kDouble;
    case TypeKind::kString:
      return node.uuid ? Physical::kUuid : Physical::kText;
    case TypeKind::kBinary:
      return Physical::kText;
    case TypeKind::kDecimal:
      if (node.precision <= 9) return Physical::kInt32;
      return node.precision <= 18 ? Physical::kInt64 : Physical::kWide;
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return Physical::kNone;
  }
  return Physical::kNone;
}

Column::Column(const jsonl::Node& from, Column* parent_column)
    : level(from.level),
      repetition(0),
      physical(physical_of(from)),
      repeats(from.kind == TypeKind::kList || from.kind == TypeKind::kMap),
      node(from.id),
      space(nullptr),
      in_dictionary(physical == Physical::kText),
      parent(parent_column) {
  if (parent != nullptr) space = parent->repeats ? parent : parent->space;
  if (repeats) repetition = static_cast<std::uint8_t>(space == nullptr ? 1 : space->repetition + 1);
}

std::size_t Column::values() const {
  switch (physical) {
    case Physical::kBool:
      return bytes.size();
    case Physical::kInt32:
    case Physical::kFloat:
      return bytes.size() / 4;
    case Physical::kInt64:
    case Physical::kDouble:
      return bytes.size() / 8;
    case Physical::kText:
      return in_dictionary ? bytes.size() / 4 : lengths.size();
    case Physical::kWide:
      return bytes.size() / kWideBytes;
    case Physical::kUuid:
      return bytes.size() / kUuidBytes;
    case Physical::kNone:
      return 0;
  }
  return 0;
}

std::size_t Column::memory() const {
  return present.bytes() + levels.bytes() + bytes.bytes() + lengths.bytes() + repetitions.bytes() +
         dictionary.memory();
}

void Column::clear(bool keep_memory) {
  const auto empty = [keep_memory](auto&... buffers) {
    (keep_memory ? (buffers.clear(), ...) : (buffers.release(), ...));
  };
  empty(present, levels, bytes, lengths, repetitions);
  mirrored = 0;
  if (keep_memory) {
    dictionary.clear();
  } else {
    dictionary = TextDictionary();
  }
}

/// Room for the bit of `slot`; there is none in the slots before that have no room yet.
void Column::miss(std::size_t slot) {
  const std::size_t count = slot / 8 + 1 - present.size();
  std::memset(present.extend(count), 0, count);
}

/// The texts that waited as indices become texts; so do all that follow, in later row groups too.
void Column::leave_dictionary() {
  Buffer<char> indices = std::exchange(bytes, {});
  for (const std::uint32_t index : indices.view_as<std::uint32_t>()) {
    const BytesView text = dictionary.at(index);
    bytes.append(text.data(), text.size());
    lengths.push(static_cast<std::int32_t>(text.size()));
  }
  dictionary = TextDictionary();
  in_dictionary = false;
}

void Column::append_text(BytesView text) {
  if (in_dictionary) {
    const std::uint32_t index = dictionary.index_of(text);
    if (index != TextDictionary::kNoPlace) return bytes.push_as(index);
    leave_dictionary();
  }
  bytes.append(text.data(), text.size());
  lengths.push(static_cast<std::int32_t>(text.size()));
}

void Columns::sync() {
  if (columns_.empty()) columns_.push_back(nullptr);
  for (std::size_t id = columns_.size(); id < plan_.size(); ++id) {
    const jsonl::Node& node = plan_.node(static_cast<std::uint32_t>(id));
    columns_.push_back(std::make_unique<Column>(node, columns_[node.parent].get()));
  }
}

void Columns::go_on_after(const Columns& others) {
  for (std::size_t id = 1; id < columns_.size(); ++id) {
    columns_[id]->in_dictionary = others.columns_[id]->in_dictionary;
  }
}

/// Levels for the slots before `slot` that `column` was absent from.
void Columns::fill(Column& column, std::size_t slot) {
  const std::size_t from = column.levels.size();
  if (column.parent == nullptr) {
    std::memset(column.levels.extend(slot - from), 0, slot - from);
    return;
  }
  if (!column.parent->repeats) reach(*column.parent, slot);
  column.levels.append(column.parent->levels.data() + from, slot - from);
}

/// A slot of the rows (or of the outer list) in which the list is absent is one slot of its own.
void Columns::mirror(Column& list, std::size_t slot) {
  const std::size_t from = list.mirrored;
  if (from >= slot) return;
  const std::size_t count = slot - from;
  list.mirrored = slot;
  if (list.parent == nullptr) {
    std::memset(list.levels.extend(count), 0, count);
  } else {
    if (!list.parent->repeats) reach(*list.parent, slot);
    list.levels.append(list.parent->levels.data() + from, count);
  }
  if (list.space == nullptr) {
    std::memset(list.repetitions.extend(count), 0, count);
  } else {
    list.repetitions.append(list.space->repetitions.data() + from, count);
  }
}

void Columns::append_slot(Column& list, std::uint32_t slot) {
  if (slot == jsonl::kNext) {
    list.levels.push(static_cast<std::uint8_t>(list.level + 1));
    list.repetitions.push(list.repetition);
    return;
  }
  const std::size_t here = slots(list) - 1;
  mirror(list, here);
  list.mirrored = here + 1;
  list.levels.push(static_cast<std::uint8_t>(list.level + (slot == jsonl::kFirst ? 1 : 0)));
  list.repetitions.push(list.space == nullptr ? std::uint8_t{0} : list.space->repetitions[here]);
}

namespace {

void append_value(Column& column, const jsonl::Cell& cell) {
  switch (column.physical) {
    case Physical::kText:
      return column.append_text(cell.view());
    case Physical::kWide:
      return column.bytes.append(cell.text, cell.size);
    case Physical::kUuid:
      return jsonl::uuid_bytes(cell.text, column.bytes.extend(kUuidBytes));
    case Physical::kInt64:
      return column.bytes.push_as(cell.integer);
    case Physical::kDouble:
      return column.bytes.push_as(cell.real);
    case Physical::kInt32:
      return column.bytes.push_as(static_cast<std::int32_t>(cell.integer));
    case Physical::kBool:
      return column.bytes.push_as(static_cast<std::uint8_t>(cell.integer));
    case Physical::kFloat:
      return column.bytes.push_as(static_cast<float>(cell.real));
    case Physical::kNone:
      return;
  }
}

}  // namespace

void Columns::append(const Buffer<jsonl::Cell>& cells) {
  ++rows_;
  for (const jsonl::Cell& cell : cells.view()) {
    Column& column = *columns_[cell.node];
    if (column.repeats) {
      append_slot(column, cell.size);
      continue;
    }
    const std::size_t slot = slots(column) - 1;
    if (column.physical == Physical::kNone) {
      reach(column, slot);
      column.levels.push(column.level);
      continue;
    }
    column.mark(slot);
    append_value(column, cell);
  }
}

namespace {

/// Makes `level` of those of eight bytes that have a bit.
void set_where(std::uint8_t* bytes, std::uint8_t bits, std::uint8_t level) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kOwnBits = 0x8040201008040201u;  // Byte i has bit i.
  constexpr std::uint64_t kAllButHigh = 0x7F7F7F7F7F7F7F7Fu;
  const std::uint64_t spread = (bits * kOnes & kOwnBits) + kAllButHigh;
  const std::uint64_t mask = (spread >> 7 & kOnes) * 0xFF;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  word = (word & ~mask) | (level * kOnes & mask);
  std::memcpy(bytes, &word, sizeof word);
}

}  // namespace

void Columns::complete(Column& column) {
  if (column.repeats) {
    if (column.space != nullptr) complete(*column.space);
    mirror(column, slots(column));
  } else {
    if (column.space != nullptr) complete(*column.space);
    reach(column, slots(column));
  }
}

void Columns::definition_levels(const Column& leaf, Buffer<std::uint8_t>& levels) {
  if (leaf.space != nullptr) complete(*leaf.space);
  if (leaf.parent != nullptr) complete(*leaf.parent);
  const std::size_t count = slots(leaf);
  levels.clear();
  std::uint8_t* to = levels.extend(count + sizeof(std::uint64_t));
  if (leaf.parent == nullptr) {
    std::memset(to, 0, count);
  } else {
    std::memcpy(to, leaf.parent->levels.data(), count);
  }
  for (const std::uint8_t bits : leaf.present.view()) {
    if (bits != 0) set_where(to, bits, leaf.level);
    to += 8;
  }
  levels.shrink(count);
}

std::size_t Columns::bytes() const {
  std::size_t bytes = 0;
  for (const auto& column : columns_) {
    if (column) bytes += column->memory();
  }
  return bytes;
}

void Columns::clear(bool keep_memory) {
  rows_ = 0;
  for (const auto& column : columns_) {
    if (column) column->clear(keep_memory);
  }
}

}  // namespace headrace::parquet_file
