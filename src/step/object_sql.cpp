#include "step/object_sql.h"

#include <system_error>
#include <utility>

#include "format/json_rows.h"
#include "query/convert.h"
#include "step/object_batch.h"

namespace headrace {
namespace {

constexpr std::string_view kPrefix = "sql-";

std::string_view ending_of(DataFormat format) {
  switch (format) {
    case DataFormat::kCsv:
      return ".csv";
    case DataFormat::kParquet:
      return ".parquet";
    default:
      return ".jsonl";
  }
}

bool is_json(DataFormat format) {
  return format == DataFormat::kJson || format == DataFormat::kJsonLines;
}

}  // namespace

ObjectSql::ObjectSql(Options options, std::filesystem::path folder, StepServices services)
    : options_(std::move(options)), folder_(std::move(folder)), services_(services) {
  remove_leftovers(folder_, kPrefix, "");
}

Task<std::optional<ObjectSql::Result>> ObjectSql::run(std::string name,
                                                      std::unique_ptr<ByteSource> plain,
                                                      std::vector<DeadLine>& dead, bool only_look) {
  co_await slots_.acquire(1);
  std::exception_ptr failure;
  std::optional<Result> result;
  try {
    auto one = co_await run_one(std::move(name), *plain, dead, only_look);
    if (one) result.emplace(std::move(*one));
  } catch (...) {
    failure = std::current_exception();
  }
  slots_.release(1);
  if (failure) std::rethrow_exception(failure);
  co_return result;
}

/// Keeps whole rows; says how many.
Task<std::uint64_t> ObjectSql::save_lines(TempFile& file, ByteSource& plain,
                                          std::vector<DeadLine>& dead) {
  JsonRows rows({}, batch_rows_options());
  Bytes kept;
  const auto take = [&kept](const JsonRows::Row& row) {
    kept.append(row.text).push_back('\n');
    return std::string();
  };
  rows.begin_object();
  for (Bytes piece = co_await plain.read(); !piece.empty(); piece = co_await plain.read()) {
    auto keep = [&] {
      rows.write(piece, take);
      file.append(kept);
      kept.clear();
    };
    co_await run_on(services_.cpu, keep);
  }
  ObjectRows came;
  auto end = [&] {
    came = rows.end_object(take);
    file.append(kept);
  };
  co_await run_on(services_.cpu, end);
  FaultBudget().add(came, dead);
  co_return came.rows;
}

Task<std::optional<ObjectSql::Result>> ObjectSql::run_one(std::string name, ByteSource& plain,
                                                          std::vector<DeadLine>& dead,
                                                          bool only_look) {
  const std::string shown = name.substr(name.rfind('/') + 1);
  DataFormat format = options_.format.value_or(DataFormat::kAuto);
  if (format == DataFormat::kAuto) format = format_of_name(shown).value_or(DataFormat::kJsonLines);
  const std::string id = std::string(kPrefix) + services_.random.uuid();
  const std::filesystem::path from = folder_ / (id + "-in" + std::string(ending_of(format)));
  TempFile input(from);
  std::uint64_t rows = 1;
  if (is_json(format)) {
    rows = co_await save_lines(input, plain, dead);
  } else if (!only_look) {
    for (Bytes piece = co_await plain.read(); !piece.empty(); piece = co_await plain.read()) {
      auto keep = [&] { input.append(piece); };
      co_await run_on(services_.cpu, keep);
    }
  }
  if (rows == 0) co_return std::nullopt;
  Result result{.file = TempPath(folder_ / (id + "-out" + options_.ending))};
  if (only_look) co_return result;
  ConvertRequest request{.from = {from.string()},
                         .from_format = is_json(format) ? DataFormat::kJsonLines : format,
                         .to = result.file.path().string(),
                         .to_format = format_of_name(options_.ending).value(),
                         .query = options_.query};
  result.rows = co_await convert_with_engine(
      std::move(request),
      {.memory_bytes = options_.memory, .threads = 1, .temp_folder = folder_ / (id + "-spill")});
  std::error_code code;
  std::filesystem::remove_all(folder_ / (id + "-spill"), code);
  result.size = std::filesystem::file_size(result.file.path(), code);
  if (code) throw errno_error(code.value(), "look at " + result.file.path().string());
  co_return result;
}

}  // namespace headrace
