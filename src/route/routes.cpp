#include "route/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/hash.h"

namespace headrace {
namespace {

std::vector<Rule> number(const std::vector<RouteRule>& routes) {
  std::vector<Rule> out;
  for (const RouteRule& route : routes) {
    out.push_back({static_cast<std::uint32_t>(out.size()), route.pattern, route.name});
  }
  return out;
}

/// In any order, and however often each is named. 0: all sources.
std::uint64_t audience_of(const std::vector<std::string>& sources) {
  const std::set<std::string_view> names(sources.begin(), sources.end());
  std::string text;
  for (const std::string_view name : names) text += fmt::format("{}:{}", name.size(), name);
  return text.empty() ? 0 : hash64(text);
}

}  // namespace

Routes::Routes(std::vector<RouteRule> rules, const Routes* before)
    : rules_(number(rules)), matcher_(rules_, before ? &before->matcher_ : nullptr) {
  for (RouteRule& rule : rules) {
    names_.push_back(std::move(rule.name));
    audiences_.push_back(audience_of(rule.from));
    from_.push_back(std::move(rule.from));
  }
}

bool Routes::takes_from(std::uint32_t route, std::string_view source) const {
  const std::vector<std::string>& from = from_[route];
  return from.empty() || std::ranges::count(from, source) > 0;
}

std::vector<std::uint32_t> Routes::wanting(const Event& event) const {
  std::vector<std::uint32_t> out;
  matcher_.match(event, out);
  std::erase_if(out, [&](std::uint32_t route) { return !takes_from(route, event.origin); });
  return out;
}

std::vector<std::uint32_t> Routes::wanting(const Event& event, std::string_view event_json) const {
  std::vector<std::uint32_t> out;
  matcher_.match(event_json, out);
  std::erase_if(out, [&](std::uint32_t route) { return !takes_from(route, event.origin); });
  return out;
}

std::vector<Explanation> Routes::explain(const Event& event) const {
  std::vector<Explanation> out = headrace::explain(rules_, to_json(event));
  for (Explanation& explanation : out) {
    if (takes_from(explanation.id, event.origin)) continue;
    std::string sources;
    for (const std::string& source : from_[explanation.id]) {
      sources += (sources.empty() ? "" : ", ") + source;
    }
    explanation = {
        explanation.id, false, "from",
        fmt::format("the event came through '{}'; the route takes: {}", event.origin, sources)};
  }
  return out;
}

std::vector<LintFinding> Routes::lint() const {
  const auto takes_all_of = [this](std::size_t route, std::size_t other) {
    return from_[route].empty() ||
           (!from_[other].empty() &&
            std::ranges::all_of(from_[other], [&](const std::string& source) {
              return takes_from(static_cast<std::uint32_t>(route), source);
            }));
  };
  return headrace::lint(rules_, {.of_events = true, .may_shadow = takes_all_of});
}

}  // namespace headrace
