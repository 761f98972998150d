// Whatever comes off a socket: heads, and chunks in any cut. The same bytes in other pieces must
// give the same body.
#include <cstdint>
#include <cstdlib>

#include "net/wire.h"

namespace headrace {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

struct Read {
  ChunkReader::State state;
  Bytes body;
  std::size_t taken;
};

Read read_chunks(std::string_view bytes, std::size_t piece) {
  ChunkReader reader;
  Bytes body;
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.state() == ChunkReader::State::kMore) {
    const std::string_view part = bytes.substr(taken, piece);
    const std::size_t used = reader.feed(part, body);
    check(used == part.size() || reader.state() != ChunkReader::State::kMore);
    taken += used;
  }
  return {reader.state(), std::move(body), taken};
}

void check_heads(std::string_view bytes) {
  const std::size_t size = head_size(bytes);
  for (std::size_t seen = 0; seen < std::min<std::size_t>(size, 64); ++seen) {
    check(head_size(bytes, seen) == size || seen > size - 4);
  }
  const std::string_view head = bytes.substr(0, size);
  for (const bool to_head : {false, true}) {
    const auto answer = parse_answer_head(head, to_head);
    if (!answer) continue;
    check(answer->status >= 100 && answer->status <= 999);
    for (const Headers::Field& field : answer->headers) check(is_sendable(field));
  }
  const auto request = parse_request_head(head);
  if (!request) return;
  check(!request->target.empty());
  for (const Headers::Field& field : request->headers) check(is_sendable(field));
}

}  // namespace
}  // namespace headrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace headrace;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_heads(bytes);
  const Read whole = read_chunks(bytes, bytes.size() + 1);
  for (const std::size_t piece : {1, 2, 7}) {
    const Read cut = read_chunks(bytes, piece);
    check(cut.state == whole.state && cut.body == whole.body && cut.taken == whole.taken);
  }
  return 0;
}
