#include "step/move.h"

#include <fmt/format.h>

#include <utility>

#include "stack/spec.h"
#include "step/own_marks.h"
#include "step/whole_body.h"

namespace headrace {
namespace {

/// Do both sources give the same bytes? Holds a piece of each.
Task<bool> equal_bytes(ByteSource& left, ByteSource& right) {
  Bytes one;
  Bytes other;
  while (true) {
    if (one.empty()) one = co_await left.read();
    if (other.empty()) other = co_await right.read();
    if (one.empty() || other.empty()) co_return one.empty() && other.empty();
    const std::size_t common = std::min(one.size(), other.size());
    if (BytesView(one).substr(0, common) != BytesView(other).substr(0, common)) co_return false;
    one.erase(0, common);
    other.erase(0, common);
  }
}

class MoveStep final : public Step {
 public:
  MoveStep(const MoveConfig& config, const StepServices& services)
      : services_(services), target_(config), overwrite_(config.overwrite) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("move " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    Store& store = services_.stores.at(store_name(context));
    const auto source = co_await store.head(context.object);
    if (source) {
      if (auto stop = hands_off(*source, context)) co_return *stop;
    }
    const Target to = target_.of(context);
    if (to == Target{store_name(context), context.object}) {
      throw Error(ErrorKind::kInvalid, "the target is the object itself");
    }
    auto there = co_await services_.stores.at(to.store).head(to.key);
    if (!source) {
      if (!there || !own_marks(*there, context).by_task) {
        co_return StepResult{Outcome::kGone, "the object is gone"};
      }
      co_return go_on(context, to, there->etag);
    }
    const auto etag = co_await bring(context, *source, to, std::move(there));
    if (!etag) co_return StepResult{Outcome::kSuperseded, "the object changed while it was moved"};
    if (co_await remove_unchanged(store, source->key, source->etag) == Removal::kChanged) {
      co_return StepResult{Outcome::kSuperseded, "the object changed while it was moved"};
    }
    co_return go_on(context, to, *etag);
  }

  /// Sees to it that the target holds the source's bytes; nullopt if the source changed.
  Task<std::optional<Etag>> bring(const TaskContext& context, const ObjectInfo& source,
                                  const Target& to, std::optional<ObjectInfo> there) {
    WriteCondition condition;
    if (!there) {
      condition.if_absent = true;
    } else {
      if (is_transferred(*there, source, context)) co_return there->etag;
      const bool ours = overwrite_ || own_marks(*there, context).by_task;
      if (!ours) {
        if (co_await same_bytes(context, source, to, *there)) co_return there->etag;
        throw Error(ErrorKind::kInvalid,
                    fmt::format("{} is there already with other bytes; remove it, or set "
                                "`overwrite: true`",
                                to.key.text()));
      }
      condition.if_match = there->etag;
    }
    const auto moved = co_await transfer(services_, context, source, to, std::move(condition));
    if (moved.how == Transfer::kDone) co_return moved.etag;
    if (moved.how == Transfer::kSourceChanged) co_return std::nullopt;
    throw Error(ErrorKind::kConflict,
                fmt::format("{} was written while the object was moved there", to.key.text()));
  }

  Task<bool> same_bytes(const TaskContext& context, const ObjectInfo& source, const Target& to,
                        const ObjectInfo& there) {
    if (source.size != there.size) co_return false;
    auto left = co_await services_.stores.at(store_name(context))
                    .get(source.key, {.range = {}, .if_match = source.etag});
    auto right = co_await services_.stores.at(to.store).get(there.key,
                                                            {.range = {}, .if_match = there.etag});
    if (!left || !right) co_return false;
    const auto one = whole_body(std::move(left->body), source.size);
    const auto other = whole_body(std::move(right->body), there.size);
    co_return co_await equal_bytes(*one, *other);
  }

  static StepResult go_on(TaskContext& context, const Target& to, const Etag& etag) {
    context.object = to.key;
    context.store = to.store;
    context.etag = etag;
    return {};
  }

  StepServices services_;
  TargetTemplate target_;
  bool overwrite_;
};

}  // namespace

const stack::Spec<MoveConfig>& move_spec() {
  static const auto spec =
      stack::Spec<MoveConfig>("move step", "Moves the object to another key, bucket or store")
          .field(
              "to", &MoveConfig::to,
              "Key template of the target; fields of the key, and key, filename, stem, extension",
              stack::required(), stack::example("\"analyzed/{filename}\""),
              stack::check(wrong_with_target))
          .field("bucket", &MoveConfig::bucket, "Bucket of the target; the object's if left out")
          .field("store", &MoveConfig::store, "Store of the target; the object's if left out")
          .field("overwrite", &MoveConfig::overwrite,
                 "Replace what is at the target; without it, other bytes there are an error");
  return spec;
}

std::unique_ptr<Step> make_move_step(const MoveConfig& config, const StepServices& services) {
  return std::make_unique<MoveStep>(config, services);
}

}  // namespace headrace
