#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/json_edit.h"

namespace headrace {

/// The edits' paths as a tree: one node per field that a path goes through. Only json_edit*.cpp
/// look inside.
struct JsonEdits::Node {
  enum class Action : unsigned char {
    kNone,  ///< Only on the way to others.
    kSet,   ///< `text` is the value.
    kRemove,
    kRename,  ///< `text` is the new key with its quotes; `target` the sibling that must not be
              ///< there.
    kTarget,  ///< Nothing to do: the new name of a sibling.
  };

  std::string name;
  std::string key;  ///< The name as JSON, with its quotes.
  Action action = Action::kNone;
  std::string text;
  std::string added;  ///< The value that this field gets where it is absent; empty: none.
  std::size_t target = 0;
  std::vector<Node> children;        ///< In the order of the config.
  std::vector<std::size_t> by_name;  ///< Indexes into children.

  static constexpr std::size_t kNoChild = ~std::size_t{0};
  /// The child that a key of the text means; `raw` is without quotes, perhaps with escapes.
  std::size_t find(BytesView raw) const;
  std::size_t find_plain(BytesView name) const;
};

}  // namespace headrace
