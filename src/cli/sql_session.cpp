#include "cli/sql_session.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/progress_bar.h"
#include "core/clock.h"
#include "core/random.h"
#include "query/sql_limits.h"

namespace headrace {
namespace {

QueryOptions query_options(const SqlFlags& flags, const SqlLimits& config) {
  QueryOptions options;
  options.memory_bytes = flags.memory.value_or(config.memory);
  options.threads = flags.threads.value_or(config.threads);
  options.temp_folder = flags.temp.value_or(config.temp);
  if (options.temp_folder.empty()) options.temp_folder = std::filesystem::temp_directory_path();
  options.temp_bytes = flags.temp_size.value_or(config.temp_size);
  options.prune = !flags.no_prune;
  options.may_write = flags.write;
  return options;
}

/// EXPLAIN's plans are drawings: as they are, not as cells of a box.
bool is_plan(const std::vector<Column>& columns) {
  return columns.size() == 2 && columns[0].name == "explain_key";
}

class PlanWriter final : public RowWriter {
 public:
  explicit PlanWriter(TextSink sink) : sink_(std::move(sink)) {}

  void row(std::span<const Cell> cells) override {
    const std::string& key = cells[0].text;
    if (key == "files_read") sink_("files read: ");
    sink_(cells[1].text);
    if (!cells[1].text.ends_with('\n')) sink_("\n");
  }
  void finish() override {}

 private:
  TextSink sink_;
};

std::unique_ptr<RowWriter> writer_for(const std::vector<Column>& columns, const SqlView& view,
                                      const TextSink& sink) {
  const bool box = view.format == OutputFormat::kTable;
  if (box && is_plan(columns)) return std::make_unique<PlanWriter>(sink);
  return make_row_writer(
      view.format, columns, sink,
      {.width = terminal_width(), .max_rows = box ? view.box_rows : 0, .footer = box});
}

}  // namespace

SqlSession::SqlSession(Cli& cli, SqlFlags flags) : cli_(cli), flags_(std::move(flags)) {
  const StackFile* stack = cli.has_stack() ? &cli.stack() : nullptr;
  resolver_ = std::make_unique<StackResolver>(stack, stack != nullptr ? &cli.catalog() : nullptr,
                                              cli.stores());
  query_ =
      std::make_unique<Query>(query_options(flags_, stack != nullptr ? stack->sql : SqlLimits{}),
                              *resolver_, real_clock(), real_random());
}

/// Requests for rows that nobody waits for were cancelled. They end before their stores do.
SqlSession::~SqlSession() {
  query_.reset();
  cli_.loop().restart();
  while (cli_.loop().poll() > 0) {
  }
}

Task<std::vector<SourceReport>> SqlSession::run(std::string statement, SqlView view) {
  ProgressBar bar([this] { return query_->progress(); });
  co_await bar.start();
  const auto result = co_await query_->run(std::move(statement));
  const std::size_t width = result->columns().size();
  const auto writer = writer_for(result->columns(), view, [&](std::string_view text) {
    bar.clear();
    write_out(text);
  });
  const bool limited = view.most_rows > 0 && view.format != OutputFormat::kTable;
  std::size_t rows = 0;
  bool cut = false;
  while (!cut) {
    const auto batch = co_await result->next();
    if (!batch) break;
    for (std::size_t row = 0; row < batch->rows && !cut; ++row) {
      cut = limited && rows++ == view.most_rows;
      if (!cut) writer->row(std::span(batch->cells).subspan(row * width, width));
    }
  }
  bar.clear();
  writer->finish();
  if (cut) {
    std::fprintf(stderr, "only the first %zu rows; `.rows 0` shows all\n", view.most_rows);
  }
  co_return result->sources();
}

Task<Saved> SqlSession::run_saving(std::string statement, SaveTarget target) {
  ProgressBar bar([this] { return query_->progress(); });
  co_await bar.start();
  co_return co_await query_->save(std::move(statement), std::move(target));
}

Task<> SqlSession::run_all(std::vector<std::string> statements, SqlView view) {
  for (const std::string& statement : statements) {
    const auto sources = co_await run(statement, view);
    std::fflush(stdout);  // Who reads along sees each statement's rows when they are there.
    report(sources);
  }
}

void SqlSession::show(const std::vector<std::string>& statements, const SqlView& view) {
  cli_.run(run_all(statements, view));
}

void SqlSession::save(const std::string& statement, SaveTarget target) {
  const std::string name = target.name;
  const Saved saved = cli_.run(run_saving(statement, std::move(target)));
  std::fprintf(stderr, "%lu rows to %s\n", saved.rows, name.c_str());
  report(saved.sources);
}

Task<Crawl> SqlSession::run_crawling(std::string dataset, bool anew) {
  ProgressBar bar([] { return std::nullopt; });
  co_await bar.start();
  co_return co_await query_->crawl(std::move(dataset), anew);
}

Crawl SqlSession::crawl(const std::string& dataset, bool anew) {
  return cli_.run(run_crawling(dataset, anew));
}

void SqlSession::report(const std::vector<SourceReport>& sources) const {
  for (const SourceReport& source : sources) {
    if (source.drift.empty() || cli_.quiet) continue;
    std::fprintf(stderr,
                 "%s: objects newer than the crawl bring %s; `headrace dataset crawl` keeps it\n",
                 source.name.c_str(), source.drift.c_str());
  }
  if (!flags_.report) return;
  for (const SourceReport& source : sources) {
    std::fprintf(stderr, "read %s\n", to_string(source).c_str());
  }
  const RangeReads reads = query_->range_reads();
  if (reads.objects > 0) std::fprintf(stderr, "read %s\n", to_string(reads).c_str());
}

std::vector<std::vector<std::string>> SqlSession::rows(const std::string& statement) {
  const auto read = [this, &statement]() -> Task<std::vector<std::vector<std::string>>> {
    std::vector<std::vector<std::string>> rows;
    const auto result = co_await query_->run(statement);
    const std::size_t width = result->columns().size();
    while (const auto batch = co_await result->next()) {
      for (std::size_t row = 0; row < batch->rows; ++row) {
        auto& line = rows.emplace_back();
        for (std::size_t i = 0; i < width; ++i) line.push_back(batch->cells[row * width + i].text);
      }
    }
    co_return rows;
  };
  return cli_.run(read());
}

std::vector<std::string> SqlSession::names() { return cli_.run(resolver_->names()); }

}  // namespace headrace
