#include "setup/setup.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/crash_point.h"
#include "core/error.h"

namespace headrace::setup {
namespace {

/// Probes of conditional writes leave versions and marks of deletion in versioned buckets.
constexpr const char* kProbes = ".headrace/probe-";

std::string contents_text(const Contents& contents) {
  std::string text = fmt::format("{} objects", contents.objects);
  if (contents.versions > 0) {
    text += fmt::format(", {} older versions and delete markers", contents.versions);
  }
  if (contents.uploads > 0) text += fmt::format(", {} unfinished uploads", contents.uploads);
  return text + fmt::format(", {} bytes", contents.bytes);
}

}  // namespace

Setup::Setup(const Needs& needs, Outside& outside, std::filesystem::path folder)
    : stack_(needs.stack), wanted_(work_out(needs)), outside_(outside) {
  if (!wanted_.state) return;
  state_ = std::make_unique<State>(outside_.store(wanted_.state->store), *wanted_.state, stack_,
                                   std::move(folder));
}

std::vector<std::string> Setup::own_prefixes() const { return {state_->prefix(), kProbes}; }

Task<Plan> Setup::plan() {
  if (!state_) {
    Plan plan;
    plan.notes = wanted_.notes;
    co_return plan;
  }
  co_await outside_.tries([&] { return state_->load(); });
  std::map<std::string, Seen> seen;
  for (const Resource& resource : wanted_.resources) {
    seen[resource.key()] = co_await outside_.look(resource);
  }
  for (const Made& made : state_->made()) {
    if (seen.contains(made.resource.key())) continue;
    seen[made.resource.key()] = co_await outside_.look(made.resource);
  }
  Plan plan = diff(wanted_.resources, seen, state_->made());
  plan.notes.insert(plan.notes.begin(), wanted_.notes.begin(), wanted_.notes.end());
  co_return plan;
}

Task<> Setup::adopt() {
  // The state's bucket was made by an apply that ended before it could write so.
  if (state_->known() && !state_->stored()) {
    const Resource bucket{Kind::kBucket, state_->place().store, state_->place().bucket};
    const Seen seen = co_await outside_.look(bucket);
    if (seen.there) {
      state_->note(bucket, true);
      co_await state_->save();
    }
    state_->unmark();
  }
  for (const Made& made : std::vector(state_->made())) {
    if (made.sure) continue;
    const Seen seen = co_await outside_.look(made.resource);
    if (seen.there) {
      state_->note(made.resource, true);
    } else {
      state_->forget(made.resource);
    }
  }
}

Task<> Setup::make(const Resource& resource) {
  const bool home = state_->is_home(resource);
  if (home) {
    state_->mark();
  } else {
    state_->note(resource, false);
    co_await state_->save();
  }
  crash_point("setup.intended");
  std::exception_ptr failure;
  try {
    co_await outside_.ensure(resource);
  } catch (const Error&) {
    failure = std::current_exception();
  }
  crash_point("setup.made");
  if (!failure) {
    state_->note(resource, true);
    if (home) {
      co_await state_->save();
      state_->unmark();
    }
    co_return;
  }
  // What was refused whole is nobody's; what was made and not finished is ours.
  Seen seen;
  try {
    seen = co_await outside_.look(resource);
  } catch (const Error&) {
    seen.there = false;
  }
  if (home && !seen.there) state_->unmark();
  if (!home && !seen.there) {
    state_->forget(resource);
    co_await state_->save();
  }
  std::rethrow_exception(failure);
}

Task<> Setup::apply(Plan plan, Did did) {
  if (!plan.problems.empty()) {
    throw Error(ErrorKind::kConflict, fmt::format("{}", fmt::join(plan.problems, "\n")));
  }
  if (!state_) co_return;
  co_await adopt();
  for (const Change& change : plan.changes) {
    if (change.action == Action::kAdd) {
      co_await make(change.resource);
    } else if (change.action == Action::kChange) {
      co_await outside_.ensure(change.resource);
    } else {
      co_await outside_.remove(change.resource);
      state_->forget(change.resource);
    }
    did(change);
  }
  co_await state_->save();
}

Task<Plan> Setup::plan_destroy() {
  Plan plan;
  if (!state_) co_return plan;
  co_await outside_.tries([&] { return state_->load(); });
  std::vector<Made> made = state_->made();
  const Resource home{Kind::kBucket, state_->place().store, state_->place().bucket};
  if (!state_->stored() && state_->known()) made.push_back({home, true});
  for (auto it = made.rbegin(); it != made.rend(); ++it) {
    const Resource& resource = it->resource;
    const Seen seen = co_await outside_.look(resource);
    if (!seen.there) continue;
    Change change{Action::kRemove, resource, {}};
    if (resource.kind == Kind::kBucket) {
      const Contents contents =
          co_await outside_.contents(resource.home, resource.name, own_prefixes());
      if (!contents.empty()) change.what["holds"] = contents_text(contents);
    }
    plan.changes.push_back(std::move(change));
  }
  // The bucket that has the state goes last.
  const auto last = std::ranges::find_if(
      plan.changes, [&](const Change& change) { return state_->is_home(change.resource); });
  if (last != plan.changes.end()) std::rotate(last, last + 1, plan.changes.end());
  co_return plan;
}

Task<> Setup::remove_bucket(const Resource& bucket) {
  for (const std::string& prefix : own_prefixes()) {
    co_await outside_.remove_prefix(bucket.home, bucket.name, prefix);
  }
  co_await outside_.remove(bucket);
}

Task<> Setup::remove_state(bool bucket_too) {
  const SetupStateStanza& place = state_->place();
  if (!bucket_too) {
    co_await outside_.remove_prefix(place.store, place.bucket, state_->prefix());
    co_return;
  }
  state_->mark();
  crash_point("setup.unmade");
  co_await remove_bucket({Kind::kBucket, place.store, place.bucket});
  state_->unmark();
}

Task<> Setup::destroy(Plan plan, bool delete_objects, Did did) {
  if (!state_ || !state_->known()) co_return;
  std::string full;
  for (const Change& change : plan.changes) {
    if (change.what.empty()) continue;
    full += fmt::format("{} holds {}\n", change.resource.text(), change.what.at("holds"));
  }
  if (!full.empty() && !delete_objects) {
    throw Error(ErrorKind::kInvalid,
                full + "nothing was removed; empty them, or say --delete-objects");
  }
  bool home = false;
  for (const Change& change : plan.changes) {
    const Resource& resource = change.resource;
    if (resource.kind == Kind::kBucket && delete_objects) {
      co_await outside_.clear(resource.home, resource.name, own_prefixes());
    }
    if (state_->is_home(resource)) {
      home = true;
      continue;
    }
    if (resource.kind == Kind::kBucket) {
      co_await remove_bucket(resource);
    } else {
      co_await outside_.remove(resource);
    }
    state_->forget(resource);
    co_await state_->save();
    crash_point("setup.removed");
    did(change);
  }
  co_await remove_state(home);
  if (home) did(plan.changes.back());
}

}  // namespace headrace::setup
