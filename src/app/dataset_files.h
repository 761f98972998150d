#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/stack_file.h"
#include "query/dataset_state.h"

namespace headrace {

// What crawls of datasets found, beside the stack's other state: one file per dataset.

/// "lake://bucket/prefix as ndjson": what a state is kept for.
std::string place_of(const DatasetConfig& config);

/// The state of a dataset; null if it was not crawled, or at another place. Throws kCorrupt, naming
/// the file, if it cannot be read.
std::shared_ptr<const DatasetState> load_dataset_state(const StackFile& stack,
                                                       const std::string& dataset);

/// Replaces what is kept, as a whole.
void save_dataset_state(const StackFile& stack, const std::string& dataset, DatasetState state);

/// Forgets what is kept.
void drop_dataset_state(const StackFile& stack, const std::string& dataset);

}  // namespace headrace
