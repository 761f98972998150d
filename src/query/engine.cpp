#include "query/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "query/engine_cells.h"
#include "query/sql_effects.h"

namespace headrace {
namespace {

struct DestroyConfig {
  void operator()(duckdb_config config) const { duckdb_destroy_config(&config); }
};
struct DestroyPrepared {
  void operator()(duckdb_prepared_statement statement) const { duckdb_destroy_prepare(&statement); }
};
struct DestroyExtracted {
  void operator()(duckdb_extracted_statements statements) const {
    duckdb_destroy_extracted(&statements);
  }
};
struct DestroyPending {
  void operator()(duckdb_pending_result pending) const { duckdb_destroy_pending(&pending); }
};
struct DestroyType {
  void operator()(duckdb_logical_type type) const { duckdb_destroy_logical_type(&type); }
};
struct DestroyValue {
  void operator()(duckdb_value value) const { duckdb_destroy_value(&value); }
};
struct DestroyChunk {
  void operator()(duckdb_data_chunk chunk) const { duckdb_destroy_data_chunk(&chunk); }
};
template <class Handle, class Destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy>;

using Prepared = Owned<duckdb_prepared_statement, DestroyPrepared>;

/// Which first words of a message mean something other than "the statement or its data is wrong".
constexpr std::pair<std::string_view, ErrorKind> kKinds[] = {
    {"INTERRUPT Error", ErrorKind::kCancelled},
    {"Out of Memory Error", ErrorKind::kTransient},
    {"IO Error", ErrorKind::kTransient},
    {"HTTP Error", ErrorKind::kTransient},
    {"Connection Error", ErrorKind::kTransient},
    {"INTERNAL Error", ErrorKind::kBug},
    {"FATAL Error", ErrorKind::kBug},
};

Owned<duckdb_config, DestroyConfig> make_config(const QueryOptions& options) {
  duckdb_config raw = nullptr;
  if (duckdb_create_config(&raw) == DuckDBError) {
    throw Error(ErrorKind::kBug, "the SQL engine has no configuration");
  }
  Owned<duckdb_config, DestroyConfig> config(raw);
  const std::string temp = options.temp_folder.string();
  const std::pair<const char*, std::string> settings[] = {
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"allow_persistent_secrets", "false"},
      {"memory_limit", fmt::format("{}B", options.memory_bytes)},
      {"threads", fmt::format("{}", options.threads)},
      {"temp_directory", temp},
      {"max_temp_directory_size", fmt::format("{}B", temp.empty() ? 0 : options.temp_bytes)},
  };
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(raw, name, value.c_str()) == DuckDBError) {
      throw Error(ErrorKind::kBug, fmt::format("the SQL engine refuses {} = {}", name, value));
    }
  }
  return config;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

Prepared prepare(duckdb_connection connection, const std::string& sql) {
  duckdb_prepared_statement raw = nullptr;
  const duckdb_state state = duckdb_prepare(connection, sql.c_str(), &raw);
  Prepared prepared(raw);
  if (state == DuckDBError) {
    const char* message = duckdb_prepare_error(raw);
    throw engine_error(message ? message : "the statement cannot be prepared");
  }
  return prepared;
}

void bind(duckdb_prepared_statement statement, idx_t index, duckdb_value owned) {
  const Owned<duckdb_value, DestroyValue> value(owned);
  if (duckdb_bind_value(statement, index, value.get()) == DuckDBError) {
    const char* message = duckdb_prepare_error(statement);
    throw engine_error(message ? message : "a parameter does not fit");
  }
}

EngineType column_type(duckdb_logical_type owned) {
  const Owned<duckdb_logical_type, DestroyType> type(owned);
  return engine_type(type.get());
}

