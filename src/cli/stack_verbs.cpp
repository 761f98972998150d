// init run reload validate config test: the stack file and the engine that runs it.

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "app/engine.h"
#include "app/examples.h"
#include "app/parts.h"
#include "app/stack_tests.h"
#include "cli/api_client.h"
#include "cli/cli.h"

namespace headrace {
namespace {

constexpr Duration kStatusEvery = std::chrono::milliseconds(250);

void add_init(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("init", "Write a stack file to start from");
  auto name = std::make_shared<std::string>("events-to-table");
  auto list = std::make_shared<bool>(false);
  verb->add_option("example", *name, "Which one (default: events-to-table)");
  verb->add_flag("--list", *list, "Show the examples there are");
  verb->callback([&cli, name, list] {
    cli.action = [&cli, name, list] {
      if (*list) {
        auto rows = cli.rows({{"example"}, {"what"}});
        for (const ExampleStack& example : example_stacks()) {
          const std::array cells{Cell::of_text(std::string(example.name)),
                                 Cell::of_text(std::string(example.what))};
          rows->row(cells);
        }
        rows->finish();
        return kOk;
      }
      const ExampleStack* example = find_example(*name);
      if (example == nullptr) {
        throw Exit(kUsage,
                   fmt::format("no example '{}'; `headrace init --list` shows them", *name));
      }
      if (std::filesystem::exists(cli.stack_path)) {
        throw Exit(kUsage, fmt::format("{} is there already: move it away, or name another file "
                                       "with -f",
                                       cli.stack_path));
      }
      std::ofstream file(cli.stack_path);
      file << example->text;
      if (!file.flush()) throw Exit(kFailed, errno_error(errno, "write " + cli.stack_path).what());
      std::fprintf(stderr, "wrote %s; next: headrace validate, then headrace run\n",
                   cli.stack_path.c_str());
      return kOk;
    };
  });
}

void add_validate(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("validate", "Check the stack file, offline");
  verb->callback([&cli] {
    cli.action = [&cli] {
      const StackFile& stack = cli.stack();
      std::fprintf(stderr, "%s: %zu stores, %zu sources, %zu tables, %zu routes: ok\n",
                   cli.stack_path.c_str(), stack.stores.size(), stack.sources.size(),
                   stack.tables.size(), stack.routes.size());
      return kOk;
    };
  });
}

void add_config(CLI::App& app, Cli& cli) {
  auto* config = app.add_subcommand("config", "The stack file as the program understands it");
  config->require_subcommand(1);
  auto* show = config->add_subcommand("show", "Defaults filled in, variables replaced, no secrets");
  show->callback([&cli] {
    cli.action = [&cli] {
      std::string diagnostics;
      const std::string shown = show_stack_file(cli.stack_path, diagnostics);
      std::fputs(diagnostics.c_str(), stderr);
      if (shown.empty()) return kUsage;
      write_out(shown);
      return kOk;
    };
  });
  auto* schema = config->add_subcommand("schema", "JSON Schema (draft-07) of the stack file");
  schema->callback([&cli] {
    cli.action = [] {
      write_out(stack_schema() + "\n");
      return kOk;
    };
  });
  auto* reference = config->add_subcommand("reference", "Every key of the stack file, as Markdown");
  reference->callback([&cli] {
    cli.action = [] {
      write_out(stack_reference());
      return kOk;
    };
  });
}

/// The line that is drawn over and over while the engine runs on a terminal.
Task<> show_progress(StackEngine& engine, Clock& clock) {
  Duration last_at = clock.monotonic();
  std::uint64_t last_done = 0;
  while (true) {
    co_await clock.sleep(kStatusEvery);
    const EngineProgress now = engine.progress();
    const Duration at = clock.monotonic();
    const double seconds = std::chrono::duration<double>(at - last_at).count();
    const double rate = static_cast<double>(now.done - last_done) / seconds;
    std::fprintf(stderr,
                 "\r\x1b[K%lu events  %lu done (%.0f/s)  %lu pending  %zu running  %lu retried  "
                 "%lu dead  %lu commits",
                 now.events, now.done, rate, now.pending, now.running, now.retried, now.dead,
                 now.commits);
    std::fflush(stderr);
    last_at = at;
    last_done = now.done;
  }
}

int run_engine(Cli& cli, bool once) {
  auto ledger = cli.run(wait_for_ledger(cli.stack(), real_clock(), real_random(), cli.log()));
  Parts parts(cli.stack(), {cli.loop(), real_clock(), real_random(), cli.log()}, std::move(ledger));
  std::exception_ptr failure;
  std::unique_ptr<StackEngine> engine;
  boost::asio::signal_set signals(cli.loop(), SIGINT, SIGTERM, SIGHUP);
  boost::asio::cancellation_signal progress;
  const bool draw = on_terminal(STDERR_FILENO) && cli.log_format == "text" && !cli.quiet;

  const bool had_terminal = on_terminal(STDERR_FILENO);
  std::function<void()> listen = [&] {
    signals.async_wait([&](boost::system::error_code failed, int signal) {
      if (failed) return;
      // A terminal that went away says the same as who asks for the stack to be read again.
      if (signal == SIGHUP && had_terminal == on_terminal(STDERR_FILENO)) {
        engine->reload_soon();
        return listen();
      }
      cli.log().info("stopping: running tasks are finished or given back");
      engine->stop();
    });
  };
  auto all = [&]() -> Task<> {
    co_await parts.wire();
    engine = std::make_unique<StackEngine>(parts, cli.log());
    listen();
    if (draw) {
      boost::asio::co_spawn(
          cli.loop(), show_progress(*engine, real_clock()),
          boost::asio::bind_cancellation_slot(progress.slot(), [](std::exception_ptr) {}));
    }
    cli.log().info("running", {{"stack", cli.stack().name}, {"once", once ? "yes" : "no"}});
    co_await engine->run({.once = once});
  };
  boost::asio::co_spawn(cli.loop(), all(), [&](std::exception_ptr ended) {
    failure = ended;
    signals.cancel();
    progress.emit(boost::asio::cancellation_type::terminal);
    cli.loop().stop();  // Connections that are kept for a later request hold nobody up.
  });
  cli.loop().restart();
  cli.loop().run();
  if (draw) std::fputs("\r\x1b[K", stderr);
  if (failure) std::rethrow_exception(failure);

  const EngineProgress end = engine->progress();
  cli.log().info("stopped", {{"events", end.events},
                             {"done", end.done},
                             {"pending", end.pending},
                             {"dead", end.dead},
                             {"commits", end.commits}});
  parts.ledger->close();
  return kOk;
}

void add_run(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("run", "Run the engine until stopped");
  auto once = std::make_shared<bool>(false);
  verb->add_flag("--once", *once, "Take what is there, finish all that is due, commit, exit");
  verb->callback([&cli, once] { cli.action = [&cli, once] { return run_engine(cli, *once); }; });
}

/// "a, b and 7 more"
std::string some_of(simdjson::dom::array names) {
  constexpr std::size_t kShown = 10;
  std::string out;
  std::size_t count = 0;
  for (const std::string_view name : names) {
    if (count++ < kShown) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  }
  return count <= kShown ? out : fmt::format("{} and {} more", out, count - kShown);
}

int reload(Cli& cli) {
  const std::string answer = call_api(cli, {.method = "POST", .path = "/api/v1/reload"});
  if (cli.format() != OutputFormat::kTable) {
    write_out(answer + "\n");
    return kOk;
  }
  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(answer);
  const std::string changed = some_of(json["changed"]);
  const std::string added = some_of(json["added"]);
  std::fprintf(stderr, "%s: %lu routes; changed: %s; new: %s\n", cli.stack_path.c_str(),
               std::uint64_t(json["routes"]), changed.empty() ? "none" : changed.c_str(),
               added.empty() ? "none" : added.c_str());
  return kOk;
}

void add_reload(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("reload", "Have the running engine read its stack file again");
  verb->callback([&cli] { cli.action = [&cli] { return reload(cli); }; });
}

void add_test(CLI::App& app, Cli& cli) {
  auto* verb = app.add_subcommand("test", "Run the stack's own tests, in memory");
  verb->callback([&cli] {
    cli.action = [&cli] {
      const StackFile& stack = cli.stack();
      std::size_t failed = 0;
      for (const auto& test : stack.tests) {
        const std::vector<std::string> faults = run_stack_test(stack, *test, cli.log());
        failed += faults.empty() ? 0 : 1;
        write_out(fmt::format("{} {}\n", faults.empty() ? "ok    " : "FAILED", test->name));
        for (const std::string& fault : faults) write_out("       " + fault + "\n");
      }
      write_out(fmt::format("{} passed, {} failed\n", stack.tests.size() - failed, failed));
      return failed == 0 ? kOk : kFailed;
    };
  });
}

}  // namespace

void add_stack_verbs(CLI::App& app, Cli& cli) {
  add_init(app, cli);
  add_run(app, cli);
  add_reload(app, cli);
  add_validate(app, cli);
  add_config(app, cli);
  add_test(app, cli);
}

}  // namespace headrace
