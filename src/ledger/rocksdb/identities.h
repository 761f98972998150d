#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace headrace::rocks {

/// A few identities, exactly: those of a commit under way. Made to be filled and cleared over and
/// over without asking for memory.
class IdentitySet {
 public:
  bool contains(std::uint64_t identity) const;
  void insert(std::uint64_t identity);
  void clear();

 private:
  std::size_t slot(std::uint64_t identity) const;
  void grow();

  std::vector<std::uint64_t> slots_;  ///< A power of two of them; 0 is a free one.
  std::size_t used_ = 0;
  bool has_zero_ = false;
};

/// Many identities in two to four bytes each: says of nearly all that were not added that they were
/// not. It is a chain of Bloom filters, each twice the size of the one before, of blocks within one
/// cache line; about one in two hundred is taken for an added one.
class IdentityFilter {
 public:
  /// False: certainly not added.
  bool may_contain(std::uint64_t identity) const;
  void add(std::uint64_t identity);

  std::size_t bytes() const { return blocks_ * sizeof(Block); }
  /// By how much bytes() grows with the next add().
  std::size_t growth() const;

 private:
  struct alignas(32) Block {
    std::array<std::uint32_t, 8> words{};
  };
  using Layer = std::vector<Block>;

  std::vector<Layer> layers_;
  std::size_t blocks_ = 0;  ///< Of all layers.
  std::size_t room_ = 0;    ///< Left in the last layer.
};

}  // namespace headrace::rocks
