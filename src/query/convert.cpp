#include "query/convert.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "core/error.h"
#include "query/data_files.h"
#include "query/delta_view.h"
#include "query/engine.h"
#include "query/engine_thread.h"
#include "query/saving.h"

namespace headrace {
namespace {

constexpr const char* kVariable = "headrace_convert";

std::string source_sql(const ConvertRequest& request) {
  const bool as_it_is = request.query.empty() && request.to_format == DataFormat::kCsv;
  if (as_it_is && request.from_format == DataFormat::kCsv) {
    return fmt::format("FROM read_csv(getvariable('{}'), union_by_name = true, all_varchar = true)",
                       kVariable);
  }
  if (request.from_format == DataFormat::kDelta || request.from_format == DataFormat::kAuto) {
    throw Error(ErrorKind::kInvalid, "convert reads ndjson, json, csv and parquet files");
  }
  return files_rows_sql(request.from_format, kVariable);
}

/// From here on the engine opens these files and no other.
void lock_in(Engine& engine, const ConvertRequest& request) {
  std::string allowed = sql_string(request.to);
  for (const std::string& path : request.from) allowed += ", " + sql_string(path);
  engine.execute(fmt::format("SET allowed_paths = [{}]", allowed));
  engine.execute("SET enable_external_access = false");
  engine.execute("SET lock_configuration = true");
}

std::uint64_t convert(Engine& engine, const ConvertRequest& request) {
  std::vector<std::optional<std::string>> paths;
  for (const std::string& path : request.from) paths.emplace_back(literal_path(path));
  engine.set_list(kVariable, paths);
  std::string select = source_sql(request);
  if (!request.query.empty()) {
    engine.execute("CREATE TEMP VIEW input AS " + select);
    lock_in(engine, request);
    select = split_statements(request.query).at(0);
  }
  // The line end ends a comment that the query may end with; locked in, the engine can write under
  // no other name first.
  const std::string sql = fmt::format("COPY ({}\n) TO {} ({}{})", select, sql_string(request.to),
                                      copy_options(request.to_format, request.to, request.codec),
                                      request.query.empty() ? "" : ", USE_TMP_FILE false");
  const auto rows = engine.stream(sql);
  const auto batch = rows->next();
  const std::string text = batch && batch->rows > 0 ? batch->cells.at(0).text : "";
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string text_at(simdjson::dom::element json, const char* field) {
  std::string_view text;
  return json[field].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

}  // namespace

std::string wrong_with_query(const std::string& query) {
  if (split_statements(query).size() != 1) return "a query is one SELECT";
  Engine engine({.memory_bytes = 64u << 20, .threads = 1});
  try {
    const auto rows = engine.rows("SELECT json_serialize_sql($1::VARCHAR)", {query});
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(rows.at(0).at(0).text);
    bool wrong = false;
    if (json["error"].get(wrong) != simdjson::SUCCESS || !wrong) return {};
    const std::string type = text_at(json, "error_type");
    if (type != "not implemented") return text_at(json, "error_message");
    // Statements of other kinds are not serialized; of those only what gives rows (PIVOT, DESCRIBE)
    // may stand in a FROM.
    const bool gives_rows =
        engine.parses(fmt::format("FROM ({}\n)", split_statements(query).at(0)));
    return gives_rows ? "" : "a query is one SELECT";
  } catch (const simdjson::simdjson_error&) {
    return {};  // What the engine does not show shows when it is run.
  }
}

Task<std::uint64_t> convert_with_engine(ConvertRequest request, QueryOptions options) {
  Engine engine(options);
  EngineThread thread;
  co_return co_await thread.run([&] { return convert(engine, request); },
                                [&] { engine.interrupt(); });
}

}  // namespace headrace
