#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "event/event.h"
#include "store/store.h"

namespace headrace {

/// Reads fields out of a key; nullopt: an object with this key is no event of the source. No
/// function at all takes every key and reads nothing. The engine's comes from core/key_template.h.
using KeyMatcher = std::function<std::optional<KeyFields>(std::string_view key)>;

/// What the events of one source have in common.
struct EventOrigin {
  std::string source;    ///< Its name in the stack.
  std::string store;     ///< The store it looks at.
  std::string producer;  ///< "watch", "listing".
};

/// The key's fields, or nullopt if it is no event of the source. Our own objects below ".headrace/"
/// never are: a wide pattern would take them for data.
std::optional<KeyFields> match_key(const KeyMatcher& matcher, std::string_view key);

/// An object is there: its time is that of its last change.
Event created_event(const EventOrigin& origin, ObjectInfo object, KeyFields fields, Random& random);
/// An object is gone.
Event deleted_event(const EventOrigin& origin, ObjectKey object, KeyFields fields, Time time,
                    Random& random);

}  // namespace headrace
