#include "app/resolver.h"

#include "core/error.h"

namespace headrace {

StackResolver::StackResolver(const StackFile* stack, Catalog* catalog, Stores& stores)
    : stack_(stack), catalog_(catalog), stores_(stores) {}

Task<std::optional<DataPlace>> StackResolver::find(std::string name) {
  if (stack_ == nullptr) co_return std::nullopt;
  const auto dataset = stack_->datasets.find(name);
  if (dataset != stack_->datasets.end()) {
    const DatasetConfig& config = *dataset->second;
    co_return DataPlace{&stores_.at(config.store), {config.bucket, config.prefix}, config.format};
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

Task<std::vector<std::string>> StackResolver::readable_paths(Store& store,
                                                             std::vector<ObjectKey> objects) {
  const std::string root = folder_of(store);
  std::vector<std::string> paths;
  paths.reserve(objects.size());
  for (const ObjectKey& object : objects) paths.push_back(root + object.text());
  co_return paths;
}

std::string StackResolver::folder_of(const Store& store) const {
  if (&store == &stores_.at(kPlainFiles)) return "/";
  if (stack_ != nullptr) {
    for (const auto& [name, stanza] : stack_->stores) {
      if (&store != &stores_.at(name)) continue;
      return std::get<FileStoreStanza>(*stanza).path.string() + "/";
    }
  }
  throw Error(ErrorKind::kInvalid, "SQL cannot read objects of this store");
}

DataPlace StackResolver::locate(std::string_view url) {
  const StoreUrl parsed = parse_store_url(url);
  return {&stores_.at(parsed.store), parsed.object, DataFormat::kAuto};
}

}  // namespace headrace
