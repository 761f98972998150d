#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/key_template.h"
#include "format/json_rows.h"
#include "step/object_batch.h"
#include "step/row_piles.h"
#include "step/time_fields.h"

namespace headrace {

/// How rows find their pile.
struct SortRules {
  const KeyTemplate& name;  ///< Of the piles; outlives the sorter.
  KeyFields given;          ///< Fields that no row and no key decides.
  std::string missing;      ///< Stands for a field that is missing or unusable; may be empty.
  RowPredicate keep;        ///< May be empty: all are wanted.
  /// Are rows of this pile wanted? May be empty: all are.
  std::function<bool(const std::string& name)> admit = {};
  JsonRowsOptions rows;
};

/// Sorts the rows of objects onto piles named by a template over their fields. A record of a pile
/// is the row and a line feed; with `numbered`, "<event's index> <line> " stands before it.
///
/// Threads  One at a time, on the CPU pool.
class RowSorter final : public RowReceiver {
 public:
  /// `piles` outlives the sorter.
  RowSorter(SortRules rules, RowPiles& piles, bool numbered);

  void begin_object(const ReadObject& object) override;
  void write(BytesView piece) override;
  ObjectRows end_object() override;

  /// Did the last object break off because its rows needed more piles than are allowed? It would
  /// fit a batch of its own; one that would not is kInvalid.
  bool full() const { return full_; }
  std::uint64_t left_out() const { return left_out_; }  ///< Rows that `keep` did not want.

 private:
  [[noreturn]] void overflow();
  std::string sort(const JsonRows::Row& row);
  std::string name_of(const JsonRows::Row& row, std::string& why) const;

  SortRules rules_;
  RowPiles& piles_;
  bool numbered_;
  std::vector<std::string> paths_;
  TimeFields times_;
  JsonRows rows_;
  std::size_t index_ = 0;
  KeyFields constants_;
  /// By the values, within one object; nullopt if the rows are not wanted.
  std::unordered_map<std::string, std::optional<std::size_t>> pile_of_;
  std::string values_;
  std::string head_;
  std::size_t piles_before_ = 0;  // The object at hand.
  bool full_ = false;
  std::uint64_t left_out_ = 0;
};

}  // namespace headrace
