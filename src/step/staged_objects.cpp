#include "step/staged_objects.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/crash_point.h"
#include "core/json.h"
#include "step/own_marks.h"
#include "step/side_by_side.h"
#include "step/temp_file.h"

namespace headrace {
namespace {

constexpr std::string_view kKind = "objects";
constexpr std::size_t kSideBySide = 8;

}  // namespace

Bytes StagedObjects::encode(const Plan& plan) {
  JsonWriter json;
  json.begin_object().key("kind").string(kKind).key("file").string(plan.file);
  json.key("store").string(plan.store).key("bucket").string(plan.bucket);
  json.key("objects").begin_array();
  for (const Object& object : plan.objects) {
    json.begin_array().string(object.key).number(object.offset).number(object.size).end_array();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

std::optional<StagedObjects::Plan> StagedObjects::decode(const Bytes& bytes) {
  if (bytes.empty()) return std::nullopt;
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(bytes.data(), bytes.size());
    if (std::string_view(json["kind"]) != kKind) return std::nullopt;
    Plan plan{.file = std::string(std::string_view(json["file"])),
              .store = std::string(std::string_view(json["store"])),
              .bucket = std::string(std::string_view(json["bucket"])),
              .objects = {}};
    for (const auto object : json["objects"].get_array()) {
      plan.objects.push_back({std::string(std::string_view(object.at(0))),
                              std::uint64_t(object.at(1)), std::uint64_t(object.at(2))});
    }
    return plan;
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorKind::kCorrupt,
                std::string("a plan of objects in the ledger is damaged: ") + error.what());
  }
}

StagedObjects::StagedObjects(std::filesystem::path folder, std::string route, StepServices services)
    : folder_(std::move(folder)), route_(std::move(route)), services_(services) {}

Task<> StagedObjects::put(const Plan& plan, const Object& object) {
  const ObjectKey key{plan.bucket, object.key};
  PutOptions options;
  mark_sink_output(options.metadata, key, route_);
  const auto part = file_part(folder_ / plan.file, object.offset, object.size, services_.cpu);
  co_await services_.stores.at(plan.store).put_stream(key, *part, std::move(options));
  crash_point("repartition.put");
}

Task<> StagedObjects::put_all(Plan plan) {
  auto put_one = [&](std::size_t i) { return put(plan, plan.objects[i]); };
  co_await side_by_side(services_.executor, plan.objects.size(), kSideBySide, put_one);
}

/// Which of the objects are there.
Task<std::vector<bool>> StagedObjects::look(const Plan& plan) {
  std::vector<bool> there(plan.objects.size());
  auto look_at = [&](std::size_t i) -> Task<> {
    const auto found =
        co_await services_.stores.at(plan.store).head({plan.bucket, plan.objects[i].key});
    there[i] = found && found->size == plan.objects[i].size;  // The key is nobody else's.
  };
  co_await side_by_side(services_.executor, there.size(), kSideBySide, look_at);
  co_return there;
}

Task<bool> StagedObjects::resolve(Plan plan) {
  if (!services_.stores.contains(plan.store)) co_return false;
  std::string why;
  try {
    std::vector<bool> there = co_await look(plan);
    const auto count = static_cast<std::size_t>(std::ranges::count(there, true));
    if (count == there.size()) co_return true;
    if (!std::filesystem::exists(folder_ / plan.file)) {
      auto take_away = [&](std::size_t i) -> Task<> {
        if (!there[i]) co_return;
        co_await services_.stores.at(plan.store).remove({plan.bucket, plan.objects[i].key});
      };
      co_await side_by_side(services_.executor, there.size(), kSideBySide, take_away);
      co_return false;
    }
    auto put_missing = [&](std::size_t i) -> Task<> {
      if (!there[i]) co_await put(plan, plan.objects[i]);
    };
    co_await side_by_side(services_.executor, there.size(), kSideBySide, put_missing);
    co_return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kBug) throw;
    why = error.what();
    if (error.kind() == ErrorKind::kTransient) throw;
  }
  // The store refuses for good. As long as nothing is to be seen the batch may fail as a whole.
  const std::vector<bool> there = co_await look(plan);
  const auto count = static_cast<std::size_t>(std::ranges::count(there, true));
  if (count == 0) co_return false;
  throw Error(
      ErrorKind::kTransient,
      fmt::format("{} of {} objects of a batch are in {}://{}, and the others cannot be put: "
                  "{}",
                  count, there.size(), plan.store, plan.bucket, why));
}

void StagedObjects::forget(const Plan& plan) const {
  std::error_code ignored;  // Swept up by the next process then.
  std::filesystem::remove(folder_ / plan.file, ignored);
}

void StagedObjects::sweep_once() {
  if (std::exchange(swept_, true)) return;
  remove_leftovers(folder_, "", ".objects");
  remove_leftovers(folder_, "", ".rows");
}

}  // namespace headrace
