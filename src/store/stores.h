#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "store/store.h"

namespace headrace {

/// "lake://bucket/key" taken apart. The key may be empty (a bucket) or end in "/" (a prefix).
struct StoreUrl {
  std::string store;
  ObjectKey object;
};

/// Throws kInvalid that shows the text and the expected form.
StoreUrl parse_store_url(std::string_view text);

/// The stores of a process by name. Filled once at start, then read by any thread.
class Stores {
 public:
  void add(std::string name, std::unique_ptr<Store> store);
  /// Throws kInvalid naming the stores there are.
  Store& at(std::string_view name) const;
  bool contains(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<Store>, std::less<>> stores_;
};

}  // namespace headrace
