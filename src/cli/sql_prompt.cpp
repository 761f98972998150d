#include "cli/sql_prompt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "cli/line_editor.h"
#include "cli/sql_words.h"
#include "core/clock.h"
#include "core/error.h"
#include "query/engine.h"
#include "query/sql_text.h"

namespace headrace {
namespace {

constexpr std::size_t kBoxRows = 40;
constexpr std::size_t kOtherRows = 1'000;

constexpr std::pair<const char*, const char*> kCommands[] = {
    {".tables", "Tables and datasets, and those of this session"},
    {".schema NAME", "Columns of a table, URL or path"},
    {".mode MODE", "How rows are shown: table, json, ndjson, csv"},
    {".rows N", "Most rows that are shown; 0 shows all"},
    {".timing on|off", "Say how long each statement took"},
    {".help", "This"},
    {".quit", "Leave; Ctrl-D too"},
};

/// Where the XDG rules keep what a program remembers of its user.
std::filesystem::path history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') {
    return std::filesystem::path(state) / "headrace" / "sql_history";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / ".local/state/headrace/sql_history";
}

std::string without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(kBlanks) + 1 - from));
}

class Prompt {
 public:
  Prompt(Cli& cli, SqlSession& session)
      : cli_(cli),
        session_(session),
        signals_(cli.loop(), SIGINT),
        editor_(history_file(), [this](std::string_view before, std::string_view behind) {
          return complete(before, behind);
        }) {
    if (!cli.output.empty()) view_.format = cli.format();
    view_.box_rows = kBoxRows;
    view_.most_rows = on_terminal(STDOUT_FILENO) ? kOtherRows : 0;
  }

  int run() {
    if (!cli_.quiet) {
      std::fputs("SQL of DuckDB, ended by `;`. `.tables` shows what there is, `.help` more.\n",
                 stderr);
    }
    while (!left_) {
      std::string line;
      const auto outcome = editor_.read(text_.empty() ? "headrace> " : "     ...> ", line);
      if (outcome == LineEditor::Outcome::kEnd) break;
      if (outcome == LineEditor::Outcome::kInterrupted) {
        text_.clear();
        continue;
      }
      take(line);
    }
    return kOk;
  }

 private:
  void take(const std::string& line) {
    if (text_.empty() && without_blanks(line).empty()) return;
    if (text_.empty() && without_blanks(line)[0] == '.') {
      editor_.remember(without_blanks(line));
      guarded([&] { command(without_blanks(line)); });
      return;
    }
    text_ += line + "\n";
    if (!ends_statement(text_)) return;
    const std::string text = without_blanks(std::exchange(text_, ""));
    editor_.remember(text);
    for (const std::string& statement : split_statements(text)) {
      if (!guarded([&] { show(statement); })) break;
    }
    columns_.clear();  // What a name stands for may have changed.
  }

  /// Says what went wrong and goes on. False if something did.
  template <class Work>
  bool guarded(Work work) {
    std::string message;
    try {
      work();
      return true;
    } catch (const Exit& exit) {
      message = exit.what();
    } catch (...) {
      const Error error = to_error(std::current_exception());
      message = error.kind() == ErrorKind::kCancelled ? "stopped" : error.what();
    }
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", message.c_str());
    return false;
  }

  void show(const std::string& statement) {
    const Duration began = real_clock().monotonic();
    session_.show({statement}, view_);
    if (!timing_) return;
    const Duration took = real_clock().monotonic() - began;
    std::fprintf(stderr, "%.3f s\n", std::chrono::duration<double>(took).count());
  }

  void command(const std::string& line) {
    const std::size_t blank = line.find_first_of(" \t");
    const std::string name = line.substr(0, blank);
    std::string rest = blank == std::string::npos ? "" : without_blanks(line.substr(blank));
    while (rest.ends_with(';')) rest.pop_back();
    if (name == ".quit" || name == ".exit") {
      left_ = true;
    } else if (name == ".help") {
      for (const auto& [what, says] : kCommands) std::fprintf(stderr, "%-16s %s\n", what, says);
    } else if (name == ".tables") {
      for (const std::string& table : tables()) write_out(table + "\n");
    } else if (name == ".schema") {
      schema(rest);
    } else if (name == ".mode") {
      const auto format = parse_output_format(rest);
      if (!format) throw Exit(kUsage, ".mode takes table, json, ndjson or csv");
      view_.format = *format;
    } else if (name == ".timing") {
      if (rest != "on" && rest != "off") throw Exit(kUsage, ".timing takes on or off");
      timing_ = rest == "on";
    } else if (name == ".rows") {
      rows(rest);
    } else {
      throw Exit(kUsage, fmt::format("no command {}: `.help` lists them", name));
    }
    std::fflush(stdout);
  }

