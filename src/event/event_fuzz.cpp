// Any bytes: an event that can be read is written and read back the same, with the same identity.
#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "event/event.h"
#include "event/identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const headrace::Event event =
        headrace::event_from_json({reinterpret_cast<const char*>(data), size});
    const headrace::Event again = headrace::event_from_json(headrace::to_json(event));
    if (again != event) std::abort();
    if (headrace::identity_of(again).change != headrace::identity_of(event).change) std::abort();
  } catch (const headrace::Error& error) {
    if (error.kind() != headrace::ErrorKind::kCorrupt) std::abort();
  }
  return 0;
}