/// The statement again with the columns that we cannot read cast to text; empty if there are none.
/// Only a SELECT can be wrapped, and only a SELECT gives such columns.
std::string with_readable_columns(duckdb_prepared_statement statement, const std::string& sql) {
  if (duckdb_prepared_statement_type(statement) != DUCKDB_STATEMENT_TYPE_SELECT) return "";
  std::string names;
  std::string casts;
  bool any = false;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
    const bool opaque =
        column_type(duckdb_prepared_statement_column_logical_type(statement, i)).opaque();
    any = any || opaque;
    const char* name = duckdb_prepared_statement_column_name(statement, i);
    names += fmt::format("{}c{}", i > 0 ? ", " : "", i);
    casts += fmt::format("{}{} AS {}", i > 0 ? ", " : "",
                         opaque ? fmt::format("CAST(c{} AS VARCHAR)", i) : fmt::format("c{}", i),
                         sql_name(name ? name : ""));
    duckdb_free(const_cast<char*>(name));
  }
  if (!any) return "";
  return fmt::format("SELECT {} FROM (\n{}\n) AS opaque({})", casts, sql, names);
}

/// What writes or loads although its text did not say so. Of several statements in one, those
/// before the last are the engine's own doing.
void refuse_hidden_write(duckdb_prepared_statement statement) {
  switch (duckdb_prepared_statement_type(statement)) {
    case DUCKDB_STATEMENT_TYPE_COPY:
    case DUCKDB_STATEMENT_TYPE_EXPORT:
    case DUCKDB_STATEMENT_TYPE_LOAD:
    case DUCKDB_STATEMENT_TYPE_ATTACH:
      throw Error(ErrorKind::kInvalid,
                  "SQL only reads here, and this hides a statement that writes or loads");
    default:
      break;
  }
}

void run(duckdb_prepared_statement statement) {
  duckdb_result result;
  const duckdb_state state = duckdb_execute_prepared(statement, &result);
  const std::string message = state == DuckDBError ? duckdb_result_error(&result) : "";
  duckdb_destroy_result(&result);
  if (state == DuckDBError) throw engine_error(message);
}

bool is_transaction(duckdb_prepared_statement statement) {
  return duckdb_prepared_statement_type(statement) == DUCKDB_STATEMENT_TYPE_TRANSACTION;
}

/// Prepares the statement that gives the rows. Some statements (PIVOT) are several to the engine's
/// parser: those before the last are run. If they stand in a transaction (COPY of a PIVOT), it is
/// left out: nothing outlives a failure but a type without use.
Prepared prepare_last(duckdb_connection connection, const std::string& sql, bool may_write) {
  duckdb_extracted_statements raw = nullptr;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), &raw);
  const Owned<duckdb_extracted_statements, DestroyExtracted> statements(raw);
  if (count == 0) {
    const char* message = duckdb_extract_statements_error(raw);
    throw engine_error(message ? message : "there is no SQL statement");
  }
  idx_t last = count - 1;
  for (idx_t i = 0;; ++i) {
    duckdb_prepared_statement one = nullptr;
    const duckdb_state state = duckdb_prepare_extracted_statement(connection, raw, i, &one);
    Prepared prepared(one);
    if (state == DuckDBError) throw engine_error(duckdb_prepare_error(one));
    if (i == 0 && last > 1 && is_transaction(one)) {
      --last;  // It ends with one too.
      continue;
    }
    // Seen in the text, and allowed by who saw it.
    const bool seen = i == last && (outside_write(sql) || reads_by_copy(sql));
    if (!may_write && !seen) refuse_hidden_write(one);
    if (i == last) return prepared;
    run(one);
  }
}

Prepared prepare_readable(duckdb_connection connection, const std::string& sql, bool may_write) {
  Prepared statement = prepare_last(connection, sql, may_write);
  const std::string readable = with_readable_columns(statement.get(), sql);
  return readable.empty() ? std::move(statement) : prepare(connection, readable);
}

}  // namespace

Error engine_error(std::string_view message) {
  for (const auto& [words, kind] : kKinds) {
    if (message.starts_with(words)) return Error(kind, std::string(message));
  }
  return Error(ErrorKind::kInvalid, std::string(message));
}

std::string sql_string(std::string_view text) { return quoted(text, '\''); }
std::string sql_name(std::string_view name) { return quoted(name, '"'); }

