#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.h"
#include "step/temp_file.h"

namespace headrace {

/// Records sorted onto piles by name, of any size in bounded memory: once `memory_bytes` are held,
/// the largest piles go to one temporary file, packed (zstd). Records of a pile keep their order.
///
/// Limits   At most `piles`; memory about twice `memory_bytes`, plus some 300 bytes and the name
/// for
///          each pile and 24 bytes for each piece in the file.
/// Errors   kTransient for a disk that is full, as errno_error() has it.
/// Threads  One at a time; calls may block on the disk.
class RowPiles {
 public:
  struct Limits {
    std::uint64_t memory_bytes = 64u << 20;
    std::size_t piles = 10'000;
  };

  /// The file is made when it is first needed, and is removed with the object.
  RowPiles(std::filesystem::path file, Limits limits);

  /// The number of the pile of this name, made if it is new; nullopt if there are too many.
  std::optional<std::size_t> find(std::string_view name);
  /// Adds a record, the two parts joined.
  void add(std::size_t pile, BytesView head, BytesView tail);

  std::size_t size() const { return piles_.size(); }
  const std::string& name(std::size_t pile) const { return piles_[pile].name; }
  std::uint64_t records(std::size_t pile) const { return piles_[pile].records; }

  /// The next of a pile's bytes from front to back, in pieces of whole records; empty at the end.
  /// What was given is forgotten.
  Bytes next(std::size_t pile);

 private:
  struct Chunk {
    std::uint64_t offset;
    std::uint64_t stored;
  };
  struct Pile {
    std::string name;
    Bytes bytes;  // Those that are not in the file.
    std::vector<Chunk> chunks;
    std::size_t given = 0;  // Of the chunks.
    std::uint64_t records = 0;
  };

  void spill();

  std::filesystem::path path_;
  Limits limits_;
  std::vector<Pile> piles_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::uint64_t held_ = 0;
  std::optional<TempFile> file_;
};

}  // namespace headrace
