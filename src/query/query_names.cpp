#include "query/query_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace headrace {
namespace {

constexpr std::size_t kMostShown = 12;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// How many letters have to be changed, put in or left out to turn one name into the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i) {
    out += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kMostShown) out += fmt::format(" and {} more", names.size() - kMostShown);
  return out;
}

}  // namespace

std::optional<std::string> missing_table(std::string_view message) {
  constexpr std::string_view kBefore = "Catalog Error: Table with name ";
  constexpr std::string_view kAfter = " does not exist!";
  if (!message.starts_with(kBefore)) return std::nullopt;
  const std::size_t end = message.find(kAfter, kBefore.size());
  if (end == std::string_view::npos) return std::nullopt;
  std::string name(message.substr(kBefore.size(), end - kBefore.size()));
  // The engine quotes names that need it.
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
    name = name.substr(1, name.size() - 2);
  }
  return name;
}

std::string with_known_names(std::string_view message, std::string_view missing,
                             const std::vector<std::string>& known) {
  std::string out(message.substr(0, message.find('\n')));
  const auto nearest = std::ranges::min_element(
      known, {}, [&](const std::string& name) { return distance(name, missing); });
  if (nearest != known.end() &&
      distance(*nearest, missing) <= std::max<std::size_t>(2, missing.size() / 3)) {
    out += fmt::format("\nDid you mean \"{}\"?", *nearest);
  }
  if (known.empty()) {
    out +=
        "\nNo table or dataset is known here; a quoted URL or path is read as it is: "
        "FROM 'folder/file.jsonl'";
  } else {
    out += fmt::format("\nThere are: {}", joined(known));
  }
  const std::size_t caret = message.find("\n\nLINE ");
  if (caret != std::string_view::npos) out += message.substr(caret);
  return out;
}

std::optional<std::string> same_ignoring_case(std::string_view name,
                                              const std::vector<std::string>& known) {
  std::optional<std::string> found;
  for (const std::string& candidate : known) {
    if (!std::ranges::equal(name, candidate, {}, lower, lower)) continue;
    if (found) return std::nullopt;
    found = candidate;
  }
  return found;
}

}  // namespace headrace
