#include "cli/text_input.h"

#include <cerrno>
#include <filesystem>
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
    if (std::filesystem::is_directory(path)) throw Exit(kFailed, path + " is a folder");
    in = &file;
  }
  return {std::istreambuf_iterator<char>(*in), std::istreambuf_iterator<char>()};
}

void for_each_line(const std::string& text,
                   const std::function<void(std::string_view, std::size_t)>& each) {
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) each(line, number);
  }
}

}  // namespace headrace
