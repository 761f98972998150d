#include "ledger/rocksdb/identities.h"

#include <algorithm>
#include <utility>

namespace headrace::rocks {
namespace {

constexpr std::size_t kFirstSlots = 256;
/// A set that had to be large once does not stay so for ever.
constexpr std::size_t kKeptSlots = 1 << 16;
constexpr std::size_t kFirstBlocks = 1024;
constexpr std::size_t kPerBlock = 16;  ///< 16 bits for each identity.

/// Identities are hashes as a rule, but nobody has to promise that.
std::uint64_t spread(std::uint64_t identity) {
  identity ^= identity >> 32;
  identity *= 0x9e3779b97f4a7c15;
  return identity ^ identity >> 29;
}

std::size_t block_of(std::uint64_t spread, std::size_t blocks) {
  return static_cast<std::size_t>((spread >> 32) * blocks >> 32);
}

/// One bit in each word of a block.
std::array<std::uint32_t, 8> bits_of(std::uint64_t spread) {
  constexpr std::array<std::uint32_t, 8> kOdd{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                              0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
  std::array<std::uint32_t, 8> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    bits[i] = 1u << (static_cast<std::uint32_t>(spread) * kOdd[i] >> 27);
  }
  return bits;
}

}  // namespace

std::size_t IdentitySet::slot(std::uint64_t identity) const {
  std::size_t at = spread(identity) & (slots_.size() - 1);
  while (slots_[at] != 0 && slots_[at] != identity) at = (at + 1) & (slots_.size() - 1);
  return at;
}

bool IdentitySet::contains(std::uint64_t identity) const {
  if (identity == 0) return has_zero_;
  return used_ > 0 && slots_[slot(identity)] == identity;
}

void IdentitySet::insert(std::uint64_t identity) {
  if (identity == 0) {
    has_zero_ = true;
    return;
  }
  if (used_ * 2 >= slots_.size()) grow();
  std::uint64_t& there = slots_[slot(identity)];
  if (there == 0) ++used_;
  there = identity;
}

void IdentitySet::grow() {
  const auto old = std::exchange(
      slots_, std::vector<std::uint64_t>(std::max(kFirstSlots, slots_.size() * 2), 0));
  for (const std::uint64_t identity : old) {
    if (identity != 0) slots_[slot(identity)] = identity;
  }
}

void IdentitySet::clear() {
  has_zero_ = false;
  if (used_ == 0) return;
  used_ = 0;
  if (slots_.size() > kKeptSlots) {
    slots_ = {};
  } else {
    std::ranges::fill(slots_, 0);
  }
}

bool IdentityFilter::may_contain(std::uint64_t identity) const {
  const std::uint64_t hash = spread(identity);
  const auto bits = bits_of(hash);
  return std::ranges::any_of(layers_, [&](const Layer& layer) {
    const Block& block = layer[block_of(hash, layer.size())];
    std::uint32_t missing = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) missing |= bits[i] & ~block.words[i];
    return missing == 0;
  });
}

std::size_t IdentityFilter::growth() const {
  if (room_ > 0) return 0;
  return sizeof(Block) * (layers_.empty() ? kFirstBlocks : layers_.back().size() * 2);
}

void IdentityFilter::add(std::uint64_t identity) {
  if (room_ == 0) {
    const std::size_t more = growth() / sizeof(Block);
    layers_.emplace_back(more);
    blocks_ += more;
    room_ = more * kPerBlock;
  }
  --room_;
  const std::uint64_t hash = spread(identity);
  const auto bits = bits_of(hash);
  Block& block = layers_.back()[block_of(hash, layers_.back().size())];
  for (std::size_t i = 0; i < bits.size(); ++i) block.words[i] |= bits[i];
}

}  // namespace headrace::rocks
