#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace headrace {

/// Numbers under 64-bit hashes, in one flat block: 8 bytes a slot. What the numbers stand for, and
/// whether two of one hash are the same, is the caller's to know. Built once, then read by any
/// thread.
class HashTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  bool empty() const { return count_ == 0; }

  /// The number under `hash` for which `is(number)` holds; kNone if there is none.
  template <class Is>
  std::uint32_t find(std::uint64_t hash, Is is) const {
    if (count_ == 0) return kNone;
    const auto check = static_cast<std::uint32_t>(hash >> 32);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = check & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.number == kNone) return kNone;
      if (slot.check == check && is(slot.number)) return slot.number;
    }
  }

  void insert(std::uint64_t hash, std::uint32_t number) {
    if (count_ * 2 >= slots_.size()) grow();  // What is not there is soon known not to be.
    put({static_cast<std::uint32_t>(hash >> 32), number});
    ++count_;
  }

  /// Well mixed in its upper half, from a key that is not.
  static std::uint64_t mix(std::uint64_t key) { return (key ^ key >> 32) * 0x9E3779B97F4A7C15U; }

 private:
  struct Slot {
    std::uint32_t check = 0;  // The upper half of the hash.
    std::uint32_t number = kNone;
  };

  void put(Slot slot) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = slot.check & mask;
    while (slots_[at].number != kNone) at = (at + 1) & mask;
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(16, slots_.size() * 2));
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kNone) put(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace headrace
