#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "table/table.h"

namespace headrace::delta {

/// A file that holds a deletion vector, and where in it.
struct VectorPlace {
  std::string path;          ///< Below the table's location, or absolute.
  std::uint64_t offset = 0;  ///< Of its length field.
  std::uint64_t length = 0;  ///< Of all: length field, bits and checksum.
};

/// Where the vector is stored; nullopt for an inline one. Throws kCorrupt for a descriptor that
/// makes no sense, and kInvalid for a way of storing that is not known.
std::optional<VectorPlace> place_of(const DeletionVector& vector);

/// The rows that the vector says are gone, rising. `stored` holds the bytes at place_of(), and is
/// not looked at for an inline vector. Pure.
///
/// Throws kCorrupt if the bytes are not what the descriptor says (length, checksum, number of rows,
/// layout), and kInvalid for more than 16 Mi rows.
std::vector<std::uint64_t> deleted_rows(const DeletionVector& vector, BytesView stored);

/// Z85, the base 85 of ZeroMQ; nullopt if the text is none.
std::optional<Bytes> decode_z85(std::string_view text);

}  // namespace headrace::delta
