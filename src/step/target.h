#pragma once

#include <optional>
#include <string>

#include "core/key_template.h"
#include "core/object.h"
#include "step/step.h"
#include "store/store.h"

namespace headrace {

/// Where `copy` and `move` bring an object.
struct TargetConfig {
  /// A key template over the fields of the event's key and, where those have no such name: `key`
  /// (write {key...}), `filename` and `name` (its last segment), `stem` and `extension` (before and
  /// after the last dot of that; no extension if there is no dot).
  std::string to;
  std::string bucket;  ///< Empty: the object's own.
  std::string store;   ///< Empty: the object's own.
};

/// With a URL as `to` ("lake://bucket/by_type/{name}") taken apart. Throws kInvalid for one that is
/// none, or that says again what bucket or store say.
TargetConfig spelled_out(TargetConfig target);

struct Target {
  std::string store;
  ObjectKey key;
  bool operator==(const Target&) const = default;
};

class TargetTemplate {
 public:
  /// Throws kInvalid for a template that KeyTemplate refuses.
  explicit TargetTemplate(TargetConfig config);
  /// Throws kInvalid that names the fields there are.
  Target of(const TaskContext& context) const;

 private:
  TargetConfig config_;
  KeyTemplate to_;
};

/// Says what is wrong with a template, or nothing: for the spec of `to`.
std::string wrong_with_target(const std::string& to);

/// Copies `from` with its metadata and tags to `to`, marked as made by the task out of these very
/// bytes; streams if the stores differ. Within one store a writer in this very moment may get its
/// newer bytes copied; they have an event of their own.
enum class Transfer : unsigned char { kDone, kSourceChanged, kConditionLost };
struct Transferred {
  Transfer how = Transfer::kDone;
  Etag etag;  ///< Of the target, if kDone.
};
Task<Transferred> transfer(StepServices& services, const TaskContext& context, ObjectInfo from,
                           Target to, WriteCondition condition);

/// Did this task copy these bytes of `from` to `target` already?
bool is_transferred(const ObjectInfo& target, const ObjectInfo& from, const TaskContext& context);

}  // namespace headrace
