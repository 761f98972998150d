#pragma once

#include <string>

#include "core/bytes.h"
#include "core/json.h"
#include "table/delta/actions.h"

namespace headrace::delta {

/// Reads a commit file: one JSON object per line. Unknown actions and fields are passed over; null
/// counts as absent. Throws kCorrupt naming the line for what is no JSON or lacks a field that the
/// table cannot be told without.
Commit parse_commit(BytesView text);

/// What `_last_checkpoint` says; nullopt if it is broken in any way, since it is only a hint.
struct LastCheckpoint {
  std::int64_t version = 0;
  std::uint64_t size = 0;  ///< Actions.
  std::uint64_t size_in_bytes = 0;
  std::uint64_t num_of_add_files = 0;
};
std::optional<LastCheckpoint> parse_last_checkpoint(BytesView text);
std::string last_checkpoint_json(const LastCheckpoint& hint);

// Actions as lines of a commit file, each with its line end.
std::string protocol_line(const Protocol& protocol);
std::string metadata_line(const Metadata& metadata);
std::string add_line(const AddFile& add);
/// The extended form, if the partition values and the size are known.
std::string remove_line(const RemoveFile& remove);
std::string transaction_line(const Transaction& transaction);

/// {"name": "text" or null, ...}, where the writer stands: partition values, properties.
void write_nullable_texts(JsonWriter& json, const NullableTexts& values);

}  // namespace headrace::delta
