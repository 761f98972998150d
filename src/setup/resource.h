#pragma once

#include <map>
#include <string>
#include <vector>

namespace headrace::setup {

/// In the order in which they are made; removed the other way.
enum class Kind : unsigned char {
  kBucket,
  kQueue,
  kTopic,
  kPermission,
  kSubscription,
  kRule,
};
std::string_view to_string(Kind kind);

/// What a thing outside is like, in words that can be compared and shown: "visibility" -> "60s".
using Settings = std::map<std::string, std::string, std::less<>>;

/// One thing that a stack needs outside.
///
///   kind           home        name          id             settings
///   bucket         store       bucket                       versioning
///   queue          services    queue                        visibility keep dead_letters
///   topic          services    topic                        push_to
///   permission     services    queue, topic  statement      on sender
///   subscription   services    topic         queue
///   rule           store       bucket        rule           events prefix suffix to
///
/// `services` is "endpoint region" of an SQS and its SNS, or "store NAME" for topics of the store
/// itself (Ceph).
struct Resource {
  Kind kind = Kind::kBucket;
  std::string home;
  std::string name;
  std::string id{};
  Settings settings{};
  std::string via{};  ///< Rules and permissions: the services of the other side.

  /// Names one thing among all of a stack.
  std::string key() const;
  /// "queue landing": for people.
  std::string text() const;
};

/// A thing as it was found.
struct Seen {
  bool there = false;
  Settings settings{};
  std::string problem{};  ///< Why it can't be made as wanted; names what stands in the way.
};

/// A thing that the state says we made, or were about to make.
struct Made {
  Resource resource;  ///< Without settings.
  bool sure = false;  ///< False: the intent was written, the outcome was not.
};

enum class Action : unsigned char { kAdd, kChange, kRemove };

struct Change {
  Action action = Action::kAdd;
  Resource resource;
  /// Setting -> "30s -> 60s" of a change; as wanted for an addition.
  Settings what{};

  /// "~ queue landing: visibility 30s -> 60s"
  std::string text() const;
};

struct Plan {
  std::vector<Change> changes;
  std::vector<std::string> notes;     ///< What is not ours to make, and what to do about it.
  std::vector<std::string> problems;  ///< Why apply would fail.

  std::size_t count(Action action) const;
  /// "2 to add, 1 to change, 0 to remove."
  std::string summary() const;
};

/// What has to happen so that what is there becomes what is wanted. `seen` has an entry for every
/// key of `wanted` and `made`. Things made that are wanted no longer are removed, but buckets:
/// those stay, and a note says so.
Plan diff(const std::vector<Resource>& wanted, const std::map<std::string, Seen>& seen,
          const std::vector<Made>& made);

}  // namespace headrace::setup