Engine::Engine(const QueryOptions& options) : may_write_(options.may_write) {
  const auto config = make_config(options);
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, &database_, config.get(), &message) == DuckDBError) {
    const Error error(ErrorKind::kBug, fmt::format("start the SQL engine: {}", message));
    duckdb_free(message);
    throw error;
  }
  if (duckdb_connect(database_, &connection_) == DuckDBError) {
    duckdb_close(&database_);
    throw Error(ErrorKind::kBug, "the SQL engine gives no connection");
  }
  add_object_file_system(database_,
                         [this](const std::string& path) { return objects_->open(path); });
  execute("SET TimeZone = 'UTC'");
  if (!options.temp_folder.empty()) {
    // Set at the start, the engine shows this limit and does not keep to it.
    execute(fmt::format("SET max_temp_directory_size = '{}B'", options.temp_bytes));
  }
  execute("SET enable_progress_bar = true");
  execute("SET enable_progress_bar_print = false");
}

Engine::~Engine() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void Engine::interrupt() {
  stopped_ = true;
  duckdb_interrupt(connection_);
  objects_->stop();
}

void Engine::allow() {
  stopped_ = false;
  objects_->allow();
}

std::optional<double> Engine::progress() const {
  const double percentage = duckdb_query_progress(connection_).percentage;
  if (!(percentage >= 0)) return std::nullopt;
  return std::min(percentage / 100, 1.0);
}

/// A stopped statement has ended when its reads of objects have.
void Engine::throw_if_stopped() const {
  if (!stopped_) return;
  objects_->join();
  throw Error(ErrorKind::kCancelled, "query interrupted");
}

template <class Work>
std::invoke_result_t<Work&> Engine::ask(Work work) const {
  throw_if_stopped();
  try {
    return work();
  } catch (const Error& error) {
    throw_if_stopped();
    throw objects_->cause_of(error);
  }
}

void Engine::execute(const std::string& sql) {
  ask([&] {
    duckdb_result result;
    const duckdb_state state = duckdb_query(connection_, sql.c_str(), &result);
    const std::string message = state == DuckDBError ? duckdb_result_error(&result) : "";
    duckdb_destroy_result(&result);
    if (state == DuckDBError) throw engine_error(message);
  });
  throw_if_stopped();
}

std::vector<std::vector<Cell>> Engine::rows(const std::string& sql,
                                            const std::vector<std::string>& parameters) {
  return ask([&] {
    const Prepared statement = prepare_readable(connection_, sql, may_write_);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      bind(statement.get(), i + 1,
           duckdb_create_varchar_length(parameters[i].data(), parameters[i].size()));
    }
    duckdb_result result;
    if (duckdb_execute_prepared(statement.get(), &result) == DuckDBError) {
      const Error error = engine_error(duckdb_result_error(&result));
      duckdb_destroy_result(&result);
      throw error;
    }
    EngineRows stream(*this, result);
    std::vector<std::vector<Cell>> all;
    const std::size_t width = stream.columns().size();
    while (auto batch = stream.next()) {
      for (std::size_t i = 0; i < batch->rows; ++i) {
        const auto from = batch->cells.begin() + static_cast<std::ptrdiff_t>(i * width);
        all.emplace_back(from, from + static_cast<std::ptrdiff_t>(width));
      }
    }
    return all;
  });
}

void Engine::each_chunk(const std::string& sql, const std::function<void(duckdb_data_chunk)>& use) {
  ask([&] {
    duckdb_result result;
    if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBError) {
      const Error error = engine_error(duckdb_result_error(&result));
      duckdb_destroy_result(&result);
      throw error;
    }
    const std::unique_ptr<duckdb_result, decltype(&duckdb_destroy_result)> owned(
        &result, &duckdb_destroy_result);
    while (const Owned<duckdb_data_chunk, DestroyChunk> chunk{duckdb_fetch_chunk(result)}) {
      use(chunk.get());
    }
  });
}

/// Up to the first rows. The result is the caller's to destroy.
duckdb_result Engine::start(const std::string& sql) {
  return ask([&] {
    const Prepared statement = prepare_readable(connection_, sql, may_write_);
    duckdb_pending_result raw = nullptr;
    const duckdb_state state = duckdb_pending_prepared_streaming(statement.get(), &raw);
    const Owned<duckdb_pending_result, DestroyPending> pending(raw);
    if (state == DuckDBError) throw engine_error(duckdb_pending_error(raw));
    // An interrupt from before this point was forgotten by the engine when the statement began; one
    // from now on is not.
    throw_if_stopped();
    duckdb_result result;
    if (duckdb_execute_pending(raw, &result) == DuckDBError) {
      const Error error = engine_error(duckdb_result_error(&result));
      duckdb_destroy_result(&result);
      throw error;
    }
    return result;
  });
}

