// sql convert: rows in tables, prefixes and files.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "app/resolver.h"
#include "cli/cli.h"
#include "cli/convert.h"
#include "cli/urls.h"
#include "core/size.h"
#include "query/query.h"

namespace headrace {
namespace {

constexpr std::size_t kBoxRows = 40;

struct SqlOptions {
  std::string text;
  std::uint64_t memory = 1ull << 30;
  int threads = 2;
  bool no_prune = false;
  bool report = false;
};

void print_sources(const std::vector<SourceReport>& sources) {
  for (const SourceReport& source : sources) {
    std::fprintf(stderr, "%s%s: read %zu of %zu files, %s of %s\n", source.name.c_str(),
                 source.version ? fmt::format(" version {}", *source.version).c_str() : "",
                 source.files_read, source.files_total, format_size(source.bytes_read).c_str(),
                 format_size(source.bytes_total).c_str());
  }
}

int run_sql(Cli& cli, const SqlOptions& options) {
  const StackFile* stack = cli.has_stack() ? &cli.stack() : nullptr;
  StackResolver resolver(stack, stack != nullptr ? &cli.catalog() : nullptr, cli.stores());
  const std::filesystem::path temp = std::filesystem::temp_directory_path();
  Query query({.memory_bytes = options.memory,
               .threads = options.threads,
               .temp_folder = temp,
               .prune = !options.no_prune},
              resolver, real_clock(), real_random());
  std::string text = options.text;
  if (text.empty() || text == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  const std::vector<std::string> statements = split_statements(text);
  if (statements.empty()) throw Exit(kUsage, "no SQL given: headrace sql \"select 1\"");
  for (const std::string& statement : statements) {
    const auto make = [&cli](const std::vector<Column>& columns) {
      const bool box = cli.format() == OutputFormat::kTable;
      return make_row_writer(
          cli.format(), columns, write_out,
          {.width = terminal_width(), .max_rows = box ? kBoxRows : 0, .footer = box});
    };
    const auto sources = cli.run(query.run_to(statement, make));
    if (options.report) print_sources(sources);
  }
  return kOk;
}

void add_sql(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("sql", "SQL over tables, datasets, URLs and files");
  auto options = std::make_shared<SqlOptions>();
  verb->add_option("sql", options->text,
                   "Statements; from stdin if absent. FROM takes a table of the stack or a quoted "
                   "URL or path: 'file:///x/y', 'a/b.jsonl'");
  verb->add_option("--memory", options->memory, "What operators may hold, e.g. 2GiB")
      ->transform([](const std::string& text) {
        const auto bytes = parse_size(text);
        if (!bytes) throw CLI::ValidationError("--memory", text + " is no size like 2GiB");
        return std::to_string(*bytes);
      });
  verb->add_option("--threads", options->threads)->check(CLI::Range(1, 256));
  verb->add_flag("--files", options->report, "Say on stderr which part of each table was read");
  verb->add_flag("--no-prune", options->no_prune, "Read all files, also those that cannot match");
  verb->callback(
      [&cli, options] { cli.action = [&cli, options] { return run_sql(cli, *options); }; });
}

void add_convert(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("convert", "JSON lines, JSON, CSV, Parquet into each other");
  auto options = std::make_shared<ConvertFile>();
  verb->add_option("source", options->from)->required();
  verb->add_option("target", options->to)->required();
  verb->add_option("--from", options->from_format, "ndjson, json, csv or parquet");
  verb->add_option("--to", options->to_format, "ndjson, json, csv or parquet");
  verb->add_option("--codec", options->codec, "Of Parquet: zstd, snappy or none")
      ->check(CLI::IsMember({"zstd", "snappy", "none"}));
  verb->add_flag("--force", options->overwrite, "Replace the target if it is there");
  verb->callback(
      [&cli, options] { cli.action = [&cli, options] { return convert_file(cli, *options); }; });
}

}  // namespace

void add_data_verbs(CLI::App& app, Cli& cli) {
  add_sql(app, cli);
  add_convert(app, cli);
}

}  // namespace headrace
