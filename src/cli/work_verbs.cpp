// status task dead event pattern: what the engine has to do and what became of it.

#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/parts.h"
#include "cli/api_client.h"
#include "cli/cli.h"
#include "cli/event_decode.h"
#include "cli/pattern_verbs.h"
#include "cli/text_input.h"
#include "cli/urls.h"
#include "core/json.h"

namespace headrace {
namespace {

const std::vector<Column> kTaskColumns{
    {"id"},     {"route"},     {"state"}, {"due"}, {"attempt", "", Align::kRight},
    {"object"}, {"last_error"}};
const std::vector<Column> kDeadColumns{{"id", "", Align::kRight},
                                       {"route"},
                                       {"at"},
                                       {"attempts", "", Align::kRight},
                                       {"kind"},
                                       {"object"},
                                       {"error"}};

/// Tasks that ended well without doing anything, since the engine started.
void tell_of_outcomes(simdjson::dom::element route) {
  const auto count = [&](const char* name) { return std::uint64_t(route[name]); };
  const std::string_view name = route["route"];
  std::fprintf(stderr, "%.*s: %lu objects were gone, %lu overwritten meanwhile, %lu skipped\n",
               static_cast<int>(name.size()), name.data(), count("gone"), count("superseded"),
               count("skipped"));
}

/// What is held up now: a route that pauses, a batch whose table refuses it.
void tell_of_waiting(simdjson::dom::element one) {
  const auto text = [&](const char* name) { return std::string(std::string_view(one[name])); };
  std::fprintf(stderr, "%s: waiting since %s (%s): %s\n", text("route").c_str(),
               text("since").c_str(), text("what").c_str(), text("error").c_str());
}

void add_status(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("status", "Health and counters by route");
  verb->callback([&cli] {
    cli.action = [&cli] {
      const std::string body = call_api(cli, {.path = "/api/v1/status"});
      if (cli.format() != OutputFormat::kTable) {
        write_out(body + "\n");
        return kOk;
      }
      simdjson::dom::parser parser;
      const simdjson::dom::element status = parser.parse(body);
      const bool running = !status["running"].error();
      std::fprintf(stderr, "%s: %s\n", cli.stack().name.c_str(),
                   running ? "running" : "not running");
      const std::vector<Column> columns{{"route"},
                                        {"tasks", "", Align::kRight},
                                        {"pending", "", Align::kRight},
                                        {"done", "", Align::kRight},
                                        {"retried", "", Align::kRight},
                                        {"cancelled", "", Align::kRight},
                                        {"dead", "", Align::kRight}};
      auto rows = cli.rows(columns);
      for (const auto route : status["routes"].get_array()) {
        std::vector<Cell> cells{Cell::of_text(std::string(std::string_view(route["route"])))};
        for (std::size_t i = 1; i < columns.size(); ++i) {
          cells.push_back(Cell::number(std::int64_t(route[columns[i].name])));
        }
        rows->row(cells);
      }
      rows->finish();
      simdjson::dom::array without_effect;
      if (status["without_effect"].get(without_effect) == simdjson::SUCCESS) {
        for (const auto route : without_effect) tell_of_outcomes(route);
      }
      simdjson::dom::array waiting;
      if (status["waiting"].get(waiting) == simdjson::SUCCESS) {
        for (const auto one : waiting) tell_of_waiting(one);
      }
      return kOk;
    };
  });
}

/// Adds to `fields` an option that is sent as it is.
void add_filter(CLI::App* verb, std::shared_ptr<std::map<std::string, std::string>> fields,
                const std::string& name, const std::string& help) {
  verb->add_option_function<std::string>(
      "--" + name, [fields, name](const std::string& value) { (*fields)[name] = value; }, help);
}

/// The body of an action: ids or filters.
std::string action_body(const std::vector<std::string>& ids,
                        const std::map<std::string, std::string>& fields) {
  JsonWriter json;
  json.begin_object();
  if (!ids.empty()) {
    json.key("ids").begin_array();
    for (const std::string& id : ids) json.string(id);
    json.end_array();
  }
  for (const auto& [name, value] : fields) json.key(name).string(value);
  json.end_object();
  return std::move(json).text();
}

/// What came of messages that their source read once more.
void tell_of_reread(simdjson::dom::element reread) {
  const auto count = [&](const char* name) { return std::uint64_t(reread[name]); };
  std::fprintf(stderr, "messages of sources: %lu read now (%lu events, %lu more known already)\n",
               count("read"), count("events"), count("duplicates"));
  if (count("unreadable") == 0) return;
  const std::string_view error = reread["last_error"];
  std::fprintf(stderr, "%lu still can't be read and stay, the last: %.*s\n", count("unreadable"),
               static_cast<int>(error.size()), error.data());
}

/// Runs an action and says what it did; 3 if not everything that matched was changed.
int act(Cli& cli, const std::string& path, const std::string& body, const char* done,
        bool dry_run) {
  simdjson::dom::parser parser;
  const std::string answer =
      call_api(cli, {.method = "POST", .path = "/api/v1/" + path, .body = body});
  const simdjson::dom::element json = parser.parse(answer);
  const std::uint64_t matched = json["matched"];
  const std::uint64_t changed = json["changed"];
  if (dry_run) {
    std::fprintf(stderr, "would have %s %lu\n", done, matched);
    return kOk;
  }
  std::fprintf(stderr, "%s %lu of %lu\n", done, changed, matched);
  simdjson::dom::element reread;
  if (json["reread"].get(reread) == simdjson::SUCCESS) tell_of_reread(reread);
  std::string_view note;
  if (json["note"].get(note) == simdjson::SUCCESS) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(note.size()), note.data());
  }
  return changed == matched ? kOk : kPartly;
}

