#include "step/copy.h"

#include <fmt/format.h>

#include <utility>

#include "stack/spec.h"
#include "step/own_marks.h"

namespace headrace {
namespace {

class CopyStep final : public Step {
 public:
  CopyStep(const CopyConfig& config, const StepServices& services)
      : services_(services), target_(config) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("copy " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    const auto source = co_await services_.stores.at(store_name(context)).head(context.object);
    if (!source) co_return StepResult{Outcome::kGone, "the object is gone"};
    if (auto stop = hands_off(*source, context)) co_return *stop;
    context.etag = source->etag;
    const Target to = target_.of(context);
    if (to == Target{store_name(context), context.object}) {
      throw Error(ErrorKind::kInvalid, "the target is the object itself");
    }
    const auto there = co_await services_.stores.at(to.store).head(to.key);
    if (there && is_transferred(*there, *source, context)) {
      co_return StepResult{Outcome::kDone, "copied before"};
    }
    const auto copied = co_await transfer(services_, context, *source, to, {});
    if (copied.how == Transfer::kDone) co_return StepResult{};
    // The source vanished or changed since we looked: the next run tells which.
    throw Error(ErrorKind::kConflict, "the object changed while it was copied");
  }

  StepServices services_;
  TargetTemplate target_;
};

}  // namespace

const stack::Spec<CopyConfig>& copy_spec() {
  static const auto spec =
      stack::Spec<CopyConfig>("copy step", "Copies the object to another key, bucket or store")
          .field(
              "to", &CopyConfig::to,
              "Key template of the target; fields of the key, and key, filename, stem, extension",
              stack::required(), stack::example("\"archive/{key...}\""),
              stack::check(wrong_with_target))
          .field("bucket", &CopyConfig::bucket, "Bucket of the target; the object's if left out")
          .field("store", &CopyConfig::store, "Store of the target; the object's if left out");
  return spec;
}

std::unique_ptr<Step> make_copy_step(const CopyConfig& config, const StepServices& services) {
  return std::make_unique<CopyStep>(config, services);
}

}  // namespace headrace
