#include "step/follow.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "format/lines_to_parquet.h"

namespace headrace {
namespace {

bool same_object(const Event& a, const Event& b) {
  return a.store == b.store && a.object == b.object;
}

bool is_line(const Event& event) { return event.line.has_value(); }

bool is_of_whole_object(const Event& event) {
  return !is_line(event) &&
         (event.kind == EventKind::kCreated || event.kind == EventKind::kDeleted);
}

}  // namespace

void add_provenance(Event& event) {
  event.key_fields[std::string(kObjectColumn)] = provenance_of(event);
}

FollowedBatch::FollowedBatch(FollowConfig config, std::vector<Event> events) : config_(config) {
  places_.resize(events.size());
  std::iota(places_.begin(), places_.end(), std::size_t{0});
  std::ranges::sort(places_, [&events](std::size_t a, std::size_t b) {
    const Event& left = events[a];
    const Event& right = events[b];
    return std::tie(left.store, left.object.bucket, left.object.path, a) <
           std::tie(right.store, right.object.bucket, right.object.path, b);
  });
  events_.reserve(events.size());
  for (const std::size_t place : places_) {
    events_.push_back(std::move(events[place]));
    add_provenance(events_.back());
  }
  left_out_.assign(events_.size(), false);
  items_.resize(events_.size());
  for (std::size_t first = 0; first < events_.size();) {
    std::size_t end = first + 1;
    while (end < events_.size() && same_object(events_[first], events_[end])) ++end;
    choose(first, end);
    first = end;
  }
}

void FollowedBatch::leave_out(std::size_t index, std::string why) {
  left_out_[index] = true;
  items_[index].result = {Outcome::kSuperseded, std::move(why)};
}

/// Which event of an object stands for all.
void FollowedBatch::choose(std::size_t first, std::size_t end) {
  std::size_t chosen = end;
  std::size_t whole = 0;
  for (std::size_t i = first; i < end; ++i) {
    if (!is_of_whole_object(events_[i])) continue;
    ++whole;
    const bool better = chosen == end || events_[i].kind == EventKind::kCreated ||
                        events_[chosen].kind == EventKind::kDeleted;
    if (better) chosen = i;
  }
  if (whole == 0) return;
  if (whole > 1) events_[chosen].etag.reset();  // Whatever is there now.
  for (std::size_t i = first; i < end; ++i) {
    if (i != chosen && (is_of_whole_object(events_[i]) || is_line(events_[i]))) {
      leave_out(i, "another event of this object is in the same batch");
    }
  }
}

Task<> FollowedBatch::check_lines(Stores& stores) {
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    if (left_out_[i] || !is_line(event)) continue;
    try {
      const auto there = co_await stores.at(event.store).head(event.object);
      if (!there) leave_out(i, "the object is gone");
      if (there && event.etag && there->etag != *event.etag) {
        leave_out(i, "the object has changed since");
      }
    } catch (const Error& error) {
      left_out_[i] = true;
      items_[i].failed = error.during("look at " + event.object.text());
    }
  }
}

Task<std::vector<std::string>> FollowedBatch::outdated(Stores& stores) {
  std::vector<std::string> objects;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    if (left_out_[i] || !is_of_whole_object(event) || items_[i].failed) continue;
    try {
      if (co_await is_outdated(stores, i)) objects.push_back(provenance_of(event));
    } catch (const Error& error) {
      items_[i].failed = error.during("look at " + event.object.text());
    }
  }
  co_return objects;
}

Task<bool> FollowedBatch::is_outdated(Stores& stores, std::size_t index) {
  const Event& event = events_[index];
  StepResult& result = items_[index].result;
  const bool removes = config_.on_delete == OnDelete::kRemove;
  const bool replaces = config_.on_overwrite == OnOverwrite::kReplace;
  if (event.kind == EventKind::kDeleted) {
    if (!removes) co_return false;
    if (co_await stores.at(event.store).head(event.object)) {
      result = {Outcome::kSuperseded, "the object is there again; its own event follows"};
      co_return false;
    }
    result = {};
    co_return true;
  }
  if (result.outcome == Outcome::kDone) co_return replaces;
  if (result.outcome == Outcome::kGone) co_return removes;
  if (result.outcome == Outcome::kSuperseded || !replaces) co_return false;
  // Skipped: an empty object has no rows, and its older version's must go.
  const auto there = co_await stores.at(event.store).head(event.object);
  co_return there && there->size == 0;
}

std::vector<Sink::Item> FollowedBatch::take_items() {
  std::vector<Sink::Item> items(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) items[places_[i]] = std::move(items_[i]);
  return items;
}

}  // namespace headrace
