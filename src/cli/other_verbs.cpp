// version completion.

#include <CLI/CLI.hpp>

#include "cli/cli.h"
#include "cli/version.h"

namespace headrace {
namespace {

/// Completion asks the program itself for its verbs and options, so it can never be out of date.
constexpr const char* kBash = R"sh(_headrace() {
  local words
  words=$(headrace __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
  COMPREPLY=($(compgen -o default -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _headrace headrace
)sh";

constexpr const char* kZsh = R"sh(#compdef headrace
_headrace() {
  local -a candidates
  candidates=(${(f)"$(headrace __complete "${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  compadd -a candidates
  _files
}
compdef _headrace headrace
)sh";

constexpr const char* kFish = R"sh(complete -c headrace -a
'(headrace __complete (commandline -opc)[2..-1] 2>/dev/null)'
)sh";

/// Verbs and options that may follow `words`, one a line.
void write_candidates(CLI::App& app, const std::vector<std::string>& words) {
  CLI::App* at = &app;
  for (const std::string& word : words) {
    for (CLI::App* verb : at->get_subcommands(nullptr)) {
      if (verb->get_name() == word) at = verb;
    }
  }
  for (const CLI::App* verb : at->get_subcommands(nullptr)) {
    if (!verb->get_name().starts_with("__")) write_out(verb->get_name() + "\n");
  }
  for (const CLI::Option* option : at->get_options()) {
    for (const std::string& name : option->get_lnames()) write_out("--" + name + "\n");
  }
}

}  // namespace

void add_other_verbs(CLI::App& app, Cli& cli) {
  auto* version = app.add_subcommand("version", "Version of the program");
  version->callback([&cli] {
    cli.action = [] {
      write_out(std::string("headrace ") + kVersion + "\n");
      return kOk;
    };
  });

  auto* completion = app.add_subcommand("completion", "A completion script for your shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&cli, shell] {
    cli.action = [shell] {
      write_out(*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
      return kOk;
    };
  });

  auto* complete = app.add_subcommand("__complete", "")->group("");
  complete->prefix_command();
  complete->callback([&app, &cli, complete] {
    cli.action = [&app, complete] {
      write_candidates(app, complete->remaining());
      return kOk;
    };
  });
}

}  // namespace headrace
