// convert: files of rows into each other.

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "cli/convert.h"

namespace headrace {
namespace {

void add_convert(CLI::App& app, Cli& cli) {
  auto* verb =
      app.add_subcommand("convert", "JSON lines, JSON, CSV, Parquet into each other; from ORC");
  auto options = std::make_shared<ConvertFile>();
  verb->add_option("source", options->from)->required();
  verb->add_option("target", options->to)->required();
  verb->add_option("--from", options->from_format, "ndjson, json, csv or parquet");
  verb->add_option("--to", options->to_format, "ndjson, json, csv or parquet");
  verb->add_option("--codec", options->codec, "Of Parquet: zstd, snappy or none")
      ->check(CLI::IsMember({"zstd", "snappy", "none"}));
  options->threads = std::max(1u, std::thread::hardware_concurrency());
  verb->add_option("--threads", options->threads, "For JSON to Parquet")->check(CLI::Range(1, 256));
  add_size(*verb, "--memory", options->memory,
           "For JSON to Parquet, what rows on their way may hold; more makes larger row groups "
           "(default: 96MiB)");
  verb->add_flag("--force", options->overwrite, "Replace the target if it is there");
  verb->callback(
      [&cli, options] { cli.action = [&cli, options] { return convert_file(cli, *options); }; });
}

}  // namespace

void add_data_verbs(CLI::App& app, Cli& cli) {
  add_sql_verb(app, cli);
  add_dataset_verbs(app, cli);
  add_convert(app, cli);
}

}  // namespace headrace
