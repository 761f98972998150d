// Any text as CSV, in pieces: what a plain reader makes of the whole of it. Every line is JSON with
// keys that are all different, as long as the text is UTF-8 and its quotes are closed.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <set>

#include "format/csv/csv_model.h"

namespace headrace {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_lines(std::string_view lines) {
  if (!simdjson::validate_utf8(lines.data(), lines.size())) return;
  simdjson::dom::parser parser;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    if (!line.starts_with('{')) continue;
    simdjson::dom::object row;
    const auto error = parser.parse(line.data(), line.size()).get(row);
    if (error == simdjson::NUMBER_ERROR) continue;
    require(error == simdjson::SUCCESS);
    std::set<std::string_view> keys;
    for (const auto& [key, value] : row) require(keys.insert(key).second);
  }
}

void check(std::uint8_t choice, std::uint8_t sizes, std::string text) {
  if ((choice & 1) != 0) {  // Mostly of what matters.
    static constexpr std::string_view kLetters = "a1,;\"\n\r\t|true-.0,\"\n{[ \\,2";
    for (char& c : text) c = kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  }
  CsvOptions options;
  options.sample_bytes = (choice & 2) != 0 ? 40 : 1 << 20;
  options.fields = (choice & 4) != 0 ? 5 : 1'000;
  if ((choice & 8) != 0) options.delimiter = ",;\t|"[sizes % 4];
  if ((choice & 16) != 0) options.header = (choice & 32) != 0;
  const auto expected = csv_model::lines_of(text, options);
  const std::size_t piece = 1 + sizes % 61;
  require(csv_model::lines_by(text, options, {piece, 1 + sizes / 32u, 7}) == expected);
  require(csv_model::lines_by(text, options, {text.size() + 1}) == expected);
  if (expected) check_lines(*expected);
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  headrace::check(data[0], data[1], {reinterpret_cast<const char*>(data) + 2, size - 2});
  return 0;
}
