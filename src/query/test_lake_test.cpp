#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/json.h"
#include "core/random.h"
#include "query/test_lake.h"
#include "store/file/file_store.h"
#include "store/stores.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TestLake::TestLake()
    : root_(std::filesystem::path(testing::TempDir()) /
            fmt::format("headrace-query-{}", real_random().uuid())) {
  std::filesystem::create_directories(root_);
  lake_ = make_file_store({.path = root_.string()}, io_, real_clock());
  plain_ = make_file_store({.path = "/", .plain = true}, io_, real_clock());
  writer_ = std::make_unique<Engine>(QueryOptions{});
}

TestLake::~TestLake() {
  query_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

Task<std::optional<DataPlace>> TestLake::find(std::string name) {
  const auto found = named_.find(name);
  if (found == named_.end()) co_return std::nullopt;
  co_return found->second;
}

Task<std::vector<std::string>> TestLake::names() {
  std::vector<std::string> names;
  for (const auto& [name, place] : named_) names.push_back(name);
  co_return names;
}

DataPlace TestLake::locate(std::string_view text) {
  const StoreUrl url = parse_store_url(text);
  if (url.store == "lake") return {lake_.get(), url.object};
  if (url.store == "file") return {plain_.get(), url.object};
  throw Error(ErrorKind::kInvalid, "no store " + url.store);
}

Task<std::vector<ReadableObject>> TestLake::readable(Store& store, std::vector<ObjectKey> objects,
                                                     DataFormat) {
  std::vector<ReadableObject> paths;
  const std::string root = &store == lake_.get() ? root_.string() + "/" : "/";
  for (const ObjectKey& object : objects) paths.push_back({root + object.text()});
  co_return paths;
}

void TestLake::name(std::string name, ObjectKey place, DataFormat format) {
  named_[std::move(name)] = {.store = lake_.get(), .object = std::move(place), .format = format};
}

Crawl TestLake::crawl(const std::string& name, bool anew) {
  if (!query_) query();
  Crawl crawl = run_task(query_->crawl(name, anew));
  named_.at(name).kept = std::make_shared<const DatasetState>(crawl.state);
  return crawl;
}

void TestLake::write(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories((root_ / path).parent_path());
  std::ofstream(root_ / path, std::ios::binary) << bytes;
}

void TestLake::write_parquet(const std::string& path, const std::string& select) {
  std::filesystem::create_directories((root_ / path).parent_path());
  writer_->execute(
      fmt::format("COPY ({}) TO {} (FORMAT parquet)", select, sql_string((root_ / path).string())));
}

void TestLake::commit(const std::string& table, std::int64_t version, const std::string& actions) {
  write(fmt::format("{}/_delta_log/{:020}.json", table, version), actions);
}

Query& TestLake::query(QueryOptions options) {
  query_ = std::make_unique<Query>(std::move(options), *this, real_clock(), real_random());
  return *query_;
}

TestLake::Rows TestLake::rows(const std::string& sql) {
  if (!query_) query();
  const auto read = [&]() -> Task<Rows> {
    const auto result = co_await query_->run(sql);
    reports_ = result->sources();
    Rows rows;
    const std::size_t width = result->columns().size();
    while (const auto batch = co_await result->next()) {
      for (std::size_t row = 0; row < batch->rows; ++row) {
        auto& line = rows.emplace_back();
        for (std::size_t i = 0; i < width; ++i) {
          const Cell& cell = batch->cells[row * width + i];
          line.push_back(cell.kind == CellKind::kNull ? "NULL" : cell.text);
        }
      }
    }
    co_return rows;
  };
  return run_task(read());
}

std::vector<std::string> TestLake::lines(const std::string& sql) {
  std::vector<std::string> lines;
  for (const auto& row : rows(sql)) lines.push_back(fmt::format("{}", fmt::join(row, "|")));
  return lines;
}

std::string TestLake::error(const std::string& sql) {
  try {
    rows(sql);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error: " << sql;
  return "";
}

std::string delta_field(const std::string& name, const std::string& type) {
  return fmt::format(R"({{"name":{},"type":{},"nullable":true,"metadata":{{}}}})", json_text(name),
                     type.starts_with('{') ? type : json_text(type));
}

std::string delta_metadata(const std::vector<std::string>& fields,
                           const std::vector<std::string>& partition_by) {
  std::vector<std::string> partitions;
  for (const std::string& name : partition_by) partitions.push_back(json_text(name));
  const std::string schema =
      fmt::format(R"({{"type":"struct","fields":[{}]}})", fmt::join(fields, ","));
  return fmt::format(
      R"({{"protocol":{{"minReaderVersion":1,"minWriterVersion":2}}}})"
      "\n"
      R"({{"metaData":{{"id":"11111111-2222-3333-4444-555555555555","format":)"
      R"({{"provider":"parquet","options":{{}}}},"schemaString":{},"partitionColumns":[{}],)"
      R"("configuration":{{}},"createdTime":1700000000000}}}})"
      "\n",
      json_text(schema), fmt::join(partitions, ","));
}

std::string delta_add(const std::string& path, const std::string& partition,
                      const std::string& stats) {
  return fmt::format(
      R"({{"add":{{"path":{},"partitionValues":{},"size":1000,"modificationTime":1700000000000,)"
      R"("dataChange":true{}}}}})"
      "\n",
      json_text(path), partition, stats.empty() ? "" : ",\"stats\":" + json_text(stats));
}

}  // namespace headrace
