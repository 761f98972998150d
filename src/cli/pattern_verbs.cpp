// pattern test | lint | convert: what a pattern takes, what is odd about it, and patterns out of
// other people's filters.
#include "cli/pattern_verbs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>

#include "app/parts.h"
#include "cli/cli.h"
#include "cli/text_input.h"
#include "route/convert_policy.h"
#include "route/explain.h"
#include "route/lint.h"
#include "route/match_spec.h"

namespace headrace {
namespace {

/// So many refusals are explained on stderr; --why explains all.
constexpr std::size_t kMostExplained = 20;

/// For who gave the stack's shorthand where a pattern is taken.
std::string_view hint(std::string_view json) {
  try {
    shorthand_to_pattern(json);
    return "; it reads as a `match:` of the stack file: `headrace pattern convert --from match` "
           "makes "
           "a pattern of it";
  } catch (const Error&) {
    return "";
  }
}

Rule read_rule(const std::string& path, std::string_view json, std::uint32_t id,
               const std::string& name) {
  try {
    return {id, Pattern::parse(json), name};
  } catch (const Error& error) {
    throw Exit(kUsage, fmt::format("{}: {}{}", path, error.what(), hint(json)));
  }
}

/// Tells of each event whether it is taken; and why not.
class EventTest {
 public:
  EventTest(Cli& cli, Rule rule, bool why) : rules_{std::move(rule)}, matcher_(rules_) {
    if (why) {
      rows_ = cli.rows({{"event", "", Align::kRight}, {"takes"}, {"field"}, {"why"}});
    }
    quiet_ = cli.quiet;
  }

  void event(std::string_view json, std::size_t line) {
    ++count_;
    line_ = line;
    std::vector<std::uint32_t> matched;
    try {
      matcher_.match(json, matched);
    } catch (const Error& error) {
      ++bad_;
      std::fprintf(stderr, "%zu: no event: %s\n", line_, error.what());
      return;
    }
    if (!rows_) write_out(matched.empty() ? "false\n" : "true\n");
    if (rows_ || (matched.empty() && !quiet_)) explain_it(json);
  }

  int finish() {
    if (rows_) rows_->finish();
    if (!rows_ && !quiet_ && explained_ > kMostExplained) {
      std::fprintf(stderr, "and %zu more are refused; --why explains all\n",
                   explained_ - kMostExplained);
    }
    return bad_ == 0 ? kOk : bad_ == count_ ? kFailed : kPartly;
  }

 private:
  void explain_it(std::string_view json) {
    if (!rows_ && ++explained_ > kMostExplained) return;
    const Explanation told = explain(rules_, json).front();
    if (rows_) {
      const std::array cells{Cell::number(static_cast<std::int64_t>(line_)),
                             Cell::boolean(told.matches), Cell::of_text(told.field),
                             Cell::of_text(told.why)};
      rows_->row(cells);
    } else {
      std::fprintf(stderr, "%zu: %s: %s\n", line_, told.field.c_str(), told.why.c_str());
    }
  }

  std::vector<Rule> rules_;
  Matcher matcher_;
  std::unique_ptr<RowWriter> rows_;
  bool quiet_ = false;
  std::size_t line_ = 0;  // Of the input; empty ones hold no event.
  std::size_t count_ = 0;
  std::size_t bad_ = 0;
  std::size_t explained_ = 0;
};

void add_test(CLI::App& pattern, Cli& cli) {
  auto* test = pattern.add_subcommand("test", "true or false for each event, and why not");
  auto pattern_file = std::make_shared<std::string>();
  auto events_file = std::make_shared<std::string>("-");
  auto why = std::make_shared<bool>(false);
  test->add_option("pattern", *pattern_file, "A file with an EventBridge pattern")->required();
  test->add_option("events", *events_file, "Any JSON objects, one a line; - is stdin");
  test->add_flag("--why", *why, "A row for each event: the field that refused it, and why");
  test->callback([&cli, pattern_file, events_file, why] {
    cli.action = [&cli, pattern_file, events_file, why] {
      EventTest tested(cli, read_rule(*pattern_file, read_text(*pattern_file), 0, ""), *why);
      for_each_line(read_text(*events_file),
                    [&](std::string_view line, std::size_t number) { tested.event(line, number); });
      return tested.finish();
    };
  });
}

/// One pattern, or one on each line.
std::vector<Rule> read_rules(const std::string& path) {
  const std::string text = read_text(path);
  std::vector<Rule> out;
  std::size_t lines = 0;
  for_each_line(text, [&](std::string_view, std::size_t) { ++lines; });
  try {
    out.push_back(read_rule(path, text, 1, path));
    return out;
  } catch (const Exit&) {
    // One with a fault, unless each line may be one.
    if (lines == 1 || text.starts_with("{\n") || text.starts_with("{\r")) throw;
  }
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const std::string where = fmt::format("{}:{}", path, number);
    out.push_back(read_rule(where, line, static_cast<std::uint32_t>(number), where));
  });
  return out;
}

