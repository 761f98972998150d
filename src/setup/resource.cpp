#include "setup/resource.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace headrace::setup {
namespace {

/// What is shown of a setting; URLs may hold tokens behind their '?'.
std::string shown(std::string_view value) {
  const std::size_t query = value.find('?');
  if (query == std::string_view::npos || !value.contains("://")) return std::string(value);
  return std::string(value.substr(0, query)) + "?***";
}

Settings differences(const Settings& wanted, const Settings& there) {
  Settings changed;
  for (const auto& [name, value] : wanted) {
    const auto found = there.find(name);
    const std::string now = found == there.end() ? "" : found->second;
    if (now == value) continue;
    changed[name] = fmt::format("{} -> {}", now.empty() ? "(none)" : shown(now),
                                value.empty() ? "(none)" : shown(value));
  }
  return changed;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kBucket:
      return "bucket";
    case Kind::kQueue:
      return "queue";
    case Kind::kTopic:
      return "topic";
    case Kind::kPermission:
      return "permission";
    case Kind::kSubscription:
      return "subscription";
    case Kind::kRule:
      return "notification";
  }
  return "";
}

std::string Resource::key() const {
  return fmt::format("{}\n{}\n{}\n{}", to_string(kind), home, name, id);
}

std::string Resource::text() const {
  switch (kind) {
    case Kind::kBucket:
      return fmt::format("bucket {}://{}", home, name);
    case Kind::kQueue:
      return "queue " + name;
    case Kind::kTopic:
      return "topic " + name;
    case Kind::kPermission:
      return fmt::format("permission {} on {}", id, name);
    case Kind::kSubscription:
      return fmt::format("subscription of queue {} to topic {}", id, name);
    case Kind::kRule:
      return fmt::format("notification {} of {}://{}", id, home, name);
  }
  return "";
}

std::string Change::text() const {
  std::string line = action == Action::kAdd ? "+ " : action == Action::kChange ? "~ " : "- ";
  line += resource.text();
  std::string separator = ": ";
  for (const auto& [name, value] : what) {
    if (value.empty()) continue;
    line += fmt::format("{}{} {}", std::exchange(separator, ", "), name, value);
  }
  return line;
}

std::size_t Plan::count(Action action) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(changes, [&](const Change& c) { return c.action == action; }));
}

std::string Plan::summary() const {
  return fmt::format("{} to add, {} to change, {} to remove.", count(Action::kAdd),
                     count(Action::kChange), count(Action::kRemove));
}

Plan diff(const std::vector<Resource>& wanted, const std::map<std::string, Seen>& seen,
          const std::vector<Made>& made) {
  Plan plan;
  std::set<std::string> keys;
  for (const Resource& resource : wanted) {
    keys.insert(resource.key());
    const Seen& now = seen.at(resource.key());
    if (!now.problem.empty()) plan.problems.push_back(now.problem);
    if (!now.there) {
      Settings what = resource.settings;
      for (auto& [name, value] : what) value = shown(value);
      plan.changes.push_back({Action::kAdd, resource, std::move(what)});
      continue;
    }
    Settings changed = differences(resource.settings, now.settings);
    if (!changed.empty()) plan.changes.push_back({Action::kChange, resource, std::move(changed)});
  }
  for (auto it = made.rbegin(); it != made.rend(); ++it) {
    const Resource& resource = it->resource;
    if (keys.contains(resource.key()) || !seen.at(resource.key()).there) continue;
    if (resource.kind == Kind::kBucket) {
      plan.notes.push_back(
          fmt::format("{} was made by apply and is in the stack no longer; it "
                      "stays until `headrace destroy`",
                      resource.text()));
      continue;
    }
    plan.changes.push_back({Action::kRemove, resource, {}});
  }
  return plan;
}

}  // namespace headrace::setup
