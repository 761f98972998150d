#include "core/bytes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace headrace {
namespace {

class BytesSource final : public ByteSource {
 public:
  BytesSource(Bytes bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}

  Task<Bytes> read() override {
    if (at_ == 0 && bytes_.size() <= piece_) {
      at_ = bytes_.size() + 1;
      co_return std::move(bytes_);
    }
    if (at_ >= bytes_.size()) co_return Bytes{};
    Bytes out = bytes_.substr(at_, piece_);
    at_ += out.size();
    co_return out;
  }

 private:
  Bytes bytes_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> source_of(Bytes bytes, std::size_t piece) {
  return std::make_unique<BytesSource>(std::move(bytes), std::max<std::size_t>(piece, 1));
}

Task<Bytes> read_all(ByteSource& source, std::uint64_t limit) {
  Bytes all;
  while (true) {
    Bytes piece = co_await source.read();
    if (piece.empty()) co_return all;
    if (all.size() + piece.size() > limit) {
      throw Error(ErrorKind::kInvalid, fmt::format("more than the limit of {} bytes", limit));
    }
    if (all.empty()) {
      all = std::move(piece);
    } else {
      all += piece;
    }
  }
}

}  // namespace headrace
