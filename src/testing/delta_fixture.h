#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "table/delta/delta_table.h"
#include "table/delta/log_listing.h"
#include "table/delta/schema_json.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/refusal.h"
#include "testing/run_task.h"

namespace headrace::delta {

inline Schema columns(std::initializer_list<std::pair<const char*, const char*>> list) {
  Schema schema;
  for (const auto& [name, type] : list) {
    Field field;
    field.name = name;
    field.type = *parse_primitive(type);
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

/// A table at lake/people of a store that fails when told to. For tests.
class DeltaTableTest : public testing::Test {
 protected:
  DeltaTableTest() : store_(make_memory_store(clock_), clock_, 1) {}

  std::unique_ptr<Table> open(TableOptions options = {}) {
    return open_delta_table(store_, "lake", "people", std::move(options), clock_, random_);
  }
  Append rows(std::string app, std::uint64_t seq, std::string path = "") {
    Append append{.app_id = app, .seq = seq, .schema = columns({{"a", "long"}}), .files = {}};
    if (path.empty()) path = app + std::to_string(seq);
    append.files.push_back({.path = path, .partition = {}, .size = 10, .rows = 2, .stats = ""});
    return append;
  }
  AppendResult append(Table& table, Append append) {
    clock_.advance(std::chrono::seconds(1));
    return run_task(table.append(std::move(append)));
  }
  std::string get(const std::string& path) {
    return run_task(read_object(store_, {"lake", "people/" + path}, 1u << 30)).value_or("(none)");
  }
  void put(const std::string& path, std::string text) {
    run_task(store_.put({"lake", "people/" + path}, std::move(text)));
  }
  void remove(const std::string& path) { run_task(store_.remove({"lake", "people/" + path}, {})); }
  std::string commit(std::int64_t version) { return get("_delta_log/" + commit_name(version)); }
  void put_commit(std::int64_t version, std::string text) {
    put("_delta_log/" + commit_name(version), std::move(text));
  }
  void fault(StoreFault::Kind kind, StoreCall call, std::string key, std::uint64_t times = 1) {
    store_.add({.kind = kind, .call = call, .key = std::move(key), .times = times});
  }

  static std::vector<std::string> paths(const Snapshot& snapshot) {
    std::vector<std::string> out;
    for (const TableFile& file : snapshot.files) out.push_back(file.path);
    return out;
  }

  ManualClock clock_;
  SeededRandom random_{7};
  FaultStore store_;
};

}  // namespace headrace::delta
