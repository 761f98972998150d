#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "query/query.h"
#include "step/table.h"
#include "store/file/file_store.h"
#include "testing/fault_store.h"
#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {

/// Objects in lake/in, and the table t that they are loaded into; its rows are read by SQL.
class TableSinkFixture : public testing::Test, public TableResolver {
 protected:
  TableSinkFixture() {
    auto faults = std::make_unique<FaultStore>(
        make_file_store({.path = folder_.path()}, io_, real_clock()), real_clock(), 1);
    store_ = faults.get();
    stores_.add("lake", std::move(faults));
  }

  /// A catalog and a sink as a fresh process has them.
  void restart(FollowConfig follow) {
    sink_.reset();
    TableConfig config;
    config.name = "t";
    config.store = "lake";
    config.location = "tables/" + folder_of_t_;
    catalog_ = std::make_unique<Catalog>(stores_, std::vector<TableConfig>{config}, real_clock(),
                                         real_random(), silent_log(), nullptr);
    TableSinkLimits limits;
    limits.follow = follow;
    limits.object_column = true;
    limits.line_column = true;
    if (follow.any()) {
      limits.rows.emplace(TableObjects::Services{.resolver = *this,
                                                 .random = real_random(),
                                                 .engine = {},
                                                 .scratch = folder_ / "scratch"});
    }
    sink_ = make_table_sink(
        "t", *catalog_,
        {loop_.get_executor(), stores_, io_, real_clock(), real_random(), self_writes_}, limits);
  }

  // TableResolver
  Task<std::optional<DataPlace>> find(std::string) override {
    co_return DataPlace{store_, {"tables", folder_of_t_}, DataFormat::kDelta};
  }
  Task<std::vector<std::string>> names() override { co_return std::vector<std::string>{"t"}; }
  DataPlace locate(std::string_view) override { return {}; }
  Task<std::vector<ReadableObject>> readable(Store&, std::vector<ObjectKey> objects,
                                             DataFormat) override {
    std::vector<ReadableObject> paths;
    for (const ObjectKey& object : objects) paths.push_back({folder_ / object.text()});
    opened_ += paths.size();
    co_return paths;
  }

  /// Writes an object; gives the event of it.
  Event put(const std::string& key, const std::string& lines) {
    const auto etag = run(store_->put({"in", key}, lines));
    return event(key, EventKind::kCreated, *etag, lines.size());
  }
  Event remove(const std::string& key) {
    run(store_->remove({"in", key}, {}));
    return event(key, EventKind::kDeleted, std::nullopt, 0);
  }
  static Event event(const std::string& key, EventKind kind, std::optional<Etag> etag,
                     std::uint64_t size) {
    Event event;
    event.id = real_random().uuid();
    event.kind = kind;
    event.store = "lake";
    event.object = {"in", key};
    event.etag = std::move(etag);
    event.size = size;
    return event;
  }

  template <class T>
  T run(Task<T> task) {
    return step_kit::await(loop_, std::move(task));
  }

  std::unique_ptr<Sink::Prepared> prepare(std::vector<Event> events) {
    return run(sink_->prepare("t", "app", std::move(events)));
  }
  std::string commit(Sink::Prepared& prepared) { return run(sink_->commit(prepared)); }
  /// One batch from its events to its version; how each event came out.
  std::vector<Outcome> batch(std::vector<Event> events) {
    const auto prepared = prepare(std::move(events));
    if (!prepared->empty) commit(*prepared);
    std::vector<Outcome> outcomes;
    for (const Sink::Item& item : prepared->items) {
      EXPECT_FALSE(item.failed) << item.failed->what();
      outcomes.push_back(item.result.outcome);
    }
    return outcomes;
  }
  std::vector<std::string> rows(const std::string& columns = "n") {
    Query query({}, *this, real_clock(), real_random());
    const auto result = run(query.run("SELECT " + columns + " FROM t ORDER BY ALL"));
    std::vector<std::string> out;
    while (const auto some = run(result->next())) {
      for (std::size_t i = 0; i < some->rows; ++i) out.push_back(some->cells[i].text);
    }
    return out;
  }
  std::int64_t version() { return run(catalog_->open("t").snapshot())->version; }
  std::vector<std::string> files() {
    std::vector<std::string> out;
    const auto snapshot = run(catalog_->open("t").snapshot());
    for (const TableFile& file : snapshot->files) out.push_back(file.path);
    return out;
  }

  TempFolder folder_;
  boost::asio::io_context loop_;
  boost::asio::thread_pool io_{2};
  Stores stores_;
  FaultStore* store_ = nullptr;
  step_kit::AnnouncedWrites self_writes_;
  std::string folder_of_t_ = "t";
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Sink> sink_;
  std::size_t opened_ = 0;
};

}  // namespace headrace
