// table: what Delta tables are made of, and their upkeep.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/cli.h"
#include "cli/upkeep_verbs.h"
#include "cli/urls.h"
#include "core/json.h"
#include "core/size.h"
#include "format/schema_text.h"

namespace headrace {
namespace {

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
  for (const auto& [name, value] : snapshot.properties) {
    std::fprintf(stderr, "%s = %s\n", name.c_str(), value.c_str());
  }
  return kOk;
}

int show_history(Cli& cli, const std::string& name, std::size_t limit) {
  std::unique_ptr<Table> own;
  auto rows = cli.rows({{"version", "", Align::kRight},
                        {"at"},
                        {"operation"},
                        {"parameters"},
                        {"files_added", "", Align::kRight},
                        {"files_removed", "", Align::kRight},
                        {"rows_added", "", Align::kRight},
                        {"by"}});
  for (const HistoryEntry& entry : cli.run(table_of(cli, name, own).history(limit))) {
    const std::array cells{
        Cell::number(entry.version),
        Cell::of_text(format_time(entry.at)),
        Cell::of_text(entry.operation),
        entry.parameters.empty() ? Cell::null() : Cell::literal(entry.parameters),
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
                        {"deleted", "", Align::kRight},
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
        Cell::of_text(file.path),
        Cell::number(static_cast<std::int64_t>(file.size)),
        file.rows ? Cell::number(static_cast<std::int64_t>(*file.rows)) : Cell::null(),
        file.deletion_vector ? Cell::number(file.deletion_vector->cardinality) : Cell::number(0),
        Cell::literal(partition.text()),
        Cell::of_text(format_time(file.modified))};
    rows->row(cells);
  }
  rows->finish();
  return kOk;
}

int checkpoint_table(Cli& cli, const std::string& name) {
  std::unique_ptr<Table> own;
  const auto version = cli.run(table_of(cli, name, own).checkpoint());
  if (!version) throw Exit(kFailed, fmt::format("no table at {}: it has no rows yet", name));
  std::fprintf(stderr, "%s: wrote a checkpoint of version %ld\n", name.c_str(), *version);
  return kOk;
}

struct VacuumArguments {
  std::string table;
  std::string retain;
  bool force = false;
  bool yes = false;
  bool dry_run = false;
};

int vacuum_table(Cli& cli, const VacuumArguments& arguments) {
  VacuumOptions options{.force = arguments.force, .dry_run = !arguments.yes || arguments.dry_run};
  if (!arguments.retain.empty()) {
    options.retention = parse_duration(arguments.retain);
    if (!options.retention) {
      throw Exit(kUsage,
                 fmt::format("--retain {}: expected a duration like 7d or 12h", arguments.retain));
    }
  }
  auto rows = cli.rows({{"path"}, {"bytes", "", Align::kRight}, {"modified"}});
  options.each = [&rows](const OldFile& file) {
    const std::array cells{Cell::of_text(file.path),
                           Cell::number(static_cast<std::int64_t>(file.size)),
                           Cell::of_text(format_time(file.modified))};
    rows->row(cells);
  };
  const bool dry_run = options.dry_run;
  std::unique_ptr<Table> own;
  const VacuumResult result =
      cli.run(table_of(cli, arguments.table, own).vacuum(std::move(options)));
  rows->finish();
  std::fprintf(stderr, "%s: %s %lu files, %s%s\n", arguments.table.c_str(),
               dry_run ? "would remove" : "removed", result.files,
               format_size(result.bytes).c_str(),
               dry_run && result.files > 0 ? "; --yes to do it" : "");
  return kOk;
}

int drop_table(Cli& cli, const std::string& name, bool yes, bool dry_run) {
  std::unique_ptr<Table> own;
  Table& table = table_of(cli, name, own);
  const DropResult found = cli.run(table.drop(/*dry_run=*/true));
  const auto told = [&](const char* what, const DropResult& result) {
    std::fprintf(stderr, "%s: %s %lu objects, %s\n", name.c_str(), what, result.objects,
                 format_size(result.bytes).c_str());
    if (result.left > 0) {
      std::fprintf(stderr, "%lu other objects stay there, such as %s\n", result.left,
                   result.first_left.c_str());
    }
  };
  if (found.objects == 0) throw Exit(kFailed, fmt::format("no table at {}", name));
  if (dry_run || !yes) {
    told("would remove", found);
    if (dry_run) return kOk;
    throw Exit(kUsage, fmt::format("dropping {} cannot be undone: say --yes", name));
  }
  told("removed", cli.run(table.drop(/*dry_run=*/false)));
  return kOk;
}

struct CreateArguments {
  std::string table;
  std::vector<std::string> columns;
  std::vector<std::string> partition_by;
  std::vector<std::string> properties;
  std::string description;
  bool dry_run = false;
};

/// The two sides of "name:type" or "key=value".
std::pair<std::string, std::string> split_at(const std::string& text, char mark, const char* what) {
  const std::size_t at = text.find(mark);
  if (at == 0 || at == std::string::npos) {
    throw Exit(kUsage, fmt::format("{}: expected {}", text, what));
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

NewTable new_table(Cli& cli, const CreateArguments& arguments) {
  NewTable out{.partition_by = arguments.partition_by, .description = arguments.description};
  for (const std::string& column : arguments.columns) {
    auto [name, text] = split_at(column, ':', "name:type, such as id:long");
    const auto type = parse_type(text);
    if (!type) {
      throw Exit(kUsage, fmt::format("column {}: '{}' is no type; types are boolean, byte, short, "
                                     "integer, long, float, double, decimal(p,s), string, binary, "
                                     "date, timestamp, timestamp_ntz, array<t>, map<k,v>, "
                                     "struct<a:t,...>",
                                     name, text));
    }
    Field field;
    field.name = std::move(name);
    field.type = *type;
    out.schema.fields.push_back(std::move(field));
  }
  for (const std::string& property : arguments.properties) {
    out.properties.insert(split_at(property, '=', "name=value"));
  }
  const bool of_stack = arguments.table.find('/') == std::string::npos;
  const TableConfig* config = of_stack ? cli.catalog().config_of(arguments.table) : nullptr;
  if (config != nullptr && out.partition_by.empty()) out.partition_by = config->partition_by;
  if (config != nullptr)
    out.properties.insert(config->properties.begin(), config->properties.end());
  return out;
}

int create_table(Cli& cli, const CreateArguments& arguments) {
  NewTable made = new_table(cli, arguments);
  std::unique_ptr<Table> own;
  Table& table = table_of(cli, arguments.table, own);
  if (arguments.dry_run) {
    const auto there = cli.run(table.snapshot());
    if (there) throw Exit(kFailed, fmt::format("{}: there is a table already", arguments.table));
    std::fprintf(stderr, "%s: would be made with %zu columns\n", arguments.table.c_str(),
                 made.schema.fields.size());
    return kOk;
  }
  cli.run(table.create(std::move(made)));
  std::fprintf(stderr, "%s: made, without rows\n", arguments.table.c_str());
  return kOk;
}

using Properties = std::map<std::string, std::optional<std::string>>;

int change_properties(Cli& cli, const std::string& name, Properties properties) {
  std::unique_ptr<Table> own;
  Change change{.operation = "UNSET TBLPROPERTIES", .properties = std::move(properties)};
  for (const auto& [property, value] : change.properties) {
    if (value) change.operation = "SET TBLPROPERTIES";
  }
  const ChangeResult result = cli.run(table_of(cli, name, own).change(std::move(change)));
  std::fprintf(stderr, "%s: %s version %ld\n", name.c_str(),
               result.already_done ? "nothing to change at" : "changed in", result.version);
  return kOk;
}

// -------- The command line

CLI::App* add_verb(CLI::App& table, Cli& cli, const char* verb, const char* says,
                   int (*run)(Cli&, const std::string&)) {
  auto name = std::make_shared<std::string>();
  auto* added = table.add_subcommand(verb, says);
  added->add_option("table", *name, "A name, URL or path")->required();
  added->callback(
      [&cli, name, run] { cli.action = [&cli, name, run] { return run(cli, *name); }; });
  return added;
}

void add_history(CLI::App& table, Cli& cli) {
  auto name = std::make_shared<std::string>();
  auto limit = std::make_shared<std::size_t>(20);
  auto* history = table.add_subcommand("history", "Versions, newest first");
  history->add_option("table", *name, "A name, URL or path")->required();
  history->add_option("--limit", *limit, "Most versions (default 20)");
  history->callback([&cli, name, limit] {
    cli.action = [&cli, name, limit] { return show_history(cli, *name, *limit); };
  });
}

void add_vacuum(CLI::App& table, Cli& cli) {
  auto arguments = std::make_shared<VacuumArguments>();
  auto* vacuum = table.add_subcommand(
      "vacuum", "Data files that no version needs any more; removes them with --yes");
  vacuum->add_option("table", arguments->table, "A name, URL or path")->required();
  vacuum->add_option("--retain", arguments->retain,
                     "How long files stay, e.g. 7d (default: the table's, else 7d)");
  vacuum->add_flag("--force", arguments->force, "Allow a shorter time than the table's");
  vacuum->add_flag("--yes", arguments->yes, "Remove them");
  vacuum->add_flag("--dry-run", arguments->dry_run, "Only tell, as without --yes");
  vacuum->callback([&cli, arguments] {
    cli.action = [&cli, arguments] { return vacuum_table(cli, *arguments); };
  });
}

void add_create(CLI::App& table, Cli& cli) {
  auto arguments = std::make_shared<CreateArguments>();
  auto* create =
      table.add_subcommand("create", "A table without rows; else the first rows make it");
  create->add_option("table", arguments->table, "A name, URL or path")->required();
  create->add_option("-c,--column", arguments->columns, "name:type, such as id:long; repeatable")
      ->required();
  create
      ->add_option("--partition-by", arguments->partition_by,
                   "Columns whose values part the files (default: the stack's)")
      ->delimiter(',');
  create->add_option("-p,--property", arguments->properties,
                     "name=value, such as delta.appendOnly=true; repeatable");
  create->add_option("--description", arguments->description, "What it is about");
  create->add_flag("--dry-run", arguments->dry_run, "Only check");
  create->callback([&cli, arguments] {
    cli.action = [&cli, arguments] { return create_table(cli, *arguments); };
  });
}

void add_set(CLI::App& table, Cli& cli) {
  auto name = std::make_shared<std::string>();
  auto words = std::make_shared<std::vector<std::string>>();
  auto* set = table.add_subcommand("set", "Set properties of a table");
  set->add_option("table", *name, "A name, URL or path")->required();
  set->add_option("properties", *words, "name=value, such as delta.appendOnly=true")->required();
  set->callback([&cli, name, words] {
    cli.action = [&cli, name, words] {
      Properties properties;
      for (const std::string& word : *words) properties.insert(split_at(word, '=', "name=value"));
      return change_properties(cli, *name, std::move(properties));
    };
  });
  auto* unset = table.add_subcommand("unset", "Take properties of a table away: back to defaults");
  unset->add_option("table", *name, "A name, URL or path")->required();
  unset->add_option("properties", *words, "Names, such as delta.appendOnly")->required();
  unset->callback([&cli, name, words] {
    cli.action = [&cli, name, words] {
      Properties properties;
      for (const std::string& word : *words) properties.emplace(word, std::nullopt);
      return change_properties(cli, *name, std::move(properties));
    };
  });
}

void add_drop(CLI::App& table, Cli& cli) {
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  auto dry_run = std::make_shared<bool>(false);
  auto* drop = table.add_subcommand("drop", "Remove a table with its files; needs --yes");
  drop->add_option("table", *name, "A name, URL or path")->required();
  drop->add_flag("--yes", *yes, "Do it: it cannot be undone");
  drop->add_flag("--dry-run", *dry_run, "Only tell what would go");
  drop->callback([&cli, name, yes, dry_run] {
    cli.action = [&cli, name, yes, dry_run] { return drop_table(cli, *name, *yes, *dry_run); };
  });
}

}  // namespace

void add_table_verbs(CLI::App& app, Cli& cli) {
  auto* table = app.add_subcommand("table", "Delta tables of the stack, or any by URL");
  table->require_subcommand(1);
  auto* ls = table->add_subcommand("ls", "The stack's tables that exist");
  ls->callback([&cli] { cli.action = [&cli] { return list_tables(cli); }; });
  add_verb(*table, cli, "show", "Columns, size, version and properties", show_table);
  add_history(*table, cli);
  add_verb(*table, cli, "files", "The files that are the table now", show_files);
  add_verb(*table, cli, "checkpoint", "Write a checkpoint of the newest version", checkpoint_table);
  add_vacuum(*table, cli);
  add_create(*table, cli);
  add_set(*table, cli);
  add_drop(*table, cli);
  add_upkeep_verbs(*table, cli);
}

}  // namespace headrace
