#include "step/whole_body.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

class WholeBody final : public ByteSource {
 public:
  WholeBody(std::unique_ptr<ByteSource> body, std::uint64_t size)
      : body_(std::move(body)), size_(size) {}

  Task<Bytes> read() override {
    Bytes piece = co_await body_->read();
    came_ += piece.size();
    if (came_ > size_ || (piece.empty() && came_ < size_)) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("the body {} at byte {}, but the object has {} bytes",
                              piece.empty() ? "ended" : "goes on", came_, size_));
    }
    co_return piece;
  }

 private:
  std::unique_ptr<ByteSource> body_;
  std::uint64_t size_;
  std::uint64_t came_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> whole_body(std::unique_ptr<ByteSource> body, std::uint64_t size) {
  return std::make_unique<WholeBody>(std::move(body), size);
}

}  // namespace headrace
