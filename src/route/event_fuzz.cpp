// Any bytes as an event: what is read is a JSON object by the plain reader too, and the reverse.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "route/event_fields.h"
#include "route/json_tree.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const FieldTree kTree = [] {
    FieldTree tree;
    for (const char* path : {"a", "a.b", "b"}) tree.add(path);
    return tree;
  }();
  bool expected = false;
  try {
    expected = parse_json_tree(text).kind == JsonTree::Kind::kObject;
  } catch (const Error& error) {
    // The plain reader stops at fewer levels.
    if (std::string_view(error.what()).find("levels deep") != std::string_view::npos) return 0;
  }
  bool read = true;
  try {
    EventFields().read(text, kTree);
  } catch (const Error&) {
    read = false;
  }
  if (read != expected) std::abort();
  return 0;
}
