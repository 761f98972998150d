// Any text is read or refused with a place, and a refusal shows nothing of the text. What was read
// reads the same once written out plainly.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "net/credentials/ini.h"
#include "net/credentials/shell_words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto words = shell_words(text)) {
    std::size_t bytes = 0;
    for (const std::string& word : *words) bytes += word.size();
    if (bytes > text.size()) std::abort();
  }
  IniSections sections;
  try {
    sections = parse_ini(text, "f");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) std::abort();
    if (!std::string_view(error.what()).starts_with("f:")) std::abort();
    return 0;
  }
  std::string plain;
  for (const auto& [name, settings] : sections) {
    plain += "[" + name + "]\n";
    for (const auto& [key, value] : settings) plain += key + " = " + value + "\n";
  }
  if (parse_ini(plain, "again") != sections) std::abort();
  return 0;
}
