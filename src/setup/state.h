#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "setup/resource.h"
#include "setup/setup_spec.h"
#include "store/s3/s3_store.h"

namespace headrace::setup {

/// What apply made, as JSON; docs/formats/setup-state.md.
std::string write_state(const std::string& stack, const std::vector<Made>& made);
/// Throws kCorrupt for what is none, and kInvalid for one of a newer program.
std::vector<Made> read_state(std::string_view text);

/// The state of a stack in its bucket, and beside it, on this machine, a marker for the two moments
/// at which the bucket is ours while there is no state in it: before the first write and after the
/// last.
///
/// Errors   kConflict if another process wrote the state since it was loaded.
/// Threads  One executor.
class State {
 public:
  State(S3Store& store, SetupStateStanza place, std::string stack, std::filesystem::path folder);

  /// Reads what there is. The bucket may be missing.
  Task<> load();
  /// Is there a state, or a marker that says the bucket is ours?
  bool known() const { return etag_.has_value() || marked_; }
  bool stored() const { return etag_.has_value(); }

  const std::vector<Made>& made() const { return made_; }
  const Made* find(const Resource& resource) const;
  void note(const Resource& resource, bool sure);
  void forget(const Resource& resource);
  /// Writes what was noted and forgotten, if there is any.
  Task<> save();

  /// The bucket is about to be made, or its state about to be removed.
  void mark();
  void unmark();

  const SetupStateStanza& place() const { return place_; }
  /// All keys of this stack's own begin with it.
  std::string prefix() const { return ".headrace/" + stack_ + "/"; }
  bool is_home(const Resource& bucket) const;

 private:
  ObjectKey key() const { return {place_.bucket, prefix() + "setup.json"}; }

  S3Store& store_;
  SetupStateStanza place_;
  std::string stack_;
  std::filesystem::path marker_;
  std::vector<Made> made_;
  std::optional<Etag> etag_;
  bool changed_ = false;
  bool marked_ = false;
};

}  // namespace headrace::setup
