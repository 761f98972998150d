#include "format/compression.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"

namespace headrace {
namespace {

/// Unpacks in pieces of `piece` bytes; what fails is told by the message alone.
std::string outcome(BytesView packed, std::size_t piece) {
  Bytes out;
  try {
    Decompressor decompressor({.output_bytes = 1 << 20, .ratio = 500, .window_bytes = 8 << 20});
    const auto drain = [&] {
      for (Bytes more = decompressor.next(); !more.empty(); more = decompressor.next()) out += more;
    };
    for (std::size_t at = 0; at < packed.size(); at += piece) {
      decompressor.push(Bytes(packed.substr(at, piece)));
      drain();
    }
    decompressor.finish();
    drain();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kBug || error.kind() == ErrorKind::kTransient) std::abort();
    return "refused";
  }
  return out;
}

/// Any bytes unpack the same for every cut or are refused; what was packed comes back.
void check(BytesView input) {
  const std::size_t piece = 1 + (input.empty() ? 0 : static_cast<unsigned char>(input.back()) % 64);
  if (outcome(input, input.size() + 1) != outcome(input, piece)) std::abort();
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    Compressor compressor(compression);
    Bytes packed = compressor.push(input.substr(0, piece));
    packed += compressor.push(input.substr(std::min(piece, input.size())));
    packed += compressor.finish();
    if (outcome(packed, piece) != input) std::abort();
  }
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  headrace::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
