#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// What a route's `match:` says, as one event pattern and what no pattern can say.
struct MatchSpec {
  std::string pattern;                     ///< JSON, for Pattern::parse.
  std::vector<std::string> unless_tagged;  ///< Tags whose objects the worker passes by.
};

/// The values of a `{file: name}` leaf by the name, one per line of the file.
using MatchFiles = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The names of the files that `match_json` speaks of, each once. Whoever calls reads them, since
/// nothing here touches a disk, and hands them to read_match().
std::vector<std::string> match_files(std::string_view match_json);

/// Turns the shorthand of the stack file into a pattern. An empty text or `{}` wants every
/// creation. README.md has the shorthand in a table. Throws kInvalid, naming the key and what it
/// takes.
MatchSpec read_match(std::string_view match_json, const MatchFiles& files = {});

/// The pattern alone.
std::string shorthand_to_pattern(std::string_view match_json);

/// The lines of a file of values: without line ends, empty lines and lines that begin with '#'.
std::vector<std::string> value_lines(std::string_view text);

}  // namespace headrace
