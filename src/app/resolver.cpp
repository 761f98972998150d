#include "app/resolver.h"

#include <cstdlib>
#include <filesystem>

#include "app/dataset_files.h"
#include "core/error.h"

namespace headrace {
namespace {

constexpr std::uint64_t kMostCached = std::uint64_t{4} << 30;

/// Beside the stack's other state; without a stack, the user's own.
std::filesystem::path cache_folder(const StackFile* stack) {
  if (stack != nullptr) return stack->state / "cache" / "objects";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".cache" / "headrace" / "objects";
}

}  // namespace

StackResolver::StackResolver(const StackFile* stack, Catalog* catalog, Stores& stores,
                             bool in_memory)
    : stack_(stack),
      catalog_(catalog),
      stores_(stores),
      in_memory_(in_memory),
      cache_(cache_folder(stack), kMostCached) {}

Task<std::optional<DataPlace>> StackResolver::find(std::string name) {
  if (stack_ == nullptr) co_return std::nullopt;
  const auto dataset = stack_->datasets.find(name);
  if (dataset != stack_->datasets.end()) {
    const DatasetConfig& config = *dataset->second;
    co_return DataPlace{.store = &stores_.at(config.store),
                        .object = {config.bucket, config.prefix},
                        .format = config.format,
                        .columns = config.columns,
                        .kept = load_dataset_state(*stack_, name)};
  }
  const auto place = catalog_->locate(name);
  if (!place) co_return std::nullopt;
  co_return DataPlace{&stores_.at(place->store), place->object, DataFormat::kDelta};
}

Task<std::vector<std::string>> StackResolver::names() {
  if (stack_ == nullptr) co_return std::vector<std::string>{};
  std::vector<std::string> names = co_await catalog_->names();
  for (const auto& [name, dataset] : stack_->datasets) names.push_back(name);
  co_return names;
}

Task<std::vector<ReadableObject>> StackResolver::readable(Store& store,
                                                          std::vector<ObjectKey> objects,
                                                          DataFormat format) {
  const auto root = folder_of(store);
  if (!root) {
    co_return co_await cache_.fetch(store, name_of(store), std::move(objects),
                                    format == DataFormat::kParquet);
  }
  std::vector<ReadableObject> files;
  files.reserve(objects.size());
  for (const ObjectKey& object : objects) files.push_back({*root + object.text()});
  co_return files;
}

std::optional<std::string> StackResolver::folder_of(const Store& store) const {
  if (stores_.contains(kPlainFiles) && &store == &stores_.at(kPlainFiles)) return "/";
  if (stack_ == nullptr || in_memory_) return std::nullopt;
  const auto stanza = stack_->stores.find(name_of(store));
  if (stanza == stack_->stores.end()) return std::nullopt;
  const auto* file = std::get_if<FileStoreStanza>(&*stanza->second);
  return file ? std::optional(file->path.string() + "/") : std::nullopt;
}

std::string StackResolver::name_of(const Store& store) const {
  for (const std::string& name : stores_.names()) {
    if (&store == &stores_.at(name)) return name;
  }
  throw Error(ErrorKind::kBug, "a store without a name");
}

DataPlace StackResolver::locate(std::string_view url) {
  const StoreUrl parsed = parse_store_url(url);
  return {&stores_.at(parsed.store), parsed.object, DataFormat::kAuto};
}

}  // namespace headrace
