// dataset: raw objects under a prefix as a table of SQL, with the columns that crawls found.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

#include "app/dataset_files.h"
#include "cli/cli.h"
#include "cli/sql_session.h"
#include "core/error.h"
#include "core/size.h"
#include "query/dataset_columns.h"
#include "query/engine.h"

namespace headrace {
namespace {

std::string url_of(const DatasetConfig& config) {
  return fmt::format("{}://{}/{}", config.store, config.bucket, config.prefix);
}

/// What is kept, or null; a file that cannot be read is told and counts as none.
std::shared_ptr<const DatasetState> kept(Cli& cli, const std::string& name) {
  try {
    return load_dataset_state(cli.stack(), name);
  } catch (const Error& error) {
    std::fprintf(stderr, "headrace: %s\n", error.what());
    return nullptr;
  }
}

void drop_if_broken(Cli& cli, const std::string& name) {
  try {
    load_dataset_state(cli.stack(), name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    drop_dataset_state(cli.stack(), name);
  }
}

const DatasetConfig& dataset(Cli& cli, const std::string& name) {
  const auto found = cli.stack().datasets.find(name);
  if (found != cli.stack().datasets.end()) return *found->second;
  std::string known;
  for (const auto& [other, config] : cli.stack().datasets) {
    known += (known.empty() ? "" : ", ") + other;
  }
  throw Exit(kUsage, fmt::format("the stack has no dataset {}; it has {}", name,
                                 known.empty() ? "none" : known));
}

int list_datasets(Cli& cli) {
  auto rows = cli.rows({{"dataset"},
                        {"place"},
                        {"format"},
                        {"columns", "", Align::kRight},
                        {"objects", "", Align::kRight},
                        {"bytes", "", Align::kRight},
                        {"crawled"}});
  for (const auto& [name, config] : cli.stack().datasets) {
    const auto state = kept(cli, name);
    const auto number = [&](std::uint64_t value) {
      return state ? Cell::number(static_cast<std::int64_t>(value)) : Cell::null();
    };
    const std::size_t columns = state ? state->columns.size() + state->partitions.size() : 0;
    const std::array cells{
        Cell::of_text(name),
        Cell::of_text(url_of(*config)),
        Cell::of_text(std::string(to_string(state ? state->format : config->format))),
        number(columns),
        number(state ? state->objects : 0),
        number(state ? state->bytes : 0),
        state ? Cell::of_text(format_time(state->crawled)) : Cell::null()};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

/// The columns as SQL sees them now, and how each differs from what is kept.
int show_dataset(Cli& cli, const std::string& name) {
  const DatasetConfig& config = dataset(cli, name);
  const auto state = kept(cli, name);
  if (state) {
    std::fprintf(stderr, "%s: crawled %s, %lu objects, %s\n", name.c_str(),
                 format_time(state->crawled).c_str(), state->objects,
                 format_size(state->bytes).c_str());
  } else {
    std::fprintf(stderr, "%s: not crawled; the columns are those of its first rows\n",
                 name.c_str());
  }
  SqlSession session(cli, {});
  std::vector<TypedColumn> now;
  for (auto& row :
       session.rows("SELECT column_name, column_type FROM (DESCRIBE " + sql_name(name) + ")")) {
    now.push_back({std::move(row.at(0)), std::move(row.at(1))});
  }
  auto rows = cli.rows({{"column"}, {"type"}, {"from"}, {"drift"}});
  const auto find = [](const std::vector<TypedColumn>& columns, const std::string& column) {
    return std::ranges::find(columns, column, &TypedColumn::name);
  };
  for (const TypedColumn& column : now) {
    std::string from = "objects";
    std::string drift;
    if (config.columns.contains(column.name)) from = "stack";
    if (state && find(state->partitions, column.name) != state->partitions.end()) from = "folders";
    if (state && from == "objects") {
      const auto was = find(state->columns, column.name);
      if (was == state->columns.end()) {
        drift = "new";
      } else if (was->type != column.type && was->type != kUnknownType) {
        drift = "was " + was->type;
      }
    }
    const std::array cells{Cell::of_text(column.name), Cell::of_text(column.type),
                           Cell::of_text(from), Cell::of_text(drift)};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int crawl_datasets(Cli& cli, std::vector<std::string> names, bool anew) {
  if (names.empty()) {
    for (const auto& [name, config] : cli.stack().datasets) names.push_back(name);
  }
  for (const std::string& name : names) {
    dataset(cli, name);
    if (anew) drop_if_broken(cli, name);
  }
  SqlSession session(cli, {});
  auto rows = cli.rows({{"dataset"},
                        {"objects", "", Align::kRight},
                        {"objects_read", "", Align::kRight},
                        {"columns", "", Align::kRight},
                        {"changes"}});
  for (const std::string& name : names) {
    Crawl crawl = session.crawl(name, anew);
    const std::array cells{Cell::of_text(name),
                           Cell::number(static_cast<std::int64_t>(crawl.state.objects)),
                           Cell::number(static_cast<std::int64_t>(crawl.objects_read)),
                           Cell::number(static_cast<std::int64_t>(crawl.state.columns.size() +
                                                                  crawl.state.partitions.size())),
                           Cell::of_text(to_string(crawl.changes))};
    save_dataset_state(cli.stack(), name, std::move(crawl.state));
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int show_changes(Cli& cli, const std::string& name) {
  dataset(cli, name);
  auto rows = cli.rows({{"at"}, {"column"}, {"was"}, {"now"}});
  if (const auto state = kept(cli, name)) {
    for (const ColumnChange& change : state->changes) {
      const auto text = [](const std::string& type) {
        return type.empty() ? Cell::null() : Cell::of_text(type);
      };
      const std::array cells{Cell::of_text(format_time(change.at)), Cell::of_text(change.column),
                             text(change.was), text(change.now)};
      rows->row(cells);
    }
  }
  rows->finish();
  return kOk;
}

}  // namespace

void add_dataset_verbs(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("dataset", "Raw objects under a prefix, as tables of SQL");
  verb->require_subcommand(1);
  verb->add_subcommand("ls", "The stack's datasets and what was crawled of them")->callback([&cli] {
    cli.action = [&cli] { return list_datasets(cli); };
  });
  auto name = std::make_shared<std::string>();
  auto* show = verb->add_subcommand("show", "Columns now, and their drift since the crawl");
  show->add_option("dataset", *name, "Its name")->required();
  show->callback([&cli, name] { cli.action = [&cli, name] { return show_dataset(cli, *name); }; });
  auto* changes = verb->add_subcommand("changes", "What crawls found to have changed");
  changes->add_option("dataset", *name, "Its name")->required();
  changes->callback(
      [&cli, name] { cli.action = [&cli, name] { return show_changes(cli, *name); }; });
  auto names = std::make_shared<std::vector<std::string>>();
  auto anew = std::make_shared<bool>(false);
  auto* crawl = verb->add_subcommand(
      "crawl", "Look at objects that are new or rewritten, and keep the columns and partitions");
  crawl->add_option("datasets", *names, "Their names (default: all)");
  crawl->add_flag("--anew", *anew, "Look at all objects; forget columns that are gone");
  crawl->callback([&cli, names, anew] {
    cli.action = [&cli, names, anew] { return crawl_datasets(cli, *names, *anew); };
  });
}

}  // namespace headrace
