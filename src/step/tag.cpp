#include "step/tag.h"

#include <utility>

#include "step/own_marks.h"

namespace headrace {
namespace {

class TagStep final : public Step {
 public:
  TagStep(const TagConfig& config, const StepServices& services)
      : services_(services), tags_(config.tags) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("tag " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    Store& store = services_.stores.at(store_name(context));
    const StepResult gone{Outcome::kGone, "the object is gone"};
    const auto info = co_await store.head(context.object);
    if (!info) co_return gone;
    if (auto stop = hands_off(*info, context)) co_return *stop;
    const auto before = co_await store.tags(context.object);
    if (!before) co_return gone;
    Tags after = tags_;
    after.insert(before->begin(), before->end());
    if (after != *before && !co_await store.set_tags(context.object, std::move(after))) {
      co_return gone;
    }
    context.etag = info->etag;
    co_return StepResult{};
  }

  StepServices services_;
  Tags tags_;
};

}  // namespace

std::unique_ptr<Step> make_tag_step(const TagConfig& config, const StepServices& services) {
  if (config.tags.empty() || config.tags.contains("")) {
    throw Error(ErrorKind::kInvalid, "a tag step needs tags, each with a name");
  }
  return std::make_unique<TagStep>(config, services);
}

}  // namespace headrace
