#pragma once

#include <duckdb.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "query/engine_types.h"
#include "query/object_files.h"
#include "query/query.h"
#include "query/render.h"

namespace headrace {

/// The engine's message as our Error: the kind follows from its first words ("Binder Error: ...").
Error engine_error(std::string_view message);

/// `text` as an SQL string literal, and as a quoted name.
std::string sql_string(std::string_view text);
std::string sql_name(std::string_view name);

class EngineRows;

/// One DuckDB database in memory with one connection, locked down: no extension is fetched or
/// loaded by itself, no secret is kept, memory, threads and spilling are bounded.
///
/// Threads  Calls come one at a time, from any thread; interrupt() at any time.
class Engine {
 public:
  explicit Engine(const QueryOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Runs statements for their effect.
  void execute(const std::string& sql);
  /// Runs one statement with text parameters $1, $2, ... and gives all its rows: for few.
  std::vector<std::vector<Cell>> rows(const std::string& sql,
                                      const std::vector<std::string>& parameters = {});
  /// Runs one statement up to its first rows. The next statement ends it.
  std::unique_ptr<EngineRows> stream(const std::string& sql);
  /// Runs one statement and shows each chunk of its rows as it comes. No other statement meanwhile.
  void stream_chunks(const std::string& sql, const std::function<void(duckdb_data_chunk)>& use);
  /// Runs one statement, and shows each chunk of its rows once all are there: for few.
  void each_chunk(const std::string& sql, const std::function<void(duckdb_data_chunk)>& use);
  /// SET VARIABLE name = [values...]: how long lists of text reach SQL without being parsed.
  void set_list(const std::string& name, const std::vector<std::optional<std::string>>& values);

  /// Is it a statement, or several, as far as words tell?
  bool parses(const std::string& sql);
  /// Tables that one statement names and that are no CTEs of its own; none if the engine cannot
  /// say.
  std::vector<std::string> table_names(const std::string& sql);

  /// Ends what runs now, and all that is started before allow() is called, with kCancelled.
  void interrupt();
  void allow();

  /// The objects that this engine reads by ranges. What a store throws meanwhile comes out of the
  /// statement as it is.
  ObjectFiles& objects() const { return *objects_; }

  /// How much of what runs now is done, 0 to 1, as far as the engine can say. Any thread.
  std::optional<double> progress() const;

  duckdb_connection connection() const { return connection_; }

 private:
  friend class EngineRows;
  void throw_if_stopped() const;
  /// Work of the engine, whose failure may be a stop or a store's.
  template <class Work>
  std::invoke_result_t<Work&> ask(Work work) const;
  duckdb_result start(const std::string& sql);
  duckdb_data_chunk fetch(duckdb_result& result) const;

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  std::atomic<bool> stopped_ = false;
  bool may_write_ = false;
  std::shared_ptr<ObjectFiles> objects_ = std::make_shared<ObjectFiles>();
};

/// The rows of a statement, chunk by chunk.
class EngineRows {
 public:
  EngineRows(Engine& engine, duckdb_result result);
  ~EngineRows();
  EngineRows(const EngineRows&) = delete;
  EngineRows& operator=(const EngineRows&) = delete;

  const std::vector<Column>& columns() const { return columns_; }
  std::optional<RowBatch> next();

 private:
  Engine& engine_;
  duckdb_result result_;
  std::vector<EngineType> types_;
  std::vector<Column> columns_;
};

}  // namespace headrace
