// Any bytes are either refused as corrupt or are a sidecar that comes back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "store/file/sidecar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto owner = file::owner_of_sidecar(text);
  if (!owner) return 0;
  try {
    const file::Sidecar sidecar = file::decode_sidecar(*owner, text);
    const file::Sidecar again = file::decode_sidecar(*owner, file::encode_sidecar(*owner, sidecar));
    if (again.metadata != sidecar.metadata || again.tags != sidecar.tags) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) std::abort();
  }
  return 0;
}