  void rows(const std::string& text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != text.npos) {
      throw Exit(kUsage, ".rows takes a number, such as 100, or 0 for all");
    }
    view_.box_rows = view_.most_rows = std::stoul(text);
  }

  void schema(const std::string& name) {
    if (name.empty()) throw Exit(kUsage, ".schema takes a table, URL or path");
    const bool quoted = name[0] == '\'' || name[0] == '"';
    session_.show({fmt::format("SELECT column_name AS \"column\", column_type AS \"type\" FROM "
                               "(DESCRIBE {})",
                               quoted ? name : sql_name(name))},
                  view_);
  }

  std::vector<std::string> tables() {
    const std::vector<std::string> known = session_.names();
    std::set<std::string> names(known.begin(), known.end());
    for (const auto& row : session_.rows(
             "SELECT table_name FROM duckdb_tables() WHERE NOT internal UNION ALL SELECT view_name "
             "FROM duckdb_views() WHERE NOT internal")) {
      names.insert(row.at(0));
    }
    return {names.begin(), names.end()};
  }

  Completions complete(std::string_view before, std::string_view behind) {
    if (text_.empty() && before.starts_with('.') && before.find(' ') == before.npos) {
      Completions out;
      for (const auto& [what, says] : kCommands) {
        const std::string command(
            std::string_view(what).substr(0, std::string_view(what).find_first_of(" [")));
        if (command.starts_with(before)) out.choices.push_back(command);
      }
      std::ranges::sort(out.choices);
      return out;
    }
    // Words that are not there, because a store does not answer, are no reason to disturb.
    try {
      load_words();
      const std::string whole = text_ + std::string(before);
      Completions out = complete_sql(whole, words_, columns_of(whole + std::string(behind)));
      if (out.start < text_.size()) return {};
      out.start -= text_.size();
      return out;
    } catch (const std::exception&) {
      return {};
    }
  }

  void load_words() {
    if (words_.keywords.empty()) {
      for (auto& row : session_.rows("SELECT DISTINCT lower(keyword_name) FROM duckdb_keywords() "
                                     "ORDER BY 1")) {
        words_.keywords.push_back(std::move(row.at(0)));
      }
      for (auto& row :
           session_.rows("SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE "
                         "regexp_full_match(function_name, '[a-z_][a-z_0-9]*') AND NOT "
                         "starts_with(function_name, 'headrace_') ORDER BY 1")) {
        words_.functions.push_back(std::move(row.at(0)));
      }
    }
    words_.tables = tables();
  }

  std::vector<std::string> columns_of(const std::string& sql) {
    std::vector<std::string> all;
    for (const std::string& name : names_in_from(sql)) {
      auto [at, fresh] = columns_.try_emplace(name);
      if (fresh) {
        try {
          for (auto& row :
               session_.rows("SELECT column_name FROM (DESCRIBE " + sql_name(name) + ")")) {
            at->second.push_back(std::move(row.at(0)));
          }
        } catch (const Error& error) {
          if (error.kind() == ErrorKind::kCancelled) throw;  // A name that is not whole yet.
        }
      }
      all.insert(all.end(), at->second.begin(), at->second.end());
    }
    return all;
  }

  Cli& cli_;
  SqlSession& session_;
  boost::asio::signal_set signals_;  // Between statements, SIGINT is nobody's.
  SqlView view_;
  bool timing_ = true;
  bool left_ = false;
  std::string text_;  // Lines of the statement that is not complete yet.
  SqlWords words_;
  std::map<std::string, std::vector<std::string>> columns_;  // By table.
  LineEditor editor_;
};

}  // namespace

bool ends_statement(std::string_view sql) {
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  return !tokens.empty() && tokens.back().is(";");
}

int run_sql_prompt(Cli& cli, SqlSession& session) { return Prompt(cli, session).run(); }

}  // namespace headrace
