#include "query/data_format.h"

#include <algorithm>
#include <string>
#include <utility>

namespace headrace {
namespace {

constexpr std::pair<DataFormat, std::string_view> kNames[] = {
    {DataFormat::kAuto, "auto"}, {DataFormat::kDelta, "delta"}, {DataFormat::kJsonLines, "ndjson"},
    {DataFormat::kJson, "json"}, {DataFormat::kCsv, "csv"},     {DataFormat::kParquet, "parquet"},
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string_view to_string(DataFormat format) {
  return std::ranges::find(kNames, format, &std::pair<DataFormat, std::string_view>::first)->second;
}

std::optional<DataFormat> parse_data_format(std::string_view text) {
  for (const auto& [format, name] : kNames) {
    if (name == text) return format;
  }
  if (text == "jsonl") return DataFormat::kJsonLines;
  return std::nullopt;
}

std::optional<DataFormat> format_of_name(std::string_view name) {
  std::string text = lower(name.substr(name.rfind('/') + 1));
  if (text.ends_with(".parquet")) return DataFormat::kParquet;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (text.ends_with(packed)) text.resize(text.size() - packed.size());
  }
  if (text.ends_with(".jsonl") || text.ends_with(".ndjson")) return DataFormat::kJsonLines;
  if (text.ends_with(".json")) return DataFormat::kJson;
  if (text.ends_with(".csv") || text.ends_with(".tsv")) return DataFormat::kCsv;
  return std::nullopt;
}

}  // namespace headrace
