#pragma once

namespace CLI {
class App;
}

namespace headrace {

class Cli;

/// `event decode`: what producers' messages say, as Events.
void add_event_decode(CLI::App& event, Cli& cli);

}  // namespace headrace
