#include "core/error.h"
#include "ledger/rocksdb/codec.h"
#include "ledger/rocksdb/page.h"

// Any bytes in a row either read as something or are refused with kCorrupt.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  using namespace headrace::rocks;
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  const auto refused = [](auto read) {
    try {
      read();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
    }
  };
  refused([&] { unpack(bytes); });
  refused([&] { decode_dead(bytes); });
  refused([&] {
    CountDeltas sums;
    add_counts(bytes, sums);
  });
  refused([&] {
    const std::size_t cut = size == 0 ? 0 : data[0] % size;
    make_page({0, 2}, Bytes(bytes.substr(cut)), Bytes(bytes.substr(0, cut)));
  });
  return 0;
}
