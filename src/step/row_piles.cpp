#include "step/row_piles.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "format/compression.h"

namespace headrace {
namespace {

/// Fast rather than small: it lives for one batch.
constexpr int kLevel = 1;

Bytes packed(BytesView plain) {
  Compressor compressor(Compression::kZstd, kLevel);
  Bytes out = compressor.push(plain);
  out += compressor.finish();
  return out;
}

Bytes unpacked(Bytes stored) {
  // Ours, so no bomb, however regular.
  Decompressor unpack({.ratio = std::numeric_limits<std::uint64_t>::max()});
  Bytes out;
  const auto drain = [&] {
    for (Bytes piece = unpack.next(); !piece.empty(); piece = unpack.next()) out += piece;
  };
  unpack.push(std::move(stored));
  drain();
  unpack.finish();
  drain();
  return out;
}

}  // namespace

RowPiles::RowPiles(std::filesystem::path file, Limits limits)
    : path_(std::move(file)), limits_(limits) {}

std::optional<std::size_t> RowPiles::find(std::string_view name) {
  std::string key(name);
  const auto found = by_name_.find(key);
  if (found != by_name_.end()) return found->second;
  if (piles_.size() >= limits_.piles) return std::nullopt;
  piles_.push_back({.name = key, .bytes = {}, .chunks = {}, .given = 0, .records = 0});
  by_name_.emplace(std::move(key), piles_.size() - 1);
  return piles_.size() - 1;
}

void RowPiles::add(std::size_t pile, BytesView head, BytesView tail) {
  Pile& to = piles_[pile];
  to.bytes.append(head).append(tail);
  ++to.records;
  held_ += head.size() + tail.size();
  if (held_ > limits_.memory_bytes) spill();
}

/// The largest go first, so that pieces are large and few; half of the memory is free then.
void RowPiles::spill() {
  if (!file_) file_.emplace(path_);
  std::vector<std::size_t> order(piles_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, std::greater<>(), [&](std::size_t i) { return piles_[i].bytes.size(); });
  for (const std::size_t i : order) {
    if (held_ <= limits_.memory_bytes / 2) break;
    Pile& pile = piles_[i];
    const Bytes stored = packed(pile.bytes);
    const std::uint64_t offset = file_->append(stored);
    pile.chunks.push_back({offset, stored.size()});
    held_ -= pile.bytes.size();
    Bytes().swap(pile.bytes);
  }
}

Bytes RowPiles::next(std::size_t pile) {
  Pile& from = piles_[pile];
  if (from.given < from.chunks.size()) {
    const Chunk& chunk = from.chunks[from.given++];
    return unpacked(file_->read(chunk.offset, chunk.stored));
  }
  held_ -= from.bytes.size();
  return std::exchange(from.bytes, {});
}

}  // namespace headrace
