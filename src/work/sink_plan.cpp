#include "work/sink_plan.h"

#include <simdjson.h>

#include <algorithm>
#include <climits>

#include "core/error.h"
#include "core/json.h"

namespace headrace {

namespace {

constexpr std::uint64_t kVersion = 2;

/// A table's plan of version 1, as the sink writes it now (step/table_batch.h): it held no more
/// than who writes, and the number of the commit.
Bytes numbered_table(const std::string& group, simdjson::dom::element json) {
  JsonWriter sink;
  sink.begin_object().key("kind").string("tables").key("rows").number(std::uint64_t{0});
  sink.key("tables").begin_array().begin_object().key("table").string(group);
  sink.key("app_id").string(std::string_view(json["app_id"]));
  sink.key("seq").number(std::uint64_t(json["seq"]));
  sink.end_object().end_array().end_object();
  return std::move(sink).text();
}

}  // namespace

Bytes encode_plan(const SinkPlan& plan) {
  JsonWriter json;
  json.begin_object().key("version").number(kVersion).key("group").string(plan.group);
  json.key("tasks").begin_array();
  for (const TaskId& task : plan.tasks) json.string(task.text());
  json.end_array().key("dead").begin_array();
  for (const NewDeadLetter& dead : plan.dead) {
    json.begin_object().key("route").number(static_cast<std::uint64_t>(dead.route));
    json.key("body").string(dead.body).key("error").string(dead.error);
    json.key("attempts").number(static_cast<std::uint64_t>(dead.attempts)).end_object();
  }
  json.end_array().key("sink").string(plan.sink).end_object();
  return std::move(json).text();
}

SinkPlan decode_plan(BytesView bytes) {
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(bytes.data(), bytes.size());
    if (std::uint64_t(json["version"]) > kVersion) {
      throw Error(ErrorKind::kInvalid,
                  "a plan in the ledger was written by a newer version of the program: run that");
    }
    SinkPlan plan;
    plan.group = std::string(std::string_view(json["group"]));
    for (const auto task : json["tasks"].get_array()) {
      const auto id = TaskId::parse(std::string_view(task));
      if (!id) throw Error(ErrorKind::kCorrupt, "a plan in the ledger names no task");
      plan.tasks.push_back(*id);
    }
    for (const auto dead : json["dead"].get_array()) {
      std::uint64_t attempts = 1;
      if (const auto told = dead["attempts"]; told.error() == simdjson::SUCCESS) attempts = told;
      plan.dead.push_back({RouteId(std::uint64_t(dead["route"])),
                           std::string(std::string_view(dead["body"])), ErrorKind::kCorrupt,
                           std::string(std::string_view(dead["error"])),
                           static_cast<int>(std::min<std::uint64_t>(attempts, INT_MAX))});
    }
    const auto sink = json["sink"];
    plan.sink = sink.error() == simdjson::SUCCESS ? std::string(std::string_view(sink))
                                                  : numbered_table(plan.group, json);
    return plan;
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("a plan in the ledger is damaged: ") + error.what());
  }
}

}  // namespace headrace
