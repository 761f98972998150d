#pragma once

#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/engine.h"
#include "query/query.h"
#include "query/resolver.h"
#include "store/store.h"

namespace headrace {

/// For this room's tests: a folder as a store, with Delta tables whose logs are written by hand so
/// that every field is the test's own, and a Query over it.
class TestLake final : public TableResolver {
 public:
  /// Rows as text, null as "NULL".
  using Rows = std::vector<std::vector<std::string>>;

  TestLake();
  ~TestLake() override;

  // TableResolver
  Task<std::optional<DataPlace>> find(std::string name) override;
  Task<std::vector<std::string>> names() override;
  DataPlace locate(std::string_view url) override;
  Task<std::vector<ReadableObject>> readable(Store& store, std::vector<ObjectKey> objects,
                                             DataFormat format) override;

  std::filesystem::path root() const { return root_; }
  /// Names a place of the store for find().
  void name(std::string name, ObjectKey place, DataFormat format);
  /// The place of a name, to be changed.
  DataPlace& place(const std::string& name) { return named_.at(name); }
  /// Crawls a dataset and keeps what was found for find().
  Crawl crawl(const std::string& name, bool anew = false);

  /// Writes a file below the root.
  void write(const std::string& path, std::string_view bytes);
  /// Writes the rows of a SELECT as Parquet below the root.
  void write_parquet(const std::string& path, const std::string& select);
  /// Writes version `version` of the table in a folder below the root: actions as JSON lines.
  void commit(const std::string& table, std::int64_t version, const std::string& actions);

  Query& query(QueryOptions options = {});
  /// Runs one statement on query(), or on the Query made last.
  Rows rows(const std::string& sql);
  /// The same as one line per row, values joined by "|".
  std::vector<std::string> lines(const std::string& sql);
  /// What the last rows() read of its first source.
  const SourceReport& report() const { return reports_.at(0); }
  const std::vector<SourceReport>& reports() const { return reports_; }
  /// The message of the Error that a statement ends with; fails the test if it ends well.
  std::string error(const std::string& sql);

 private:
  std::filesystem::path root_;
  boost::asio::thread_pool io_{1};
  std::unique_ptr<Store> lake_;
  std::unique_ptr<Store> plain_;
  std::map<std::string, DataPlace> named_;
  std::unique_ptr<Engine> writer_;
  std::unique_ptr<Query> query_;
  std::vector<SourceReport> reports_;
};

/// A column of a Delta schema: {"name":...,"type":...,"nullable":true,"metadata":{}}; `type` is a
/// primitive's name or JSON.
std::string delta_field(const std::string& name, const std::string& type);
/// The protocol and metaData actions of a table.
std::string delta_metadata(const std::vector<std::string>& fields,
                           const std::vector<std::string>& partition_by = {});
/// An add action; `partition` and `stats` are JSON objects, `stats` may be empty.
std::string delta_add(const std::string& path, const std::string& partition = "{}",
                      const std::string& stats = "");

}  // namespace headrace
