#include "ledger/rocksdb/page.h"

#include <algorithm>

namespace headrace::rocks {

std::optional<Page::Place> Page::find(RouteId route, std::uint16_t member) const {
  const auto part = std::ranges::lower_bound(parts, route, {}, &Part::route);
  if (part == parts.end() || part->route != route) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(part - parts.begin());
  const auto& members = content.routes[number].members;
  if (members.empty()) {
    if (member >= part->count) return std::nullopt;
    return Place{number, member};
  }
  const auto found = std::ranges::lower_bound(members, member);
  if (found == members.end() || *found != member) return std::nullopt;
  return Place{number, static_cast<std::uint32_t>(found - members.begin())};
}

std::unique_ptr<Page> make_page(Position at, Bytes payload, const std::optional<Bytes>& progress) {
  auto page = std::make_unique<Page>();
  page->at = at;
  page->payload = std::make_shared<const Bytes>(std::move(payload));
  page->content = decode_payload(*page->payload);
  for (const RouteMembers& route : page->content.routes) {
    const std::size_t count =
        route.members.empty() ? page->content.bodies.size() : route.members.size();
    page->parts.push_back({route.route, page->left, static_cast<std::uint32_t>(count)});
    page->left += static_cast<std::uint32_t>(count);
  }
  page->states.assign(page->left, MemberState::kPending);
  if (!progress) return page;
  page->has_progress = true;
  const auto finish = [&](Page::Place place) {
    MemberState& state = page->state(place);
    if (state != MemberState::kDone) --page->left;
    state = MemberState::kDone;
  };
  for (const RouteMembers& settled : decode_deltas(*progress)) {
    for (const std::uint16_t member : settled.members) {
      if (const auto place = page->find(settled.route, member)) finish(*place);
    }
    const auto part = std::ranges::lower_bound(page->parts, settled.route, {}, &Page::Part::route);
    if (!settled.members.empty() || part == page->parts.end() || part->route != settled.route) {
      continue;
    }
    const auto number = static_cast<std::uint32_t>(part - page->parts.begin());
    for (std::uint32_t i = 0; i < part->count; ++i) finish({number, i});
  }
  return page;
}

}  // namespace headrace::rocks
