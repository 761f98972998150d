#pragma once

namespace CLI {
class App;
}

namespace headrace {

class Cli;

/// `pattern test | lint | convert`.
void add_pattern(CLI::App& app, Cli& cli);

}  // namespace headrace
