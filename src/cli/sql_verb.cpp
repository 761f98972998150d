// sql: one command's statements, or a prompt.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/cli.h"
#include "cli/sql_prompt.h"
#include "cli/sql_session.h"

namespace headrace {
namespace {

struct SqlOptions {
  std::string text;
  SqlFlags flags;
  SaveTarget to;
  std::string to_format;
};

void save_result(SqlSession& session, const SqlOptions& options,
                 const std::vector<std::string>& statements) {
  SaveTarget target = options.to;
  if (target.codec == "none") target.codec = "uncompressed";
  if (!options.to_format.empty()) target.format = *parse_data_format(options.to_format);
  // Earlier statements may set things up; the last one's rows are saved.
  for (std::size_t i = 0; i + 1 < statements.size(); ++i) session.rows(statements[i]);
  session.save(statements.back(), std::move(target));
}

int run_sql(Cli& cli, const SqlOptions& options) {
  std::string text = options.text;
  const bool prompt = text.empty() && on_terminal(STDIN_FILENO);
  if (prompt && !options.to.name.empty()) throw Exit(kUsage, "--to needs the SQL as an argument");
  SqlSession session(cli, options.flags);
  if (prompt) return run_sql_prompt(cli, session);
  if (text.empty() || text == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  const std::vector<std::string> statements = split_statements(text);
  if (statements.empty()) throw Exit(kUsage, "no SQL given: headrace sql \"select 1\"");
  if (!options.to.name.empty()) {
    save_result(session, options, statements);
    return kOk;
  }
  session.show(statements, {.format = cli.format()});
  return kOk;
}

void add_saving(CLI::App& verb, SqlOptions& options) {
  verb.add_option("--to", options.to.name,
                  "Put the rows into an object or file, by its ending: lake://bucket/out.parquet, "
                  "out.csv.gz")
      ->type_name("URL");
  verb.add_option("--to-format", options.to_format, "Its format, whatever its ending")
      ->check(CLI::IsMember({"ndjson", "jsonl", "json", "csv", "parquet"}));
  verb.add_option("--codec", options.to.codec, "Of Parquet: zstd, snappy or none")
      ->check(CLI::IsMember({"zstd", "snappy", "none"}));
  verb.add_flag("--force", options.to.overwrite, "Replace what --to names if it is there");
}

}  // namespace

void add_sql_verb(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand(
      "sql", "SQL over tables, datasets, URLs and files; a prompt if none is given");
  auto options = std::make_shared<SqlOptions>();
  SqlFlags& flags = options->flags;
  verb->add_option(
      "sql", options->text,
      "Statements; from stdin if absent, or a prompt on a terminal. FROM takes a table "
      "of the stack or a quoted URL or path: 'file:///x/y', 'a/b.jsonl'");
  add_saving(*verb, *options);
  add_size(*verb, "--memory", flags.memory, "What a query may hold, e.g. 2GiB (default: 1GiB)");
  verb->add_option("--threads", flags.threads, "Threads of the engine (default: 2)")
      ->check(CLI::Range(1, 256));
  verb->add_option("--temp", flags.temp, "Folder for what does not fit into memory")
      ->type_name("FOLDER");
  add_size(*verb, "--temp-size", flags.temp_size, "Most that is put there (default: 10GiB)", 0);
  verb->add_flag("--write", flags.write,
                 "Allow what SQL refuses otherwise: COPY ... TO, ATTACH, EXPORT, LOAD");
  verb->add_flag("--files", flags.report, "Say on stderr which part of each table was read");
  verb->add_flag("--no-prune", flags.no_prune, "Read all files, also those that cannot match");
  verb->callback(
      [&cli, options] { cli.action = [&cli, options] { return run_sql(cli, *options); }; });
}

}  // namespace headrace
