#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/bytes.h"

namespace headrace {

/// The rows of an object as JSON lines, whatever form it has: Parquet and ORC are told by their
/// first bytes, CSV by the object's name (.csv, .tsv, also packed: .csv.gz), because any text could
/// be CSV. All else passes through: JSON lines, documents, and what LinesToParquet then refuses.
///
/// `plain` gives unpacked bytes. `name` is the object's key. Parquet and ORC are read from their
/// ends, so that such an object is in memory as a whole: at most `file_bytes`, beyond it kInvalid.
/// Work is done on `cpu` if one is given (it outlives the source), else where read() is awaited.
std::unique_ptr<ByteSource> as_json_lines(std::unique_ptr<ByteSource> plain, std::string_view name,
                                          std::uint64_t file_bytes = 512u << 20,
                                          CpuPool* cpu = nullptr);

/// Is it a name of CSV: .csv, .tsv, and these with a packer's ending behind?
bool is_csv_name(std::string_view name);

}  // namespace headrace
