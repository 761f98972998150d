#include "store/s3/payload.h"

#include <utility>

#include "store/s3/checksum.h"

namespace headrace::s3 {
namespace {

/// A smaller piece, if it is not the first, makes room for those behind it.
constexpr std::size_t kSmall = 64u << 10;
constexpr std::size_t kRoom = 256u << 10;

}  // namespace

void Payload::add(Bytes piece) {
  if (piece.empty()) return;
  if (summed_) crc32_ = s3::crc32(piece, crc32_);
  size_ += piece.size();
  // Into room that is there anyway: a piece may have much more than it holds.
  if (!pieces_.empty() && piece.size() <= pieces_.back().capacity() - pieces_.back().size()) {
    pieces_.back() += piece;
    return;
  }
  if (!pieces_.empty() && piece.size() < kSmall) piece.reserve(kRoom);
  pieces_.push_back(std::move(piece));
}

Task<Payload> PartReader::next() {
  Payload part(summed_);
  while (part.size() < size_ && !(ended_ && rest_.empty())) {
    Bytes piece = rest_.empty() ? co_await body_.read() : std::exchange(rest_, {});
    ended_ = ended_ || piece.empty();
    const std::uint64_t room = size_ - part.size();
    if (piece.size() > room) {
      rest_ = piece.substr(room);
      piece.resize(room);
    }
    part.add(std::move(piece));
  }
  co_return part;
}

}  // namespace headrace::s3
