#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/jsonl/cursor.h"
#include "format/jsonl/moment.h"
#include "format/jsonl/plan.h"
#include "format/schema.h"

namespace headrace::jsonl {

/// Deeper containers become JSON text: readers of Parquet stop at a depth of about 100.
inline constexpr int kMaxColumnDepth = 32;

/// Grows a schema by what rows bring that it has no place for. Known columns keep their types, but
/// for byte and short, which widen up to integer. docs/formats/types.md has the rules.
class Inference {
 public:
  /// `columns` bounds the leaves; passing it throws kInvalid.
  /// `plain_types`: see ConvertOptions.
  Inference(const Schema& known, std::size_t columns, bool plain_types);
  ~Inference();

  /// Takes note of the row at `cursor`. It has been proved well formed by a Skipper.
  void observe(Cursor cursor);
  /// Takes note that a top-level column, should the rows have it, gets text from elsewhere too.
  void observe_text(std::string_view column);

  /// The schema grown so far. New fields come after the known ones, in the order they were met.
  Schema schema();

 private:
  struct Guess;
  using Kinds = std::uint32_t;

  void adopt(Guess& guess, const DataType& type, bool json_text);
  Guess& child_of(Guess& guess, std::string key);
  void observe_value(Guess& guess, int depth);
  void observe_object(Guess& guess, int depth);
  void observe_array(Guess& guess, int depth);
  Kinds kind_of_scalar(BytesView token);
  static Kinds kind_of_number(BytesView token);
  void skip();

  void merge(Guess& into, const Guess& from);
  std::unique_ptr<Guess> common_value(const Guess& guess);
  static bool has_data_for_keys(const Guess& guess);
  void give_up_keys(Guess& guess);

  std::optional<Field> resolve(const Guess& guess, int depth);
  std::optional<Field> resolve_map(const Guess& guess, int depth);
  Field grow(const Field& known, const Guess& guess, int depth);
  void grow_fields(std::vector<Field>& fields, const Guess& guess, int depth);

  Schema known_;
  std::unique_ptr<Guess> root_;
  std::size_t columns_;
  bool plain_types_;
  std::size_t guesses_ = 0;
  Skipper skipper_;
  MomentParser moments_;
  Cursor cursor_;
  std::string key_;
  std::set<std::string> texts_;
};

/// Leaves of the schema: columns that hold values themselves.
std::size_t leaf_count(const std::vector<Field>& fields);

/// Gives every field and part of a field without a Parquet field id the next free one.
void number_fields(Schema& schema);

}  // namespace headrace::jsonl
