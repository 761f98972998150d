#include "app/examples.h"

#include <array>

namespace headrace {
namespace {

constexpr std::string_view kEventsToTable =
    R"(# JSON lines that land in ./buckets/inbox/events/ become rows of a Delta table.
#   mkdir -p buckets/inbox/events && cp some.jsonl buckets/inbox/events/
#   headrace run --once && headrace sql "select * from events limit 10"
version: 1
name: events-to-table
state: ./state
stores:
  lake: { kind: file, path: ./buckets }
sources:
  landing: { kind: watch, store: lake, bucket: inbox, prefix: events/ }
tables:
  events: { store: lake, location: tables/events, commit: { every: 5s } }
routes:
  load:
    from: landing
    match: { size: { ">": 0 } }
    steps: [ { table: events } ]
)";

constexpr std::string_view kScheduledUpdate =
    R"(# Objects that land in ./buckets/inbox/ are changed in place after a while, once.
version: 1
name: scheduled-update
state: ./state
stores:
  lake: { kind: file, path: ./buckets }
sources:
  landing: { kind: watch, store: lake, bucket: inbox, key: "{name}.jsonl" }
routes:
  blank-email:
    from: landing
    match: { size: { ">": 0 } }
    after: 5m
    steps:
      - edit: { set: { email: "" } }
      - tag: { processed: "true" }
)";

constexpr std::string_view kBucketToTable =
    R"(# JSON lines that land in a bucket become rows of a Delta table in the same bucket.
# Credentials come from where AWS tools take them: AWS_ACCESS_KEY_ID and so on, ~/.aws, a role.
# AWS_ENDPOINT_URL says where the store is, unless it is Amazon's.
#   headrace doctor; headrace apply     look at what is there; make what is missing
#   headrace run --once && headrace sql "select * from events limit 10"
version: 1
name: bucket-to-table
state: ./state
stores:
  lake: { kind: s3, endpoint: "${env:AWS_ENDPOINT_URL:-}" }
sources:
  landing: { kind: listing, store: lake, bucket: inbox, prefix: events/, every: 30s }
  # At once, where there is SQS; `headrace apply` makes the queue and the bucket's notification:
  # landing: { kind: sqs, queue: landing, store: lake, bucket: inbox, prefix: events/ }
tables:
  events: { store: lake, location: inbox/tables/events, commit: { every: 5s } }
routes:
  load:
    from: landing
    match: { size: { ">": 0 } }
    steps: [ { table: events } ]
)";

constexpr std::array kExamples{
    ExampleStack{"events-to-table", "JSON lines in a folder become rows of a Delta table",
                 kEventsToTable},
    ExampleStack{"bucket-to-table", "the same in a bucket of an S3-compatible store",
                 kBucketToTable},
    ExampleStack{"scheduled-update", "objects are changed in place some time after they land",
                 kScheduledUpdate}};

}  // namespace

std::span<const ExampleStack> example_stacks() { return kExamples; }

const ExampleStack* find_example(std::string_view name) {
  for (const ExampleStack& example : kExamples) {
    if (example.name == name) return &example;
  }
  return nullptr;
}

}  // namespace headrace
