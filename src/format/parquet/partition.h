#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/jsonl/row.h"

namespace headrace::parquet_file {

/// The values of a row's partition columns as Delta spells them, in the order of partition_by;
/// nullopt is null.
using Tuple = std::vector<std::optional<std::string>>;

/// A value as Delta spells it in partitionValues. The empty text is null there.
std::optional<std::string> partition_value(const jsonl::Node& column, const jsonl::Cell& cell);

/// The partition value that a text from an object's key stands for in a column of this type:
/// numbers, dates and moments in the spellings that JSON has for them. False if it stands for none.
bool partition_value_of_text(const jsonl::Node& column, const std::string& text,
                             std::optional<std::string>& value);

}  // namespace headrace::parquet_file
