#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "format/lines_to_parquet.h"
#include "query/query.h"
#include "query/table_rewriter.h"
#include "store/file/file_store.h"
#include "table/table.h"
#include "testing/refusal.h"
#include "testing/run_task.h"
#include "testing/temp_folder.h"

namespace headrace {

/// For tests of upkeep/: a table at lake/t of a folder, rows put in as JSON lines, read back as
/// SQL.
class UpkeepTest : public testing::Test, public TableResolver {
 protected:
  UpkeepTest() : store_(make_file_store({.path = folder_.path()}, io_, real_clock())) {
    reopen({});
  }

  // TableResolver
  Task<std::optional<DataPlace>> find(std::string name) override {
    if (name != "t") co_return std::nullopt;
    co_return DataPlace{store_.get(), {"lake", "t"}, DataFormat::kDelta};
  }
  Task<std::vector<std::string>> names() override { co_return std::vector<std::string>{"t"}; }
  DataPlace locate(std::string_view) override { return {}; }
  Task<std::vector<ReadableObject>> readable(Store&, std::vector<ObjectKey> objects,
                                             DataFormat) override {
    opened_ += objects.size();
    if (const auto before = std::exchange(before_reading_, {})) co_await before();
    std::vector<ReadableObject> paths;
    for (const ObjectKey& object : objects) paths.push_back({folder_ / object.text()});
    co_return paths;
  }

  void reopen(TableOptions options) {
    partition_by_ = options.partition_by;
    table_ = open_table(*store_, {"lake", "t"}, real_clock(), real_random(), std::move(options));
  }

  /// One commit of one file per partition.
  Task<> add(std::string lines) {
    ConvertOptions options;
    options.partition_by = partition_by_;
    if (const auto snapshot = co_await table_->snapshot()) options.schema = snapshot->schema;
    LinesToParquet convert(options);
    convert.begin_object();
    convert.write(lines);
    convert.end_object();
    std::vector<ParquetFile> files = convert.finish();
    Append append{.app_id = "test", .seq = ++seq_, .schema = convert.schema(), .files = {}};
    for (ParquetFile& file : files) {
      NewFile added{.path = table_->new_data_path(file.partition),
                    .partition = file.partition,
                    .size = file.bytes.size(),
                    .rows = file.rows,
                    .stats = file.stats};
      co_await store_->put(table_->key_of(added.path), std::move(file.bytes));
      append.files.push_back(std::move(added));
    }
    co_await table_->append(std::move(append));
  }

  /// Rows as one line each, values joined by "|", read by a Query that knows nothing of upkeep.
  std::vector<std::string> rows(const std::string& sql) {
    Query query({}, *this, real_clock(), real_random());
    const auto result = run_task(query.run(sql));
    std::vector<std::string> out;
    while (const auto batch = run_task(result->next())) {
      const std::size_t width = result->columns().size();
      for (std::size_t i = 0; i < batch->cells.size(); ++i) {
        if (i % width == 0) out.emplace_back();
        const Cell& cell = batch->cells[i];
        out.back() += (i % width == 0 ? "" : "|") +
                      (cell.kind == CellKind::kNull ? std::string("NULL") : cell.text);
      }
    }
    return out;
  }

  Snapshot snapshot() { return run_task(table_->snapshot()).value(); }
  std::vector<std::string> paths() {
    std::vector<std::string> out;
    for (const TableFile& file : snapshot().files) out.push_back(file.path);
    return out;
  }
  std::string commit(std::int64_t version) {
    const auto bytes = run_task(
        read_object(*store_, {"lake", fmt::format("t/_delta_log/{:020}.json", version)}, 1u << 30));
    return bytes.value_or("(none)");
  }
  /// Is there a file in the folder where new files lie before they are uploaded?
  bool left_something() const {
    return std::filesystem::exists(folder_ / "scratch") &&
           !std::filesystem::is_empty(folder_ / "scratch");
  }

  TempFolder folder_;
  boost::asio::thread_pool io_{1};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Table> table_;
  std::vector<std::string> partition_by_;
  std::uint64_t seq_ = 0;
  std::size_t opened_ = 0;                  // Files whose paths were asked for.
  std::function<Task<>()> before_reading_;  // Runs once, when files are about to be read.
  TableRewriter rewriter_{{}, *this, real_random(), folder_ / "scratch"};
};

}  // namespace headrace
