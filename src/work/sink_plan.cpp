#include "work/sink_plan.h"

#include <simdjson.h>

#include <algorithm>
#include <climits>

#include "core/error.h"
#include "core/json.h"

namespace headrace {

Bytes encode_plan(const SinkPlan& plan) {
  JsonWriter json;
  json.begin_object().key("version").number(1).key("group").string(plan.group);
  json.key("app_id").string(plan.app_id).key("seq").number(plan.seq);
  json.key("tasks").begin_array();
  for (const TaskId& task : plan.tasks) json.string(task.text());
  json.end_array().key("dead").begin_array();
  for (const NewDeadLetter& dead : plan.dead) {
    json.begin_object().key("route").number(static_cast<std::uint64_t>(dead.route));
    json.key("body").string(dead.body).key("error").string(dead.error);
    json.key("attempts").number(static_cast<std::uint64_t>(dead.attempts)).end_object();
  }
  json.end_array();
  if (!plan.sink.empty()) json.key("sink").string(plan.sink);
  json.end_object();
  return std::move(json).text();
}

SinkPlan decode_plan(BytesView bytes) {
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(bytes.data(), bytes.size());
    SinkPlan plan;
    plan.group = std::string(std::string_view(json["group"]));
    plan.app_id = std::string(std::string_view(json["app_id"]));
    plan.seq = std::uint64_t(json["seq"]);
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
    if (const auto sink = json["sink"]; sink.error() == simdjson::SUCCESS) {
      plan.sink = std::string(std::string_view(sink));
    }
    return plan;
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("a plan in the ledger is damaged: ") + error.what());
  }
}

}  // namespace headrace
