#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/key_template.h"
#include "stack/spec.h"

namespace headrace {

/// What every source has: where to look and what its keys say.
struct SourceFields {
  std::string store;
  std::string bucket;
  std::string prefix;
  std::optional<KeyTemplate> key;  ///< Keys of another shape are no events of this source.
};

struct WatchStanza : SourceFields {};

struct ListingStanza : SourceFields {
  std::optional<Duration> every;  ///< Absent: once.
};

template <class Config>
stack::Spec<Config> source_spec(std::string name, std::string doc) {
  return stack::Spec<Config>(std::move(name), std::move(doc))
      .field("store", &Config::store, "Name of the store", stack::required())
      .field("bucket", &Config::bucket, "Bucket to look at", stack::required())
      .field("prefix", &Config::prefix, "Only keys that start with this")
      .field("key", &Config::key, "Key template: the fields of each key; other keys are not taken",
             stack::example("events/{event_type}/dt={date}/{name}.jsonl"));
}

inline const stack::Spec<WatchStanza>& watch_spec() {
  static const auto spec = source_spec<WatchStanza>(
      "watch source", "Objects as they land in or leave a file store, at once (inotify)");
  return spec;
}

inline const stack::Spec<ListingStanza>& listing_spec() {
  static const auto spec =
      source_spec<ListingStanza>("listing source", "Objects found by listing a prefix")
          .field("every", &ListingStanza::every, "List again this often; absent means once",
                 stack::at_least(std::chrono::seconds(1)));
  return spec;
}

}  // namespace headrace
