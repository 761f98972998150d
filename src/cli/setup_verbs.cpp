// plan apply destroy doctor iam-policy: what a stack needs outside.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>

#include "app/doctor.h"
#include "app/iam.h"
#include "app/setup.h"
#include "cli/cli.h"
#include "core/json.h"
#include "core/random.h"

namespace headrace {
namespace {

using setup::Action;
using setup::Change;
using setup::Plan;

/// As `terraform plan -detailed-exitcode` has it.
constexpr int kChanges = 2;

Parts::Given given_of(Cli& cli) { return {cli.loop(), real_clock(), real_random(), cli.log()}; }

bool wants_json(const Cli& cli) { return cli.output == "json" || cli.output == "ndjson"; }

std::string_view word(Action action) {
  return action == Action::kAdd ? "add" : action == Action::kChange ? "change" : "remove";
}

void write_list(JsonWriter& json, const char* name, const std::vector<std::string>& lines) {
  json.key(name).begin_array();
  for (const std::string& line : lines) json.string(line);
  json.end_array();
}

std::string plan_json(const Plan& plan) {
  JsonWriter json;
  json.begin_object().key("changes").begin_array();
  for (const Change& change : plan.changes) {
    json.begin_object().key("action").string(word(change.action));
    json.key("kind").string(to_string(change.resource.kind));
    json.key("home").string(change.resource.home).key("name").string(change.resource.name);
    if (!change.resource.id.empty()) json.key("id").string(change.resource.id);
    json.key("settings").begin_object();
    for (const auto& [name, value] : change.what) json.key(name).string(value);
    json.end_object().end_object();
  }
  json.end_array();
  for (const Action action : {Action::kAdd, Action::kChange, Action::kRemove}) {
    json.key(word(action)).number(static_cast<std::uint64_t>(plan.count(action)));
  }
  write_list(json, "notes", plan.notes);
  write_list(json, "problems", plan.problems);
  json.end_object();
  return std::move(json).text() + "\n";
}

void show(const Cli& cli, const Plan& plan) {
  if (wants_json(cli)) {
    write_out(plan_json(plan));
  } else {
    for (const Change& change : plan.changes) write_out(change.text() + "\n");
    write_out(plan.changes.empty() ? "nothing to change.\n" : plan.summary() + "\n");
  }
  std::fflush(stdout);
  for (const std::string& note : plan.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  for (const std::string& problem : plan.problems) {
    std::fprintf(stderr, "problem: %s\n", problem.c_str());
  }
}

/// Asks on a terminal; without one, only --yes will do.
void confirm(bool yes, const std::string& question) {
  if (yes) return;
  if (!on_terminal(STDIN_FILENO) || !on_terminal(STDERR_FILENO)) {
    throw Exit(kUsage, question + " Nobody is there to ask: say --yes.");
  }
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "yes") throw Exit(kFailed, "nothing was changed");
}

void say_done(const Change& change) { std::fprintf(stderr, "done: %s\n", change.text().c_str()); }

void add_plan(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("plan", "What apply would change outside");
  auto exit_code = std::make_shared<bool>(false);
  verb->add_flag("--exit-code", *exit_code, "Exit 0: no change, 2: changes, 1: an error");
  verb->callback([&cli, exit_code] {
    cli.action = [&cli, exit_code] {
      StackSetup setup(cli.stack(), given_of(cli));
      const Plan plan = cli.run(setup->plan());
      show(cli, plan);
      if (!plan.problems.empty()) return kFailed;
      return *exit_code && !plan.changes.empty() ? kChanges : kOk;
    };
  });
}

void add_apply(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("apply", "Make buckets, queues and notifications of the stack");
  auto yes = std::make_shared<bool>(false);
  verb->add_flag("-y,--yes", *yes, "Do not ask");
  verb->callback([&cli, yes] {
    cli.action = [&cli, yes] {
      StackSetup setup(cli.stack(), given_of(cli));
      const Plan plan = cli.run(setup->plan());
      show(cli, plan);
      if (!plan.problems.empty()) return kFailed;
      if (!plan.changes.empty()) confirm(*yes, "Make these changes?");
      cli.run(setup->apply(plan, say_done));
      return kOk;
    };
  });
}

void add_destroy(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("destroy", "Remove what apply made, and nothing else");
  auto yes = std::make_shared<bool>(false);
  auto objects = std::make_shared<bool>(false);
  verb->add_flag("-y,--yes", *yes, "Do not ask");
  verb->add_flag("--delete-objects", *objects, "Buckets with everything in them");
  verb->callback([&cli, yes, objects] {
    cli.action = [&cli, yes, objects] {
      StackSetup setup(cli.stack(), given_of(cli));
      const Plan plan = cli.run(setup->plan_destroy());
      show(cli, plan);
      if (!plan.changes.empty()) confirm(*yes, "Remove all of this?");
      cli.run(setup->destroy(plan, *objects, say_done));
      return kOk;
    };
  });
}

void add_doctor(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("doctor", "Look for what is wrong around the stack");
  verb->callback([&cli] {
    cli.action = [&cli] {
      StackSetup setup(cli.stack(), given_of(cli));
      auto rows = cli.rows({{"about"}, {"check"}, {"good"}, {"says"}, {"fix"}});
      bool good = true;
      cli.run(examine(cli.stack(), setup, real_clock(), [&](const Finding& finding) {
        good &= finding.good;
        const std::array cells{Cell::of_text(finding.about), Cell::of_text(finding.check),
                               Cell::boolean(finding.good), Cell::of_text(finding.says),
                               Cell::of_text(finding.fix)};
        rows->row(cells);
      }));
      rows->finish();
      return good ? kOk : kFailed;
    };
  });
}

void add_iam_policy(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("iam-policy", "The least IAM policy that the stack needs");
  auto with_setup = std::make_shared<bool>(false);
  verb->add_flag("--setup", *with_setup, "Also what plan, apply and destroy need");
  verb->callback([&cli, with_setup] {
    cli.action = [&cli, with_setup] {
      write_out(iam_policy(cli.stack(), *with_setup));
      return kOk;
    };
  });
}

}  // namespace

void add_setup_verbs(CLI::App& app, Cli& cli) {
  add_plan(app, cli);
  add_apply(app, cli);
  add_destroy(app, cli);
  add_doctor(app, cli);
  add_iam_policy(app, cli);
}

}  // namespace headrace
