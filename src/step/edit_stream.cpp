#include "step/edit_stream.h"

#include <utility>

namespace headrace {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;

}  // namespace

EditStream::EditStream(std::unique_ptr<ByteSource> body, const JsonEdits& edits, CpuPool& cpu)
    : body_(std::move(body)), cpu_(cpu), editor_(edits) {}

Task<Bytes> EditStream::read() { co_return co_await next(true); }

Task<bool> EditStream::changes_later() {
  while (!changed() && !ended_) co_await next(false);
  co_return changed();
}

/// `failed_` stays true if anything below throws.
Task<Bytes> EditStream::next(bool packed) {
  failed_ = true;
  Bytes out;
  while (out.empty() && !ended_) {
    if (hungry_) co_await feed();
    out = co_await run_on(cpu_, [this, packed] { return work(packed); });
    if (!packed && changed()) break;
  }
  failed_ = false;
  co_return out;
}

Task<> EditStream::feed() {
  Bytes piece = co_await body_->read();
  hungry_ = false;
  if (piece.empty()) {
    input_ended_ = true;
    unpack_.finish();
  } else {
    unpack_.push(std::move(piece));
  }
}

/// Takes each stage as far as its input lets it.
Bytes EditStream::work(bool packed) {
  Bytes out;
  while (out.size() < kPieceBytes) {
    if (Bytes edited = editor_.next(); !edited.empty()) {
      out += packed ? pack(std::move(edited)) : std::move(edited);
    } else if (Bytes plain = unpack_.next(); !plain.empty()) {
      editor_.push(std::move(plain));
    } else if (!input_ended_) {
      hungry_ = true;
      break;
    } else if (!edits_ended_) {
      editor_.finish();
      edits_ended_ = true;
    } else {
      if (packed && pack_) out += pack_->finish();
      ended_ = true;
      break;
    }
  }
  return out;
}

Bytes EditStream::pack(Bytes edited) {
  const Compression compression = unpack_.compression().value_or(Compression::kNone);
  if (compression == Compression::kNone) return edited;
  if (!pack_) pack_.emplace(compression);
  return pack_->push(edited);
}

}  // namespace headrace
