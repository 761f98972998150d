#include "cli/cli.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "app/parts.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/size.h"
#include "stack/diagnostics.h"

namespace headrace {

bool on_terminal(int fd) { return ::isatty(fd) == 1; }

std::size_t terminal_width() {
  winsize size{};
  if (!on_terminal(STDOUT_FILENO) || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    // A closed pipe is how `| head` says it has enough.
    if (errno == EPIPE) throw Exit(kOk, "");
    throw Exit(kFailed, errno_error(errno, "write to stdout").what());
  }
}

Cli::Cli() {
  log_ = std::make_unique<Log>(
      [this](LogLevel level, std::string_view message, std::span<const LogField> fields) {
        const LogLevel least = verbose ? LogLevel::kDebug
                               : quiet ? LogLevel::kWarning
                                       : LogLevel::kInfo;
        if (level < least) return;
        const std::string time = format_time(real_clock().now());
        const std::string line = log_format == "json" ? log_line_json(time, level, message, fields)
                                                      : log_line_text(time, level, message, fields);
        std::fprintf(stderr, "%s%s\n", on_terminal(STDERR_FILENO) ? "\r\x1b[K" : "", line.c_str());
      },
      LogLevel::kDebug);
}

Cli::~Cli() {
  if (io_) io_->join();
}

CpuPool& Cli::io() {
  if (!io_) io_ = std::make_unique<boost::asio::thread_pool>(2);
  return *io_;
}

bool Cli::has_stack() const { return stack_given || std::filesystem::exists(stack_path); }

const StackFile& Cli::stack() {
  if (stack_) return *stack_;
  if (!std::filesystem::exists(stack_path)) {
    throw Exit(kUsage, fmt::format("no stack file {}: name one with -f, or make one with "
                                   "`headrace init`",
                                   stack_path));
  }
  LoadedStack loaded = load_stack_file(stack_path);
  if (!loaded.diagnostics.empty()) std::fputs(loaded.diagnostics.c_str(), stderr);
  if (!loaded.stack) throw Exit(kUsage, "");
  stack_ = std::make_unique<StackFile>(std::move(*loaded.stack));
  return *stack_;
}

Stores& Cli::stores() {
  if (stores_) return *stores_;
  stores_ = std::make_unique<Stores>();
  const Parts::Given given{loop_, real_clock(), real_random(), log()};
  if (has_stack()) add_stores(stack(), given, io(), *stores_);
  add_plain_files(given, io(), *stores_);
  add_environment_s3(given, *stores_);
  return *stores_;
}

Catalog& Cli::catalog() {
  if (!catalog_) {
    const Parts::Given given{loop_, real_clock(), real_random(), log()};
    catalog_ = make_catalog(stack(), stores(), given, nullptr);
  }
  return *catalog_;
}

void Cli::run_void(Task<> task) {
  std::exception_ptr failure;
  boost::asio::cancellation_signal cancel;
  boost::asio::signal_set signals(loop_, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code failed, int) {
    if (!failed) cancel.emit(boost::asio::cancellation_type::terminal);
  });
  boost::asio::co_spawn(
      loop_, std::move(task),
      boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr ended) {
        failure = ended;
        signals.cancel();
        loop_.stop();  // Connections that are kept for a later request hold nobody up.
      }));
  loop_.restart();
  loop_.run();
  if (failure) std::rethrow_exception(failure);
}

OutputFormat Cli::format() const {
  if (!output.empty()) return *parse_output_format(output);
  return on_terminal(STDOUT_FILENO) ? OutputFormat::kTable : OutputFormat::kNdjson;
}

std::unique_ptr<RowWriter> Cli::rows(std::vector<Column> columns) {
  return make_row_writer(format(), std::move(columns), write_out, {.width = terminal_width()});
}

namespace {

void add_global_options(CLI::App& app, Cli& cli) {
  app.add_option_function<std::string>(
         "-f,--file",
         [&cli](const std::string& path) {
           cli.stack_path = path;
           cli.stack_given = true;
         },
         "The stack file (default: headrace.yaml)")
      ->type_name("FILE");
  app.add_option("-o,--output", cli.output,
                 "table, json, ndjson or csv (default: table on a terminal, else ndjson)")
      ->check(CLI::IsMember({"table", "json", "ndjson", "csv"}));
  app.add_option("--log-format", cli.log_format, "text or json, for what goes to stderr")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-v,--verbose", cli.verbose, "Say more");
  app.add_flag("-q,--quiet", cli.quiet, "Say only what is wrong");
}

int run_action(Cli& cli) {
  try {
    const int code = cli.action();
    if (std::fflush(stdout) != 0 && errno != EPIPE) {
      throw Exit(kFailed, errno_error(errno, "write to stdout").what());
    }
    return code;
  } catch (const Exit& exit) {
    if (*exit.what() != '\0') std::fprintf(stderr, "headrace: %s\n", exit.what());
    return exit.code;
  } catch (...) {
    const Error error = to_error(std::current_exception());
    if (error.kind() == ErrorKind::kCancelled) {
      std::fputs("headrace: stopped\n", stderr);
      return 130;
    }
    std::fprintf(stderr, "headrace: %s\n", error.what());
    return kFailed;
  }
}

/// What is wrong with the words given, and where to look. Of a verb that there is not, the parser
/// says only that one is required: it is named instead.
std::string usage_message(const CLI::App* app, const CLI::Error& error) {
  const CLI::App* at = app;
  std::string to_here = "headrace";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    to_here += " " + at->get_name();
  }
  std::string what = error.what();
  const std::vector<std::string> left = app->remaining(true);
  if (error.get_name() == "RequiredError" && at->get_require_subcommand_min() > 0 &&
      !left.empty() && !left[0].starts_with('-')) {
    std::vector<std::string> known;
    for (const CLI::App* verb : at->get_subcommands({})) known.push_back(verb->get_name());
    what =
        fmt::format("there is no `{} {}`{}", to_here, left[0], stack::did_you_mean(left[0], known));
  }
  return fmt::format("headrace: {}; `{} --help` shows what there is\n", what, to_here);
}

}  // namespace

void add_size(CLI::App& verb, const std::string& name, std::optional<std::uint64_t>& size,
              const std::string& help, std::uint64_t least) {
  const auto take = [name, &size, least](const std::string& text) {
    size = parse_size(text);
    if (!size || *size < least) {
      throw CLI::ValidationError(name, text + " is no size like 128MiB");
    }
  };
  verb.add_option_function<std::string>(name, take, help)->type_name("SIZE");
}

int run_cli(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Cli cli;
  CLI::App app{"Turns any bucket or folder into a reactive data lake.", "headrace"};
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  app.failure_message(usage_message);
  app.footer("Exit codes: 0 ok, 1 failed, 2 wrong usage or bad stack, 3 partly failed.");
  add_global_options(app, cli);
  add_stack_verbs(app, cli);
  add_object_verbs(app, cli);
  add_data_verbs(app, cli);
  add_table_verbs(app, cli);
  add_work_verbs(app, cli);
  add_setup_verbs(app, cli);
  add_other_verbs(app, cli);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  return run_action(cli);
}

}  // namespace headrace
