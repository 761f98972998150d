// How the board is supplied from disk: the due times ahead, and routes that are behind.
#include <algorithm>

#include "ledger/rocksdb/board.h"

namespace headrace::rocks {

Position Board::head(Lane lane) const {
  return lane == Lane::kLater ? fired_ : Position{0, committed_ << 1};
}

bool Board::hungry(const Route& owner) const {
  return owner.wanted && owner.queued * 2 <= limits_.ready_per_route && room(owner);
}

void Board::keep_ahead(Page* page) {
  if (!ahead_.emplace(page->at, page).second) return;
  ahead_bytes_ += page->payload->size();
  hold(page);
}

void Board::trim_ahead() {
  while (!ahead_.empty() &&
         (ahead_.size() > limits_.delayed || ahead_bytes_ > limits_.ready_bytes / 8)) {
    if (ahead_.size() == 1) return;
    const auto last = std::prev(ahead_.end());
    Page* page = last->second;
    horizon_ = page->at;
    if (reading_) missed_ = std::min(missed_, horizon_);
    ahead_.erase(last);
    ahead_bytes_ -= page->payload->size();
    release(page);
  }
}

bool Board::fire(Time now) {
  const Position due{micros(now) + 1, 0};
  const Position until = std::min(due, horizon_);
  while (!ahead_.empty() && ahead_.begin()->first < until) {
    Page* page = ahead_.begin()->second;
    ahead_.erase(ahead_.begin());
    ahead_bytes_ -= page->payload->size();
    distribute(page);
    release(page);
  }
  fired_ = std::max(fired_, until);
  serve_all();
  return horizon_ < due;
}

std::optional<Time> Board::next_due() const {
  if (ahead_.empty()) return std::nullopt;
  return time_of(ahead_.begin()->first.due_us);
}

std::optional<Position> Board::plan_ahead(Time now) {
  const bool low = ahead_.size() * 2 <= limits_.delayed && ahead_bytes_ <= limits_.ready_bytes / 16;
  const bool late = horizon_ < Position{micros(now) + 1, 0};
  if (horizon_ == Position::last() || (!low && !late)) return std::nullopt;
  reading_ = true;
  missed_ = Position::last();
  return horizon_;
}

void Board::end_ahead(std::vector<std::unique_ptr<Page>> pages, Position end) {
  end = std::min(end, missed_);
  for (std::unique_ptr<Page>& read : pages) {
    if (read->at < end) keep_ahead(adopt(std::move(read)));
  }
  horizon_ = end;
  trim_ahead();
  reading_ = false;
  left_memory_.clear();
}

std::optional<Board::Plan> Board::plan_catch_up(Lane lane) {
  const auto which = static_cast<std::size_t>(lane);
  Plan plan{Position::last(), head(lane), {}};
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    Route& owner = routes_[i];
    if (owner.at_head[which] || !owner.wanted) continue;
    if (!hungry(owner)) {
      starved_ = starved_ || bytes_ >= limits_.ready_bytes;
    } else if (owner.next[which] >= plan.to) {
      owner.at_head[which] = true;
    } else {
      plan.routes.push_back(RouteId(i + 1));
      plan.from = std::min(plan.from, owner.next[which]);
    }
  }
  if (plan.routes.empty()) return std::nullopt;
  reading_ = true;
  missed_ = Position::last();
  return plan;
}

void Board::end_catch_up(Lane lane, const Plan& plan, std::vector<std::unique_ptr<Page>> pages,
                         Position end) {
  const auto which = static_cast<std::size_t>(lane);
  std::unordered_set<RouteId> full;
  const auto serves = [&](RouteId id) {
    return std::ranges::binary_search(plan.routes, id) && !full.contains(id);
  };
  end = std::min(end, missed_);
  for (std::unique_ptr<Page>& read : pages) {
    if (read->at >= end) break;
    Page* page = adopt(std::move(read));
    hold(page);
    for (std::uint32_t part = 0; part < page->parts.size(); ++part) {
      const RouteId id = page->parts[part].route;
      Route* owner = route(id);
      if (owner == nullptr || !serves(id) || owner->next[which] > page->at) continue;
      if (room(*owner)) {
        load(page, part, *owner);
        owner->next[which] = page->at.next();
      } else {
        owner->next[which] = page->at;
        full.insert(id);
      }
    }
    release(page);
  }
  for (const RouteId id : plan.routes) {
    Route& owner = *route(id);
    if (!serves(id)) continue;
    owner.next[which] = std::max(owner.next[which], end);
    owner.at_head[which] = owner.next[which] >= head(lane);
  }
  reading_ = false;
  left_memory_.clear();
  serve_all();
}

}  // namespace headrace::rocks
