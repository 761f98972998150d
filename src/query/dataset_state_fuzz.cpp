// Any bytes as what is kept of a dataset, and a state with bytes changed: a state, or kCorrupt.
// What is read can be written, and then says the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "query/dataset_state.h"
#include "testing/changed_bytes.h"

namespace headrace {
namespace {

constexpr std::string_view kState =
    R"({"version":1,"place":"lake://b/p","format":"ndjson","crawled":"2026-01-31T09:08:07Z",)"
    R"("objects":2,"bytes":30,"columns":[{"name":"a","type":"BIGINT"},{"name":"b","type":"NULL"}],)"
    R"("partitions":[{"name":"dt","type":"DATE"}],"changes":[{"at":"2026-01-30T00:00:00.5Z",)"
    R"("column":"a","was":"INTEGER","now":"BIGINT"}],"seen":"00000000000000010123456789abcdef"})";

void check(std::string_view json) {
  try {
    const DatasetState state = parse_dataset_state(json);
    if (parse_dataset_state(to_json(state)) != state) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) std::abort();
  }
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check(changed_bytes(Bytes(kState), input));
  return 0;
}
