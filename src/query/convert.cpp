#include "query/convert.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"
#include "query/data_files.h"
#include "query/delta_view.h"
#include "query/engine.h"
#include "query/engine_thread.h"

namespace headrace {
namespace {

constexpr const char* kVariable = "headrace_convert";

std::string copy_options(const ConvertRequest& request) {
  switch (request.to_format) {
    case DataFormat::kJsonLines:
      return "FORMAT json";
    case DataFormat::kJson:
      return "FORMAT json, ARRAY true";
    case DataFormat::kCsv:
      return request.to.ends_with(".tsv") ? "FORMAT csv, HEADER, DELIMITER '\t'"
                                          : "FORMAT csv, HEADER";
    case DataFormat::kParquet:
      return fmt::format("FORMAT parquet, COMPRESSION {}", sql_string(request.codec));
    case DataFormat::kAuto:
    case DataFormat::kDelta:
      break;
  }
  throw Error(ErrorKind::kInvalid,
              fmt::format("convert writes ndjson, json, csv and parquet, not {}",
                          to_string(request.to_format)));
}

std::string source_sql(const ConvertRequest& request) {
  if (request.from_format == DataFormat::kCsv && request.to_format == DataFormat::kCsv) {
    return fmt::format("FROM read_csv(getvariable('{}'), union_by_name = true, all_varchar = true)",
                       kVariable);
  }
  if (request.from_format == DataFormat::kDelta || request.from_format == DataFormat::kAuto) {
    throw Error(ErrorKind::kInvalid, "convert reads ndjson, json, csv and parquet files");
  }
  return files_rows_sql(request.from_format, kVariable);
}

std::uint64_t convert(Engine& engine, const ConvertRequest& request) {
  const std::string sql = fmt::format("COPY ({}) TO {} ({})", source_sql(request),
                                      sql_string(request.to), copy_options(request));
  std::vector<std::optional<std::string>> paths;
  for (const std::string& path : request.from) paths.emplace_back(literal_path(path));
  engine.set_list(kVariable, paths);
  const auto rows = engine.stream(sql);
  const auto batch = rows->next();
  const std::string text = batch && batch->rows > 0 ? batch->cells.at(0).text : "";
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

Task<std::uint64_t> convert_with_engine(ConvertRequest request, QueryOptions options) {
  Engine engine(options);
  EngineThread thread;
  co_return co_await thread.run([&] { return convert(engine, request); },
                                [&] { engine.interrupt(); });
}

}  // namespace headrace
