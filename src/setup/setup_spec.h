#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "stack/spec.h"

namespace headrace {

/// A bucket that `apply` makes beside those that sources, tables and steps name, or one of those
/// with more said of it.
struct SetupBucketStanza {
  std::string store;
  std::string name;
  bool versioning = false;
};

/// Where SQS puts messages that were received too often.
struct SetupDeadLettersStanza {
  std::string queue;
  int receives = 5;
};

/// How the events of one source get from the store to it.
struct SetupSourceStanza {
  std::optional<bool> removals;  ///< Absent: if a route asks for them.
  std::string topic;
  std::string push_to;
  std::string arn;
  std::optional<Duration> visibility;
  std::optional<Duration> keep;
  std::optional<SetupDeadLettersStanza> dead_letters;
};

struct SetupStateStanza {
  std::string store;
  std::string bucket;
};

/// `setup:` in the stack file.
struct SetupStanza {
  std::optional<SetupStateStanza> state;
  std::vector<SetupBucketStanza> buckets;
  std::map<std::string, stack::Positioned<SetupSourceStanza>> sources;
};

inline const stack::Spec<SetupSourceStanza>& setup_source_spec() {
  static const auto dead =
      stack::Spec<SetupDeadLettersStanza>("queue for dead letters",
                                          "Where SQS puts what was received too often")
          .field("queue", &SetupDeadLettersStanza::queue, "Its name; it is made too",
                 stack::required())
          .field("receives", &SetupDeadLettersStanza::receives, "After this many receives",
                 stack::at_least(1), stack::at_most(1000));
  static const auto spec =
      stack::Spec<SetupSourceStanza>("source set-up", "How events get from the store to a source")
          .field("removals", &SetupSourceStanza::removals,
                 "Tell of removed objects too; absent: if a route matches them")
          .field("topic", &SetupSourceStanza::topic,
                 "Topic between store and source: S3 -> SNS -> SQS; with push_to its name on Ceph")
          .field("push_to", &SetupSourceStanza::push_to,
                 "URL by which a store that pushes (Ceph) reaches the source",
                 stack::example("http://10.0.0.5:8480/events/incoming"), stack::secret())
          .field("arn", &SetupSourceStanza::arn,
                 "What the store's operator calls the target in bucket notifications (MinIO)",
                 stack::example("arn:minio:sqs::H1:webhook"))
          .field("visibility", &SetupSourceStanza::visibility, "The queue's visibility timeout",
                 stack::at_least(std::chrono::seconds(1)), stack::at_most(std::chrono::hours(12)))
          .field("keep", &SetupSourceStanza::keep, "How long the queue keeps a message",
                 stack::at_least(std::chrono::minutes(1)),
                 stack::at_most(std::chrono::hours(24 * 14)))
          .field("dead_letters", &SetupSourceStanza::dead_letters, "The queue's redrive policy",
                 dead);
  return spec;
}

inline const stack::Spec<SetupStanza>& setup_spec() {
  static const auto bucket =
      stack::Spec<SetupBucketStanza>("set-up bucket", "A bucket that apply makes")
          .field("store", &SetupBucketStanza::store, "Name of a store of kind s3",
                 stack::required())
          .field("name", &SetupBucketStanza::name, "The bucket", stack::required())
          .field("versioning", &SetupBucketStanza::versioning, "Turn versioning on");
  static const auto state =
      stack::Spec<SetupStateStanza>("set-up state", "Where apply keeps what it made")
          .field("store", &SetupStateStanza::store, "Name of a store of kind s3", stack::required())
          .field("bucket", &SetupStateStanza::bucket, "The bucket", stack::required());
  static const auto spec =
      stack::Spec<SetupStanza>("setup", "What plan, apply and destroy know beside the rest")
          .field("state", &SetupStanza::state,
                 "Absent: the first bucket of the stack on a store of kind s3", state)
          .field("buckets", &SetupStanza::buckets, "More buckets, or more said of one", bucket)
          .field("sources", &SetupStanza::sources, "By the source's name", setup_source_spec());
  return spec;
}

}  // namespace headrace
