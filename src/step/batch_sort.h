#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "step/object_batch.h"
#include "step/row_piles.h"
#include "step/row_sorter.h"
#include "step/step.h"

namespace headrace {

/// How the rows of a batch are sorted onto piles.
struct BatchSort {
  SortRules rules;
  RowPiles::Limits limits;
  std::filesystem::path folder;  ///< For the piles' file.
  std::string own;               ///< Objects that a sink of this route made are skipped.
  ObjectTransform transform;     ///< Of objects before they are cut into rows; may be empty.
  bool numbered = false;         ///< As RowSorter has it.
};

struct SortedBatch {
  std::unique_ptr<RowPiles> piles;
  std::uint64_t left_out = 0;  ///< Rows that were not wanted.
};

/// Reads the objects of a batch and sorts their rows. What needs no sorting, fails or finds no room
/// (Item::later) is told in `items`; what fails in the middle is also marked in `left_out`, and all
/// else is sorted again without it.
Task<SortedBatch> sort_batch(const BatchSort& sort, const std::vector<Event>& events,
                             std::vector<bool>& left_out, std::vector<Sink::Item>& items,
                             StepServices services);

}  // namespace headrace