struct Action {
  std::vector<std::string> ids;
  std::shared_ptr<std::map<std::string, std::string>> fields =
      std::make_shared<std::map<std::string, std::string>>();
  bool dry_run = false;
};

void add_task_action(CLI::App* task, Cli& cli, const std::string& name, const std::string& help,
                     const char* done) {
  auto* verb = task->add_subcommand(name, help);
  auto action = std::make_shared<Action>();
  verb->add_option("id", action->ids);
  add_filter(verb, action->fields, "route", "All waiting tasks of this route");
  verb->add_flag("--dry-run", action->dry_run, "Say how many, change nothing");
  verb->callback([&cli, action, name, done] {
    cli.action = [&cli, action, name, done] {
      if (action->dry_run) (*action->fields)["dry_run"] = "true";
      return act(cli, "tasks/" + name, action_body(action->ids, *action->fields), done,
                 action->dry_run);
    };
  });
}

void add_list(CLI::App* noun, Cli& cli, const std::string& path, const std::string& help,
              const std::vector<Column>& columns, const std::vector<std::string>& filters) {
  auto* verb = noun->add_subcommand("ls", help);
  auto fields = std::make_shared<std::map<std::string, std::string>>();
  auto limit = std::make_shared<std::size_t>(100);
  for (const std::string& filter : filters) add_filter(verb, fields, filter, "");
  verb->add_option("--limit", *limit, "Most rows (default 100)");
  verb->callback([&cli, path, columns, fields, limit] {
    cli.action = [&cli, path, columns, fields, limit] {
      const std::size_t given =
          print_items(cli, {.path = "/api/v1/" + path, .query = *fields}, *limit, columns);
      if (given == *limit) std::fprintf(stderr, "there may be more: --limit\n");
      return kOk;
    };
  });
}

void add_show(CLI::App* noun, Cli& cli, const std::string& path, const std::string& help) {
  auto* verb = noun->add_subcommand("show", help);
  auto id = std::make_shared<std::string>();
  verb->add_option("id", *id)->required();
  verb->callback([&cli, path, id] {
    cli.action = [&cli, path, id] {
      print_object(cli, call_api(cli, {.path = "/api/v1/" + path + "/" + *id}));
      return kOk;
    };
  });
}

void add_task(CLI::App& app, Cli& cli) {
  auto* task = app.add_subcommand("task", "Work that waits: scheduled, due, running");
  task->require_subcommand(1);
  add_list(task, cli, "tasks", "What waits, oldest due first", kTaskColumns, {"route"});
  add_show(task, cli, "tasks", "One task with its event");
  add_task_action(task, cli, "cancel", "End tasks that have not started", "cancelled");
  add_task_action(task, cli, "run-now", "Make scheduled tasks due at once", "made due");
}

