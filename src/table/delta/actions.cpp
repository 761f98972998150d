#include "table/delta/actions.h"

#include <simdjson.h>

#include <charconv>

namespace headrace::delta {

std::optional<std::uint64_t> rows_of(const AddFile& add) {
  // Nearly all writers put it first, and then nothing needs to be parsed.
  static constexpr std::string_view kFirst = R"({"numRecords":)";
  std::uint64_t rows = 0;
  if (add.stats.starts_with(kFirst)) {
    const char* begin = add.stats.data() + kFirst.size();
    const auto [end, error] = std::from_chars(begin, add.stats.data() + add.stats.size(), rows);
    if (error == std::errc() && (*end == ',' || *end == '}')) return rows;
  }
  if (add.stats.empty()) return std::nullopt;
  simdjson::dom::parser parser;
  simdjson::dom::object stats;
  if (parser.parse(add.stats).get(stats) != simdjson::SUCCESS ||
      stats["numRecords"].get(rows) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return rows;
}

}  // namespace headrace::delta