std::unique_ptr<EngineRows> Engine::stream(const std::string& sql) {
  return std::make_unique<EngineRows>(*this, start(sql));
}

void Engine::stream_chunks(const std::string& sql,
                           const std::function<void(duckdb_data_chunk)>& use) {
  duckdb_result result = start(sql);
  const std::unique_ptr<duckdb_result, decltype(&duckdb_destroy_result)> owned(
      &result, &duckdb_destroy_result);
  while (const Owned<duckdb_data_chunk, DestroyChunk> chunk{fetch(result)}) use(chunk.get());
}

/// The next chunk of a streaming result; null after the last.
duckdb_data_chunk Engine::fetch(duckdb_result& result) const {
  return ask([&]() -> duckdb_data_chunk {
    const duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    if (chunk != nullptr) return chunk;
    const char* message = duckdb_result_error(&result);
    throw_if_stopped();
    if (message && *message) throw engine_error(message);
    return nullptr;
  });
}

void Engine::set_list(const std::string& name,
                      const std::vector<std::optional<std::string>>& values) {
  if (values.empty()) {  // The engine makes no value of an empty list.
    execute(fmt::format("SET VARIABLE {} = []::VARCHAR[]", sql_name(name)));
    return;
  }
  const Owned<duckdb_logical_type, DestroyType> text(
      duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  std::vector<Owned<duckdb_value, DestroyValue>> owned;
  std::vector<duckdb_value> raw;
  owned.reserve(values.size());
  raw.reserve(values.size());
  for (const std::optional<std::string>& value : values) {
    owned.emplace_back(value ? duckdb_create_varchar_length(value->data(), value->size())
                             : duckdb_create_null_value());
    raw.push_back(owned.back().get());
  }
  const Prepared statement =
      prepare(connection_, fmt::format("SET VARIABLE {} = $1", sql_name(name)));
  bind(statement.get(), 1, duckdb_create_list_value(text.get(), raw.data(), raw.size()));
  run(statement.get());
}

bool Engine::parses(const std::string& sql) {
  duckdb_extracted_statements raw = nullptr;
  const idx_t count = duckdb_extract_statements(connection_, sql.c_str(), &raw);
  const Owned<duckdb_extracted_statements, DestroyExtracted> statements(raw);
  return count > 0;
}

std::vector<std::string> Engine::table_names(const std::string& sql) {
  const Owned<duckdb_value, DestroyValue> list(
      duckdb_get_table_names(connection_, sql.c_str(), false));
  std::vector<std::string> names;
  if (!list) return names;
  for (idx_t i = 0; i < duckdb_get_list_size(list.get()); ++i) {
    const Owned<duckdb_value, DestroyValue> name(duckdb_get_list_child(list.get(), i));
    char* text = duckdb_get_varchar(name.get());
    names.emplace_back(text);
    duckdb_free(text);
  }
  return names;
}

EngineRows::EngineRows(Engine& engine, duckdb_result result) : engine_(engine), result_(result) {
  for (idx_t i = 0; i < duckdb_column_count(&result_); ++i) {
    types_.push_back(column_type(duckdb_column_logical_type(&result_, i)));
    columns_.push_back({duckdb_column_name(&result_, i), type_name(types_.back()),
                        types_.back().numeric() ? Align::kRight : Align::kLeft});
  }
}

/// Rows that are left early may have the engine still reading for them; destroying them waits for
/// that, on a thread that the reads may need.
EngineRows::~EngineRows() {
  engine_.objects().without_reads([&] { duckdb_destroy_result(&result_); });
}

std::optional<RowBatch> EngineRows::next() {
  const Owned<duckdb_data_chunk, DestroyChunk> chunk(engine_.fetch(result_));
  if (!chunk) return std::nullopt;
  RowBatch batch;
  batch.rows = duckdb_data_chunk_get_size(chunk.get());
  batch.cells.resize(batch.rows * types_.size());
  for (std::size_t column = 0; column < types_.size(); ++column) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), column);
    for (std::size_t row = 0; row < batch.rows; ++row) {
      batch.cells[row * types_.size() + column] = read_cell(types_[column], vector, row);
    }
  }
  return batch;
}

}  // namespace headrace
