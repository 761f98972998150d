#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace {

/// What rows are kept as. kAuto: a Delta table where there is a `_delta_log`, else by the files'
/// extensions.
enum class DataFormat : unsigned char { kAuto, kDelta, kJsonLines, kJson, kCsv, kParquet };

/// "auto", "delta", "ndjson", "json", "csv", "parquet".
std::string_view to_string(DataFormat format);
/// The names above, and "jsonl" for ndjson; nullopt if `text` is none.
std::optional<DataFormat> parse_data_format(std::string_view text);

/// By extension: .jsonl .ndjson; .json; .csv .tsv; .parquet; all but the last also with .gz or .zst
/// behind. Case does not count. nullopt for any other name.
std::optional<DataFormat> format_of_name(std::string_view name);

}  // namespace headrace
