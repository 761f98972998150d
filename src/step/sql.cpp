#include "step/sql.h"

#include <fmt/format.h>

#include <utility>

#include "core/hash.h"
#include "format/compression.h"
#include "query/convert.h"
#include "query/data_format.h"
#include "stack/spec.h"
#include "step/object_sql.h"
#include "step/own_marks.h"
#include "step/whole_body.h"

namespace headrace {
namespace {

constexpr std::uint64_t kPlainBytes = 100ull << 30;  // An object may unpack to this much.

class SqlStep final : public Step {
 public:
  SqlStep(const SqlConfig& config, std::filesystem::path folder, const StepServices& services)
      : query_hash_(hash64(config.query)),
        services_(services),
        target_(spelled_out(config)),
        sql_({.query = config.query,
              .format = parse_data_format(config.format),
              .ending = format_ending(config.to),
              .memory = config.memory},
             std::move(folder), services) {}

  Task<StepResult> run(TaskContext& context) override {
    try {
      co_return co_await try_run(context);
    } catch (const Error& error) {
      throw error.during("sql over " + context.object.text());
    }
  }

 private:
  Task<StepResult> try_run(TaskContext& context) {
    auto source = co_await services_.stores.at(store_name(context)).get(context.object);
    if (!source) co_return StepResult{Outcome::kGone, "the object is gone"};
    if (auto stop = hands_off(source->info, context)) co_return *stop;
    context.etag = source->info.etag;
    if (source->info.size == 0) co_return StepResult{Outcome::kSkipped, "the object is empty"};
    const Target to = target_.of(context);
    if (to == Target{store_name(context), context.object}) {
      throw Error(ErrorKind::kInvalid, "the target is the object itself");
    }
    const std::uint64_t effect = hash64(source->info.etag.value, query_hash_);
    Store& store = services_.stores.at(to.store);
    const auto there = co_await store.head(to.key);
    const bool done = there && own_marks(*there, context).has(effect);

    auto plain = decompressing(whole_body(std::move(source->body), source->info.size),
                               {.output_bytes = kPlainBytes}, &services_.cpu);
    const auto result =
        co_await sql_.run(context.object.path, std::move(plain), context.dead_lines, done);
    if (!result) co_return StepResult{Outcome::kSkipped, "the object has no rows"};
    if (done) co_return StepResult{Outcome::kDone, "written before"};
    PutOptions options;
    mark_own(options.metadata, to.key, context, {effect});
    const auto body = file_part(result->file.path(), 0, result->size, services_.cpu);
    co_await store.put_stream(to.key, *body, std::move(options));
    co_return StepResult{};
  }

  std::uint64_t query_hash_;
  StepServices services_;
  TargetTemplate target_;
  ObjectSql sql_;
};

/// Keeps a file for as long as its bytes are read.
class WithFile final : public ByteSource {
 public:
  WithFile(TempPath file, std::unique_ptr<ByteSource> bytes)
      : file_(std::move(file)), bytes_(std::move(bytes)) {}
  Task<Bytes> read() override { co_return co_await bytes_->read(); }

 private:
  TempPath file_;
  std::unique_ptr<ByteSource> bytes_;
};

std::string wrong_with_sql(const SqlConfig& config) {
  if (config.to.empty() == config.into.empty()) {
    return "sql needs either `to`, the object that takes the result, or `into`, the table";
  }
  if (!config.into.empty() && !(config.bucket.empty() && config.store.empty())) {
    return "`bucket` and `store` go with `to`; a table has its own";
  }
  if (!config.to.empty()) {
    try {
      KeyTemplate::parse(spelled_out(config).to);
    } catch (const Error& error) {
      return error.what();
    }
    if (format_ending(config.to).empty()) {
      return fmt::format(
          "`{}` does not tell the result's format: let it end in .jsonl, .json, .csv "
          "or .parquet; all but the last also with .gz or .zst",
          config.to);
    }
  }
  if (!config.format.empty()) {
    const auto format = parse_data_format(config.format);
    if (!format || *format == DataFormat::kAuto || *format == DataFormat::kDelta) {
      return fmt::format("`{}` is none of ndjson, json, csv, parquet", config.format);
    }
  }
  const std::string wrong = wrong_with_query(config.query);
  return wrong.empty() ? wrong : "the query: " + wrong;
}

}  // namespace

std::string format_ending(const std::string& name) {
  const std::string literal = name.substr(name.rfind('}') + 1);  // All of it if there is no brace.
  for (const char* ending : {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"}) {
    for (const char* packed : {"", ".gz", ".zst"}) {
      const std::string whole = std::string(ending) + packed;
      if (literal.ends_with(whole) && format_of_name("x" + whole)) return whole;
    }
  }
  return {};
}

const stack::Spec<SqlConfig>& sql_spec() {
  static const auto spec =
      stack::Spec<SqlConfig>("sql step",
                             "Runs a query over the object's rows; the result becomes another "
                             "object, or rows of a table")
          .field("query", &SqlConfig::query, "One SELECT; the object's rows are the table `input`",
                 stack::required(),
                 stack::example("\"select a, count(*) as n from input group by a\""))
          .field("to", &SqlConfig::to,
                 "Key template of the result, or a URL with one; fields as for copy; its ending "
                 "tells the format: .jsonl, .json, .csv, .parquet, .jsonl.gz",
                 stack::example("\"lake://out/{stem}.parquet\""))
          .field("bucket", &SqlConfig::bucket, "Bucket of the result; the object's if left out")
          .field("store", &SqlConfig::store, "Store of the result; the object's if left out")
          .field("into", &SqlConfig::into,
                 "A table of the stack, in place of `to`; then it is the last step")
          .field("format", &SqlConfig::format,
                 "Of the object: ndjson, json, csv or parquet; if left out, as its name ends, else "
                 "ndjson")
          .field("memory", &SqlConfig::memory,
                 "What the query may hold in memory; beyond, it goes to files", stack::bytes(),
                 stack::at_least(64u << 20))
          .shorthand("query")
          .check(wrong_with_sql);
  return spec;
}

ObjectTransform make_sql_transform(const SqlConfig& config, std::filesystem::path folder,
                                   StepServices services) {
  auto sql =
      std::make_shared<ObjectSql>(ObjectSql::Options{.query = config.query,
                                                     .format = parse_data_format(config.format),
                                                     .ending = ".jsonl",
                                                     .memory = config.memory},
                                  std::move(folder), services);
  return [sql, services](const Event& event, std::unique_ptr<ByteSource> plain,
                         std::vector<DeadLine>& dead) -> Task<std::unique_ptr<ByteSource>> {
    auto result = co_await sql->run(event.object.path, std::move(plain), dead);
    if (!result) co_return nullptr;
    auto rows = file_part(result->file.path(), 0, result->size, services.cpu);
    co_return std::make_unique<WithFile>(std::move(result->file), std::move(rows));
  };
}

std::unique_ptr<Step> make_sql_step(const SqlConfig& config, std::filesystem::path folder,
                                    const StepServices& services) {
  return std::make_unique<SqlStep>(config, std::move(folder), services);
}

}  // namespace headrace
