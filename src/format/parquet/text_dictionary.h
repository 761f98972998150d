#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "format/buffer.h"

namespace headrace::parquet_file {

/// The distinct texts of a column in the order they came, kept as Parquet writes them: each with
/// its length in four bytes before it. It stops paying when texts hardly repeat; then it says so.
class TextDictionary {
 public:
  static constexpr std::uint32_t kNoPlace = ~0u;

  /// The index of `text`, which is added if it is new; kNoPlace if the dictionary holds 1 MiB, if
  /// more than two thirds of at least 1,024 texts were new, or if hashes collide beyond chance.
  std::uint32_t index_of(BytesView text);

  std::size_t size() const { return starts_.size(); }
  BytesView at(std::uint32_t index) const;
  /// All texts, as Parquet writes them.
  BytesView encoded() const { return {bytes_.data(), bytes_.size()}; }
  std::size_t memory() const {
    return bytes_.bytes() + starts_.bytes() + slots_.size() * sizeof(Slot);
  }
  void clear();

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t index = kNoPlace;
  };

  std::uint32_t add(BytesView text);
  void grow();

  Buffer<char> bytes_;
  Buffer<std::uint32_t> starts_;  // In bytes_, of each length.
  std::vector<Slot> slots_;       // A power of two of them, at most half in use.
  std::uint64_t asked_ = 0;
};

}  // namespace headrace::parquet_file
