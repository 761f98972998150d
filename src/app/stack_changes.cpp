#include "app/stack_changes.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace headrace {
namespace {

constexpr std::array<std::string_view, 3> kOfVerbs{"tests", "setup", "sql"};
constexpr std::array<std::string_view, 4> kLive{"match", "after", "retry", "dead_letters"};

/// The keys that one has and the other has not or has otherwise, by name.
std::vector<std::string> different(const WrittenStack::Hashes& a, const WrittenStack::Hashes& b) {
  std::vector<std::string> out;
  for (const auto& [key, hash] : a) {
    const auto other = b.find(key);
    if (other == b.end() || other->second != hash) out.push_back(key);
  }
  for (const auto& [key, hash] : b) {
    if (!a.contains(key)) out.push_back(key);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

StackChanges changes_between(const WrittenStack& running, const WrittenStack& read) {
  StackChanges out;
  for (std::string& part : different(running.parts, read.parts)) {
    const bool of_verbs = std::ranges::count(kOfVerbs, part.substr(0, part.find('.'))) > 0;
    if (!of_verbs) out.fixed.push_back(std::move(part));
  }
  for (const auto& [name, hashes] : running.routes) {
    const auto other = read.routes.find(name);
    if (other == read.routes.end()) {
      out.fixed.push_back("routes." + name + " (gone)");
      continue;
    }
    bool changed = false;
    for (const std::string& key : different(hashes, other->second)) {
      const bool live = std::ranges::count(kLive, key) > 0;
      if (!live) out.fixed.push_back("routes." + name + "." + key);
      changed |= live && key != "match";
    }
    if (changed) out.changed.push_back(name);
  }
  for (const auto& [name, hashes] : read.routes) {
    if (!running.routes.contains(name)) out.added.push_back(name);
  }
  return out;
}

}  // namespace headrace
