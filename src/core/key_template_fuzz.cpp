// The input is a template, a line end, and a key. Whatever matches builds the same key again.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "core/key_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  try {
    const auto keys = headrace::KeyTemplate::parse(std::string(input.substr(0, end)));
    const std::string_view key = input.substr(end + 1);
    const auto fields = keys.match(key);
    if (fields && keys.build(*fields) != key) std::abort();
  } catch (const headrace::Error& error) {
    if (error.kind() != headrace::ErrorKind::kInvalid) std::abort();
  }
  return 0;
}