void add_dead_action(CLI::App* dead, Cli& cli, const std::string& name, const std::string& help,
                     const char* done) {
  auto* verb = dead->add_subcommand(name, help);
  auto action = std::make_shared<Action>();
  auto all = std::make_shared<bool>(false);
  auto yes = std::make_shared<bool>(false);
  verb->add_option("id", action->ids);
  for (const char* filter : {"route", "kind", "since", "until", "key", "limit"}) {
    add_filter(verb, action->fields, filter, "");
  }
  if (name == "redrive") add_filter(verb, action->fields, "rate", "Tasks per second");
  if (name == "drop") verb->add_flag("--yes", *yes, "Do it: they are gone for good");
  verb->add_flag("--all", *all, "Of every route");
  verb->add_flag("--dry-run", action->dry_run, "Say how many, change nothing");
  verb->callback([&cli, action, name, done, all, yes] {
    cli.action = [&cli, action, name, done, all, yes] {
      const bool ask = name == "drop" && !*yes;
      if (*all) (*action->fields)["all"] = "true";
      if (action->dry_run || ask) (*action->fields)["dry_run"] = "true";
      const int code = act(cli, "dead/" + name, action_body(action->ids, *action->fields), done,
                           action->dry_run || ask);
      if (ask && !action->dry_run) throw Exit(kUsage, "say --yes to drop them for good");
      return code;
    };
  });
}

void add_dead(CLI::App& app, Cli& cli) {
  auto* dead = app.add_subcommand("dead", "Dead letters: work that failed for good");
  dead->require_subcommand(1);
  add_list(dead, cli, "dead", "By route, kind, time, object", kDeadColumns,
           {"route", "kind", "since", "until", "key"});
  add_show(dead, cli, "dead", "One dead letter with its event");
  add_dead_action(dead, cli, "redrive", "Turn dead letters into tasks again", "redriven");
  add_dead_action(dead, cli, "drop", "Forget dead letters", "dropped");
}

void add_event(CLI::App& app, Cli& cli) {
  auto* event =
      app.add_subcommand("event", "Events: read messages, which routes want them, send one");
  event->require_subcommand(1);
  add_event_decode(*event, cli);

  auto* match = event->add_subcommand("match", "For each route: does it take the event, why not");
  auto file = std::make_shared<std::string>("-");
  match->add_option("file", *file, "Events, one JSON object a line; - is stdin");
  match->callback([&cli, file] {
    cli.action = [&cli, file] {
      const Routes routes(rules_of(cli.stack()));
      auto rows = cli.rows({{"event"}, {"route"}, {"takes"}, {"field"}, {"why"}});
      for_each_line(read_text(*file), [&](std::string_view line, std::size_t) {
        const Event parsed = event_from_json(line);
        for (const Explanation& told : routes.explain(parsed)) {
          const std::array cells{Cell::of_text(parsed.id), Cell::of_text(routes.name(told.id)),
                                 Cell::boolean(told.matches), Cell::of_text(told.field),
                                 Cell::of_text(told.why)};
          rows->row(cells);
        }
      });
      rows->finish();
      return kOk;
    };
  });

  auto* send = event->add_subcommand("send", "Hand events to the running engine");
  auto sent = std::make_shared<std::string>("-");
  send->add_option("file", *sent, "Events, one JSON object a line; - is stdin");
  send->callback([&cli, sent] {
    cli.action = [&cli, sent] {
      std::uint64_t tasks = 0;
      simdjson::dom::parser parser;
      for_each_line(read_text(*sent), [&](std::string_view line, std::size_t) {
        const std::string answer =
            call_api(cli, {.method = "POST", .path = "/api/v1/events", .body = std::string(line)});
        tasks += std::uint64_t(parser.parse(answer)["tasks"]);
      });
      std::fprintf(stderr, "made %lu tasks\n", tasks);
      return kOk;
    };
  });
}

}  // namespace

void add_work_verbs(CLI::App& app, Cli& cli) {
  add_status(app, cli);
  add_task(app, cli);
  add_dead(app, cli);
  add_event(app, cli);
  add_pattern(app, cli);
}

}  // namespace headrace