void add_lint(CLI::App& pattern, Cli& cli) {
  auto* verb = pattern.add_subcommand(
      "lint", "What can never hold, what is needless or shadowed, what costs too much");
  auto file = std::make_shared<std::string>();
  auto rows_only = std::make_shared<bool>(false);
  auto strict = std::make_shared<bool>(false);
  verb->add_option("file", *file, "A pattern, or one a line; without it the routes of the stack");
  verb->add_flag("--any", *rows_only, "For rows or messages: say nothing about fields of events");
  verb->add_flag("--strict", *strict, "Exit with 1 if there is anything to tell");
  verb->callback([&cli, file, rows_only, strict] {
    cli.action = [&cli, file, rows_only, strict] {
      std::vector<LintFinding> findings;
      if (file->empty()) {
        findings = Routes(rules_of(cli.stack())).lint();
      } else {
        findings = lint(read_rules(*file), {.of_events = !*rows_only});
      }
      auto rows = cli.rows({{"rule"}, {"kind"}, {"field"}, {"what"}});
      for (const LintFinding& one : findings) {
        const std::array cells{Cell::of_text(one.rule), Cell::of_text(one.kind),
                               Cell::of_text(one.field), Cell::of_text(one.what)};
        rows->row(cells);
      }
      rows->finish();
      return *strict && !findings.empty() ? kFailed : kOk;
    };
  });
}

void print_converted(const ConvertedPattern& one) {
  if (!one.name.empty()) std::fprintf(stderr, "%s\n", one.name.c_str());
  for (const std::string& note : one.notes) std::fprintf(stderr, "  %s\n", note.c_str());
  write_out(one.pattern + "\n");
}

void add_convert(CLI::App& pattern, Cli& cli) {
  auto* verb = pattern.add_subcommand("convert", "Patterns out of other filters, one a line");
  auto from = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>("-");
  auto scope = std::make_shared<std::string>("attributes");
  auto under = std::make_shared<std::string>();
  verb->add_option("--from", *from,
                   "sns: a filter policy, or a subscription that has one; s3: bucket notifications "
                   "or one filter; match: the "
                   "shorthand of the stack file, as JSON")
      ->required()
      ->check(CLI::IsMember({"sns", "s3", "match"}));
  verb->add_option("file", *file, "The filter; - is stdin");
  verb->add_option("--scope", *scope,
                   "Of an SNS policy: attributes (default) or body, also as MessageAttributes and "
                   "MessageBody; a subscription tells it itself")
      ->check(CLI::IsMember({"attributes", "body", "MessageAttributes", "MessageBody"}));
  verb->add_option("--under", *under, "Of an SNS policy: where these stand in what is asked");
  verb->callback([&cli, from, file, scope, under] {
    cli.action = [from, file, scope, under] {
      try {
        const std::string text = read_text(*file);
        if (*from == "sns") {
          const bool body = *scope == "body" || *scope == "MessageBody";
          const auto of = body ? SnsScope::kBody : SnsScope::kAttributes;
          print_converted(convert_sns_policy(text, of, *under));
        } else if (*from == "s3") {
          for (const ConvertedPattern& one : convert_s3_notifications(text)) print_converted(one);
        } else {
          write_out(shorthand_to_pattern(text) + "\n");
        }
      } catch (const Error& error) {
        throw Exit(kUsage, fmt::format("{}: {}", *file, error.what()));
      }
      return kOk;
    };
  });
}

}  // namespace

void add_pattern(CLI::App& app, Cli& cli) {
  auto* pattern = app.add_subcommand("pattern", "Event patterns: try, check, convert");
  pattern->require_subcommand(1);
  add_test(*pattern, cli);
  add_lint(*pattern, cli);
  add_convert(*pattern, cli);
}

}  // namespace headrace
