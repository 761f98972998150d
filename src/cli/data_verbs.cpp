// sql convert table: rows in tables, prefixes and files.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "app/resolver.h"
#include "cli/cli.h"
#include "cli/convert.h"
#include "cli/urls.h"
#include "core/json.h"
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

/// A table of the stack by name, or any table by URL or path.
Table& table_of(Cli& cli, const std::string& name, std::unique_ptr<Table>& own) {
  if (name.find("://") == std::string::npos && name.find('/') == std::string::npos) {
    return cli.catalog().open(name);
  }
  const StoreUrl url = read_url(name);
  own = open_table(cli.stores().at(url.store), url.object, real_clock(), real_random());
  return *own;
}

Snapshot snapshot_of(Cli& cli, Table& table, const std::string& name) {
  auto snapshot = cli.run(table.snapshot());
  if (!snapshot) throw Exit(kFailed, fmt::format("no table at {}: it has no rows yet", name));
  return std::move(*snapshot);
}

struct Totals {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
};

Totals totals_of(const Snapshot& snapshot) {
  Totals totals;
  for (const TableFile& file : snapshot.files) {
    totals.bytes += file.size;
    totals.rows += file.live_rows().value_or(0);
  }
  return totals;
}

int list_tables(Cli& cli) {
  auto rows = cli.rows({{"table"},
                        {"version", "", Align::kRight},
                        {"rows", "", Align::kRight},
                        {"files", "", Align::kRight},
                        {"bytes", "", Align::kRight},
                        {"committed"}});
  for (const std::string& name : cli.run(cli.catalog().names())) {
    const Snapshot snapshot = snapshot_of(cli, cli.catalog().open(name), name);
    const Totals totals = totals_of(snapshot);
    const std::array cells{Cell::of_text(name),
                           Cell::number(snapshot.version),
                           Cell::number(static_cast<std::int64_t>(totals.rows)),
                           Cell::number(static_cast<std::int64_t>(snapshot.files.size())),
                           Cell::number(static_cast<std::int64_t>(totals.bytes)),
                           Cell::of_text(format_time(snapshot.at))};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int show_table(Cli& cli, const std::string& name) {
  std::unique_ptr<Table> own;
  const Snapshot snapshot = snapshot_of(cli, table_of(cli, name, own), name);
  const Totals totals = totals_of(snapshot);
  std::fprintf(stderr, "%s: version %ld of %s, %lu rows in %zu files, %s\n", name.c_str(),
               snapshot.version, format_time(snapshot.at).c_str(), totals.rows,
               snapshot.files.size(), format_size(totals.bytes).c_str());
  auto rows = cli.rows({{"column"}, {"type"}, {"partition"}});
  for (const Field& field : snapshot.schema.fields) {
    const bool partition =
        std::ranges::find(snapshot.partition_by, field.name) != snapshot.partition_by.end();
    const std::array cells{Cell::of_text(field.name), Cell::of_text(to_string(field.type)),
                           Cell::boolean(partition)};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int show_history(Cli& cli, const std::string& name, std::size_t limit) {
  std::unique_ptr<Table> own;
  auto rows = cli.rows({{"version", "", Align::kRight},
                        {"at"},
                        {"operation"},
                        {"files_added", "", Align::kRight},
                        {"files_removed", "", Align::kRight},
                        {"rows_added", "", Align::kRight},
                        {"by"}});
  for (const HistoryEntry& entry : cli.run(table_of(cli, name, own).history(limit))) {
    const std::array cells{Cell::number(entry.version),
                           Cell::of_text(format_time(entry.at)),
                           Cell::of_text(entry.operation),
                           Cell::number(static_cast<std::int64_t>(entry.files_added)),
                           Cell::number(static_cast<std::int64_t>(entry.files_removed)),
                           Cell::number(static_cast<std::int64_t>(entry.rows_added)),
                           Cell::of_text(entry.engine)};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int show_files(Cli& cli, const std::string& name) {
  std::unique_ptr<Table> own;
  const Snapshot snapshot = snapshot_of(cli, table_of(cli, name, own), name);
  auto rows = cli.rows({{"path"},
                        {"bytes", "", Align::kRight},
                        {"rows", "", Align::kRight},
                        {"partition"},
                        {"modified"}});
  for (const TableFile& file : snapshot.files) {
    JsonWriter partition;
    partition.begin_object();
    for (const auto& [column, value] : file.partition) {
      partition.key(column);
      value ? partition.string(*value) : partition.null();
    }
    partition.end_object();
    const std::array cells{
        Cell::of_text(file.path), Cell::number(static_cast<std::int64_t>(file.size)),
        file.rows ? Cell::number(static_cast<std::int64_t>(*file.rows)) : Cell::null(),
        Cell::literal(partition.text()), Cell::of_text(format_time(file.modified))};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

void add_table(CLI::App& app, Cli& cli) {
  auto* table = app.add_subcommand("table", "Delta tables of the stack, or any by URL");
  table->require_subcommand(1);
  auto* ls = table->add_subcommand("ls", "The stack's tables that exist");
  ls->callback([&cli] { cli.action = [&cli] { return list_tables(cli); }; });

  auto name = std::make_shared<std::string>();
  auto limit = std::make_shared<std::size_t>(20);
  auto* show = table->add_subcommand("show", "Columns, size and version");
  show->add_option("table", *name, "A name, URL or path")->required();
  show->callback([&cli, name] { cli.action = [&cli, name] { return show_table(cli, *name); }; });
  auto* history = table->add_subcommand("history", "Versions, newest first");
  history->add_option("table", *name, "A name, URL or path")->required();
  history->add_option("--limit", *limit, "Most versions (default 20)");
  history->callback([&cli, name, limit] {
    cli.action = [&cli, name, limit] { return show_history(cli, *name, *limit); };
  });
  auto* files = table->add_subcommand("files", "The files that are the table now");
  files->add_option("table", *name, "A name, URL or path")->required();
  files->callback([&cli, name] { cli.action = [&cli, name] { return show_files(cli, *name); }; });
}

}  // namespace

void add_data_verbs(CLI::App& app, Cli& cli) {
  add_sql(app, cli);
  add_convert(app, cli);
  add_table(app, cli);
}

}  // namespace headrace
