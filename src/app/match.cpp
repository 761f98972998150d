#include "app/match.h"

#include "stack/variables.h"

namespace headrace {
namespace {

constexpr std::size_t kValuesBytes = 16u << 20;

}  // namespace

MatchSpec match_of(const std::filesystem::path& folder, const stack::Json& match) {
  MatchFiles files;
  for (const std::string& name : match_files(match.text)) {
    files[name] = value_lines(stack::machine_environment().file(folder / name, kValuesBytes));
  }
  return read_match(match.text, files);
}

}  // namespace headrace
