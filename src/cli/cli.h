#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/stack_file.h"
#include "core/log.h"
#include "core/task.h"
#include "query/render.h"
#include "store/stores.h"
#include "table/catalog.h"

namespace CLI {
class App;
}

namespace headrace {

/// The program: parses the command line, runs one verb, returns its exit code: 0 ok, 1 the thing
/// failed, 2 wrong usage or bad stack, 3 partly failed. Data goes to stdout, talk to stderr.
int run_cli(int argc, char** argv);

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kPartly = 3;

/// Is stdout (1) or stderr (2) a terminal?
bool on_terminal(int fd);
/// The terminal's width in columns; 0 if stdout is none.
std::size_t terminal_width();
/// Data, to stdout. Throws Exit(kFailed) if it cannot be written.
void write_out(std::string_view text);

/// A failure with an exit code of its own; the message goes to stderr.
class Exit : public std::runtime_error {
 public:
  Exit(int exit_code, const std::string& what) : std::runtime_error(what), code(exit_code) {}
  int code;
};

/// What all verbs share: the global options, and the stores and stack opened when first asked for.
class Cli {
 public:
  // Set by the parser.
  std::string stack_path = "headrace.yaml";
  bool stack_given = false;
  std::string output;  ///< "", "table", "json", "ndjson" or "csv".
  std::string log_format = "text";
  bool verbose = false;
  bool quiet = false;

  /// What the parsed verb does; returns the exit code.
  std::function<int()> action;

  Cli();
  ~Cli();

  const Log& log() const { return *log_; }
  /// The stack file, checked. Prints its diagnostics and throws Exit(kUsage) if it has errors.
  const StackFile& stack();
  /// Is there a stack file, given or in this folder?
  bool has_stack() const;
  /// The stack's stores if there is a stack, plus `file` for file:// URLs.
  Stores& stores();
  Catalog& catalog();
  CpuPool& io();

  /// Runs a coroutine to its end on this thread. SIGINT cancels it.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    run_void([](Task<T> inner, std::optional<T>& out) -> Task<> {
      out.emplace(co_await std::move(inner));
    }(std::move(task), result));
    return std::move(*result);
  }
  void run(Task<> task) { run_void(std::move(task)); }

  /// Rows to stdout as -o asks: a table on a terminal, ndjson otherwise.
  std::unique_ptr<RowWriter> rows(std::vector<Column> columns);
  OutputFormat format() const;

  boost::asio::io_context& loop() { return loop_; }

 private:
  void run_void(Task<> task);

  boost::asio::io_context loop_;
  std::unique_ptr<boost::asio::thread_pool> io_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<StackFile> stack_;
  std::unique_ptr<Stores> stores_;
  std::unique_ptr<Catalog> catalog_;
};

/// An option that takes a size, such as 512MiB, of at least so much.
void add_size(CLI::App& verb, const std::string& name, std::optional<std::uint64_t>& size,
              const std::string& help, std::uint64_t least = 1);

// Each file of verbs adds its own.
void add_stack_verbs(CLI::App& app, Cli& cli);    // init run reload validate config test
void add_object_verbs(CLI::App& app, Cli& cli);   // ls cat cp mv rm tags stat
void add_data_verbs(CLI::App& app, Cli& cli);     // sql dataset convert
void add_sql_verb(CLI::App& app, Cli& cli);       // sql
void add_dataset_verbs(CLI::App& app, Cli& cli);  // dataset
void add_table_verbs(CLI::App& app, Cli& cli);    // table
void add_work_verbs(CLI::App& app, Cli& cli);     // status task dead event pattern
void add_setup_verbs(CLI::App& app, Cli& cli);    // plan apply destroy doctor iam-policy
void add_other_verbs(CLI::App& app, Cli& cli);    // version completion

}  // namespace headrace
