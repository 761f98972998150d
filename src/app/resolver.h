#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/object_cache.h"
#include "app/stack_file.h"
#include "query/resolver.h"
#include "store/stores.h"
#include "table/catalog.h"

namespace headrace {

/// Tells the SQL room where the stack's tables and datasets and any URL lie. `stack` and `catalog`
/// may be null: then only URLs resolve.
class StackResolver final : public TableResolver {
 public:
  /// `in_memory`: the stack's stores are no folders, whatever it says of them.
  StackResolver(const StackFile* stack, Catalog* catalog, Stores& stores, bool in_memory = false);

  Task<std::optional<DataPlace>> find(std::string name) override;
  Task<std::vector<std::string>> names() override;
  DataPlace locate(std::string_view url) override;
  Task<std::vector<ReadableObject>> readable(Store& store, std::vector<ObjectKey> objects,
                                             DataFormat format) override;

 private:
  /// The folder of a file store, with a slash at its end; none for other stores.
  std::optional<std::string> folder_of(const Store& store) const;
  std::string name_of(const Store& store) const;

  const StackFile* stack_;
  Catalog* catalog_;
  Stores& stores_;
  bool in_memory_;
  ObjectCache cache_;
};

}  // namespace headrace
