#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ledger/rocksdb/codec.h"

namespace headrace::rocks {

/// What one route's copy of one member is doing.
enum class MemberState : unsigned char {
  kPending,  ///< On disk only; the route is behind, or it is not due.
  kQueued,   ///< In the route's queue.
  kTaken,    ///< With a worker.
  kDone,     ///< Settled, at the latest with the commit under way.
};

/// A page in memory. It is there while something holds it: a queue entry, a taken task, the due
/// times ahead, a commit under way. What it says beyond the payload is lost with it, and comes
/// again from its progress row.
struct Page {
  /// The members one route wants, at `first` in `states`; in step with content.routes.
  struct Part {
    RouteId route{};
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct Place {
    std::uint32_t part = 0;
    std::uint32_t index = 0;
  };

  Position at;
  std::shared_ptr<const Bytes> payload;
  PageContent content;
  std::vector<Part> parts;  ///< By route, ascending.
  std::vector<MemberState> states;
  std::uint32_t left = 0;  ///< States that are not kDone.
  std::uint32_t holds = 0;
  bool has_progress = false;

  MemberState& state(Place place) { return states[parts[place.part].first + place.index]; }
  std::uint16_t member(Place place) const {
    const auto& members = content.routes[place.part].members;
    return members.empty() ? static_cast<std::uint16_t>(place.index) : members[place.index];
  }
  TaskId id(Place place) const { return {at.seq, member(place), parts[place.part].route}; }
  std::optional<Place> find(RouteId route, std::uint16_t member) const;
};

/// A page from its payload and its progress row, if it has one.
std::unique_ptr<Page> make_page(Position at, Bytes payload, const std::optional<Bytes>& progress);

}  // namespace headrace::rocks
