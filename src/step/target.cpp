#include "step/target.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "core/hash.h"
#include "step/own_marks.h"
#include "step/whole_body.h"

namespace headrace {
namespace {

/// The effect of copying: equal for equal bytes of one source.
std::uint64_t effect_of(const ObjectInfo& from) {
  return hash64(from.etag.value, hash64(from.key.path, hash64(from.key.bucket)));
}

KeyFields fields_of(const TaskContext& context) {
  KeyFields fields = context.event.key_fields;
  const std::string& key = context.object.path;
  const std::string filename = key.substr(key.rfind('/') + 1);
  const std::size_t dot = filename.rfind('.');
  const bool has_dot = dot != std::string::npos && dot > 0;
  fields.emplace("key", key);
  fields.emplace("filename", filename);
  fields.emplace("name", filename);
  fields.emplace("stem", has_dot ? filename.substr(0, dot) : filename);
  if (has_dot) fields.emplace("extension", filename.substr(dot + 1));
  return fields;
}

/// Between two stores: whoever replaces the source meanwhile, what was found is what is written.
Task<Transferred> stream_over(Store& source, Store& target, ObjectInfo from, ObjectKey to,
                              PutOptions options) {
  auto object = co_await source.get(from.key, {.range = {}, .if_match = from.etag});
  const auto tags = co_await source.tags(from.key);
  if (!object || !tags) co_return Transferred{Transfer::kSourceChanged, {}};
  options.metadata.insert(object->info.metadata.begin(), object->info.metadata.end());
  options.tags = *tags;
  const auto body = whole_body(std::move(object->body), object->info.size);
  const auto etag = co_await target.put_stream(to, *body, std::move(options));
  co_return etag ? Transferred{Transfer::kDone, *etag} : Transferred{Transfer::kConditionLost, {}};
}

}  // namespace

TargetTemplate::TargetTemplate(TargetConfig config)
    : config_(std::move(config)), to_(KeyTemplate::parse(config_.to)) {}

Target TargetTemplate::of(const TaskContext& context) const {
  const KeyFields fields = fields_of(context);
  Target target{config_.store.empty() ? store_name(context) : config_.store,
                {config_.bucket.empty() ? context.object.bucket : config_.bucket, {}}};
  try {
    target.key.path = to_.build(fields);
  } catch (const Error& error) {
    std::vector<std::string> names;
    for (const auto& [name, value] : fields) names.push_back(name);
    throw Error(error.kind(),
                fmt::format("{}; there are the fields {}", error.what(), fmt::join(names, ", ")));
  }
  return target;
}

TargetConfig spelled_out(TargetConfig target) {
  const std::string& to = target.to;
  const std::size_t colon = to.find("://");
  if (colon == std::string::npos || to.find('{') < colon) return target;
  const std::size_t slash = to.find('/', colon + 3);
  if (colon == 0 || slash == std::string::npos || slash == colon + 3 || slash + 1 == to.size() ||
      to.find('{') < slash) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("`{}`: expected store://bucket/ and a key template", to));
  }
  if (!target.store.empty() || !target.bucket.empty()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("`{}` names store and bucket: leave out the keys of these names", to));
  }
  return {.to = to.substr(slash + 1),
          .bucket = to.substr(colon + 3, slash - colon - 3),
          .store = to.substr(0, colon)};
}

std::string wrong_with_target(const std::string& to) {
  try {
    KeyTemplate::parse(to);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

Task<Transferred> transfer(StepServices& services, const TaskContext& context, ObjectInfo from,
                           Target to, WriteCondition condition) {
  Store& source = services.stores.at(store_name(context));
  Store& target = services.stores.at(to.store);
  std::vector<std::uint64_t> effects = own_marks(from, context).effects;
  effects.push_back(effect_of(from));
  PutOptions options;
  options.condition = std::move(condition);
  options.metadata = from.metadata;
  mark_own(options.metadata, to.key, context, effects);
  if (&source != &target) {
    co_return co_await stream_over(source, target, std::move(from), to.key, std::move(options));
  }
  const auto etag = co_await source.copy(from.key, to.key, std::move(options));
  if (etag) co_return Transferred{Transfer::kDone, *etag};
  const auto now = co_await source.head(from.key);
  const bool same = now && now->etag == from.etag;
  co_return Transferred{same ? Transfer::kConditionLost : Transfer::kSourceChanged, {}};
}

bool is_transferred(const ObjectInfo& target, const ObjectInfo& from, const TaskContext& context) {
  return own_marks(target, context).has(effect_of(from));
}

}  // namespace headrace
