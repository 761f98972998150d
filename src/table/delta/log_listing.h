#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace headrace::delta {

/// What one name below `_delta_log/` says it is.
struct LogName {
  enum class Kind : unsigned char { kCommit, kCheckpoint, kOther };
  Kind kind = Kind::kOther;
  std::int64_t version = -1;
  // Of a checkpoint:
  std::uint32_t part = 1;
  std::uint32_t parts = 1;
  bool by_uuid = false;  ///< A V2 checkpoint with a name of its own.
};
LogName parse_log_name(std::string_view name);

/// "00000000000000000007.json" and so on.
std::string commit_name(std::int64_t version);
std::string checkpoint_name(std::int64_t version);

/// A commit file that is there. `at` is the store's time, made to rise from version to version.
struct CommitFile {
  std::int64_t version = 0;
  Time at;
};

/// One checkpoint of which all parts are there.
struct CheckpointFiles {
  std::int64_t version = 0;
  Time at;
  std::vector<std::string> names;
};

/// Gathers the names of a log, as they come in bytewise order, into commits and checkpoints.
class LogListing {
 public:
  void add(std::string_view name, Time modified);

  const std::vector<CommitFile>& commits() const { return commits_; }
  bool empty() const { return commits_.empty() && checkpoints_.empty(); }
  /// The oldest version that can still be told, and the newest. Not for an empty listing.
  std::int64_t oldest() const;
  std::int64_t newest() const;
  /// The newest complete checkpoint not above `most`.
  std::optional<CheckpointFiles> checkpoint(std::int64_t most) const;

 private:
  /// Parts of one version and one number of parts; a V2 checkpoint stands alone.
  struct Group {
    Time at;
    std::map<std::uint32_t, std::string> parts;
    std::uint32_t wanted = 1;
  };
  std::vector<CommitFile> commits_;
  std::map<std::int64_t, std::map<std::string, Group>> checkpoints_;
};

/// The version from which on a log must be kept to tell every version after `cutoff`, and the one
/// that was the newest then: that of a complete checkpoint. nullopt if all is needed.
std::optional<std::int64_t> first_needed(const LogListing& listing, Time cutoff);

/// Does a name in the log say only what is before that version? True of commits, checkpoints and
/// their parts, checksums and compacted commits; false of whatever else.
bool belongs_before(std::string_view name, std::int64_t version);

}  // namespace headrace::delta
