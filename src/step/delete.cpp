#include "step/delete.h"

#include "stack/spec.h"
#include "step/own_marks.h"

namespace headrace {
namespace {

class DeleteStep final : public Step {
 public:
  explicit DeleteStep(const StepServices& services) : services_(services) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("delete " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    Store& store = services_.stores.at(store_name(context));
    const auto info = co_await store.head(context.object);
    if (!info) co_return StepResult{Outcome::kDone, "the object was gone"};
    if (auto stop = hands_off(*info, context)) co_return *stop;
    if (co_await remove_unchanged(store, context.object, info->etag) == Removal::kChanged) {
      co_return StepResult{Outcome::kSuperseded, "the object changed since its event"};
    }
    co_return StepResult{};
  }

  StepServices services_;
};

}  // namespace

const stack::Spec<DeleteConfig>& delete_spec() {
  static const auto spec = stack::Spec<DeleteConfig>("delete step", "Deletes the object");
  return spec;
}

std::unique_ptr<Step> make_delete_step(const DeleteConfig&, const StepServices& services) {
  return std::make_unique<DeleteStep>(services);
}

}  // namespace headrace
