// Any bytes as a commit, a schema, a hint or a checkpoint end in a value or in an Error.
#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "table/delta/action_json.h"
#include "table/delta/checkpoint.h"
#include "table/delta/schema_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
      case 0:
        delta::parse_commit(text);
        break;
      case 1: {
        const Schema schema = delta::parse_schema(text);
        // What is read can be written, and then says the same.
        if (delta::parse_schema(delta::schema_json(schema)) != schema) __builtin_trap();
        break;
      }
      case 2:
        delta::parse_last_checkpoint(text);
        break;
      default:
        delta::read_checkpoint(text, [](delta::Commit) {});
        break;
    }
  } catch (const Error&) {
  }
  return 0;
}
