// table optimize, delete, update: files and rows of a table, changed in place.

#include "cli/upkeep_verbs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "app/resolver.h"
#include "cli/urls.h"
#include "core/random.h"
#include "core/size.h"
#include "upkeep/optimize.h"
#include "upkeep/row_changes.h"

namespace headrace {
namespace {

struct UpkeepOptions {
  std::string table;
  std::string where;
  std::vector<std::string> set;
  std::vector<std::string> sort;
  std::optional<std::uint64_t> target;
  std::optional<std::uint64_t> memory;
  bool dry_run = false;
  bool yes = false;
};

/// A table with all that it takes to write its files anew.
class Upkeep {
 public:
  Upkeep(Cli& cli, const UpkeepOptions& options)
      : resolver_(cli.has_stack() ? &cli.stack() : nullptr,
                  cli.has_stack() ? &cli.catalog() : nullptr, cli.stores()),
        rewriter_({.memory_bytes = options.memory.value_or(QueryOptions{}.memory_bytes),
                   .temp_folder = std::filesystem::temp_directory_path()},
                  resolver_, real_random(),
                  std::filesystem::temp_directory_path() / fmt::format("headrace-{}", ::getpid())) {
    const std::string& name = options.table;
    if (name.find("://") == std::string::npos && name.find('/') == std::string::npos) {
      table = &cli.catalog().open(name);
      store = &cli.stores().at(cli.catalog().config_of(name)->store);
      return;
    }
    const StoreUrl url = read_url(name);
    store = &cli.stores().at(url.store);
    own_ = open_table(*store, url.object, real_clock(), real_random());
    table = own_.get();
  }

  TableRewriter& rewriter() { return rewriter_; }
  Table* table = nullptr;
  Store* store = nullptr;

 private:
  std::unique_ptr<Table> own_;
  StackResolver resolver_;
  TableRewriter rewriter_;
};

Cell count(std::uint64_t number) { return Cell::number(static_cast<std::int64_t>(number)); }
Cell count(std::optional<std::uint64_t> number) { return number ? count(*number) : Cell::null(); }

/// The table before and after, a row each, on stdout.
void print_sizes(Cli& cli, const TableSize& before, const TableSize& after) {
  auto rows = cli.rows({{"when"},
                        {"files", "", Align::kRight},
                        {"bytes", "", Align::kRight},
                        {"rows", "", Align::kRight}});
  const auto print = [&](const char* when, const TableSize& size) {
    const std::array cells{Cell::of_text(when), count(size.files), count(size.bytes),
                           count(size.rows)};
    rows->row(cells);
  };
  print("before", before);
  print("after", after);
  rows->finish();
}

int run_optimize(Cli& cli, const UpkeepOptions& options) {
  Upkeep upkeep(cli, options);
  OptimizeOptions wanted;
  if (options.target) wanted.target_bytes = *options.target;
  wanted.sort_by = options.sort;
  wanted.where = options.where;
  wanted.dry_run = options.dry_run;
  const OptimizeReport report =
      cli.run(optimize(upkeep.rewriter(), *upkeep.table, *upkeep.store, wanted));
  if (report.files_joined == 0) {
    std::fprintf(stderr, "%s: no files to join\n", options.table.c_str());
  } else {
    std::fprintf(stderr, "%s: %s %llu files of %s into %s%llu\n", options.table.c_str(),
                 options.dry_run ? "would join" : "joined",
                 static_cast<unsigned long long>(report.files_joined),
                 format_size(report.bytes_joined).c_str(), options.dry_run ? "about " : "",
                 static_cast<unsigned long long>(report.files_written));
  }
  print_sizes(cli, report.before, report.after);
  return kOk;
}

void print_change(Cli& cli, const UpkeepOptions& options, const RowChangeReport& report,
                  const char* done, const char* planned) {
  const std::string rows = report.rows ? fmt::format("{} rows", *report.rows) : "rows";
  std::fprintf(stderr, "%s: %s %s: %llu files rewritten, %llu removed whole\n",
               options.table.c_str(), options.dry_run ? planned : done, rows.c_str(),
               static_cast<unsigned long long>(report.files_rewritten),
               static_cast<unsigned long long>(report.files_removed));
  print_sizes(cli, report.before, report.after);
}

int run_delete(Cli& cli, const UpkeepOptions& options) {
  Upkeep upkeep(cli, options);
  RowChangeOptions wanted{.where = options.where, .dry_run = options.dry_run};
  if (!options.yes && !options.dry_run) {
    wanted.dry_run = true;
    const RowChangeReport report =
        cli.run(delete_rows(upkeep.rewriter(), *upkeep.table, *upkeep.store, wanted));
    const std::string rows = report.rows ? fmt::format("{} rows", *report.rows) : "the rows";
    throw Exit(kUsage, fmt::format("{} of {} would be deleted; say --yes to do it (older versions "
                                   "keep them until a vacuum)",
                                   rows, options.table));
  }
  print_change(cli, options,
               cli.run(delete_rows(upkeep.rewriter(), *upkeep.table, *upkeep.store, wanted)),
               "deleted", "would delete");
  return kOk;
}

std::vector<std::pair<std::string, std::string>> assignments(const std::vector<std::string>& set) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& text : set) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      throw Exit(kUsage, fmt::format("--set {}: expected column=expression", text));
    }
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

int run_update(Cli& cli, const UpkeepOptions& options) {
  auto set = assignments(options.set);
  Upkeep upkeep(cli, options);
  const RowChangeOptions wanted{.where = options.where, .dry_run = options.dry_run};
  print_change(
      cli, options,
      cli.run(update_rows(upkeep.rewriter(), *upkeep.table, *upkeep.store, std::move(set), wanted)),
      "updated", "would update");
  return kOk;
}

using Run = int (*)(Cli&, const UpkeepOptions&);

CLI::App* add_verb(CLI::App& table, Cli& cli, const char* name, const char* what,
                   std::shared_ptr<UpkeepOptions> options, Run run) {
  auto* verb = table.add_subcommand(name, what);
  verb->add_option("table", options->table, "A name, URL or path")->required();
  verb->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  add_size(*verb, "--memory", options->memory,
           "What may be held; beyond, it goes to disk (default: 1GiB)");
  verb->callback(
      [&cli, options, run] { cli.action = [&cli, options, run] { return run(cli, *options); }; });
  return verb;
}

}  // namespace

void add_upkeep_verbs(CLI::App& table, Cli& cli) {
  auto options = std::make_shared<UpkeepOptions>();
  auto* optimize = add_verb(table, cli, "optimize", "Join small files; rows stay as they are",
                            options, run_optimize);
  add_size(*optimize, "--target", options->target,
           "About how large files become (default: the table's delta.targetFileSize, else 512MiB)");
  optimize->add_option("--sort", options->sort, "Columns to sort the rows of each partition by")
      ->delimiter(',');
  optimize->add_option("--where", options->where, "Only these partitions: \"day >= '2026-01-01'\"");

  auto* remove = add_verb(table, cli, "delete", "Delete rows", options, run_delete);
  remove->add_option("--where", options->where, "Which: an SQL condition")->required();
  remove->add_flag("--yes", options->yes, "Do it");

  auto* update = add_verb(table, cli, "update", "Change rows", options, run_update);
  update->add_option("--set", options->set, "column=expression; may be given several times")
      ->required()
      ->allow_extra_args(false);
  update->add_option("--where", options->where, "Which rows: an SQL condition")->required();
}

}  // namespace headrace
