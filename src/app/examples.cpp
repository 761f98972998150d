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

constexpr std::array kExamples{
    ExampleStack{"events-to-table", "JSON lines in a folder become rows of a Delta table",
                 kEventsToTable},
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
