#include "cli/text_input.h"

#include <cerrno>
#include <fstream>
#include <iostream>

#include "cli/cli.h"
#include "core/error.h"

namespace headrace {

std::string read_text(const std::string& path) {
  std::istream* in = &std::cin;
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) throw Exit(kFailed, errno_error(errno, "open " + path).what());
    in = &file;
  }
  return {std::istreambuf_iterator<char>(*in), std::istreambuf_iterator<char>()};
}

void for_each_line(const std::string& text, const std::function<void(std::string_view)>& each) {
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) each(line);
  }
}

}  // namespace headrace
