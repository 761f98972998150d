#pragma once

#include <map>
#include <string>
#include <string_view>

namespace headrace {

using IniSection = std::map<std::string, std::string, std::less<>>;

/// What stands between brackets, trimmed, and the settings below it.
using IniSections = std::map<std::string, IniSection, std::less<>>;

/// The files of the AWS tools: "[section]" lines and "name = value" lines below them. Names are
/// lower-cased, ':' may stand for '=', lines that begin with '#' or ';' are comments and a '#'
/// elsewhere is part of the value. A line indented deeper than the setting above belongs to that
/// setting; nothing here needs such nested settings, and they are left out. A section or name that
/// comes twice is merged, the later value wins.
///
/// Throws kInvalid with `file` and the line for anything else. The line itself may hold a secret
/// and is never shown.
IniSections parse_ini(std::string_view text, std::string_view file);

}  // namespace headrace
