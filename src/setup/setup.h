#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "setup/outside.h"
#include "setup/resource.h"
#include "setup/state.h"
#include "setup/wanted.h"

namespace headrace::setup {

/// What a stack needs outside: what would change, change it, undo it.
///
/// apply and destroy may end at any point, also by kill -9, and be run again: what is about to be
/// made stands in the state before it is, and what is removed stays there until it is gone.
///
/// Errors   Those of outside.h; kConflict if two of them run at a time.
/// Threads  One executor.
class Setup {
 public:
  using Did = std::function<void(const Change&)>;

  /// `folder`: the stack's own on this machine. Throws kInvalid if the needs make no sense.
  Setup(const Needs& needs, Outside& outside, std::filesystem::path folder);

  /// Looks, changes nothing.
  Task<Plan> plan();
  /// Carries out what the last plan() said; `did` hears of each change when it is done. Throws
  /// kConflict, and does nothing, if the plan has problems.
  Task<> apply(Plan plan, Did did);

  /// All that apply made and is there, with what lies in the buckets.
  Task<Plan> plan_destroy();
  /// Removes it. Throws kInvalid, and does nothing, if a bucket has objects in it and
  /// `delete_objects` was not said.
  Task<> destroy(Plan plan, bool delete_objects, Did did);

 private:
  Task<> make(const Resource& resource);
  Task<> adopt();
  Task<> remove_bucket(const Resource& bucket);
  Task<> remove_state(bool bucket_too);
  std::vector<std::string> own_prefixes() const;

  std::string stack_;
  Wanted wanted_;
  Outside& outside_;
  std::unique_ptr<State> state_;  ///< Null if nothing is needed outside.
};

}  // namespace headrace::setup
