#pragma once

#include <optional>
#include <string>
#include <vector>

#include "event/event.h"
#include "step/step.h"
#include "step/table_objects.h"

namespace headrace {

enum class OnOverwrite : unsigned char {
  kAppend,   ///< Rows of every version of an object stay.
  kReplace,  ///< The rows of the newer version take the place of those of the older.
};
enum class OnDelete : unsigned char { kKeep, kRemove };

/// How a table follows the objects it is loaded from.
struct FollowConfig {
  OnOverwrite on_overwrite = OnOverwrite::kAppend;
  OnDelete on_delete = OnDelete::kKeep;

  bool any() const {
    return on_overwrite == OnOverwrite::kReplace || on_delete == OnDelete::kRemove;
  }
  bool operator==(const FollowConfig&) const = default;
};

/// Gives the rows that will come of the event their provenance.
void add_provenance(Event& event);

/// The events of one batch for a table that follows its objects.
///
/// An object's rows are made to be what the object holds when it is read, whatever its event told:
/// so it does not matter how often, how late and in which order events come. Each object is read
/// once for a batch; its other events are superseded. Events with an etag that is not the object's
/// any more are superseded as always: the change has an event of its own.
class FollowedBatch {
 public:
  /// Sorts the events by object, so that an object's rows lie together in the files.
  FollowedBatch(FollowConfig config, std::vector<Event> events);

  /// To be read, in their order, and what was decided of them before: those that are `left_out`
  /// have their result in `items` already.
  const std::vector<Event>& events() const { return events_; }
  const std::vector<bool>& left_out() const { return left_out_; }
  std::vector<Sink::Item>& items() { return items_; }

  /// Before reading: lines that were dead letters belong to the version of the object they were
  /// in; if it was replaced since, they are superseded.
  Task<> check_lines(Stores& stores);
  /// After reading: the objects, by their provenance, whose rows up to now have to go. Events of
  /// deletions get their results here.
  Task<std::vector<std::string>> outdated(Stores& stores);
  /// The items in the order in which the events were given.
  std::vector<Sink::Item> take_items();

 private:
  void choose(std::size_t first, std::size_t end);
  void leave_out(std::size_t index, std::string why);
  Task<bool> is_outdated(Stores& stores, std::size_t index);

  FollowConfig config_;
  std::vector<std::size_t> places_;  // Where each event was.
  std::vector<Event> events_;
  std::vector<bool> left_out_;
  std::vector<Sink::Item> items_;
};

}  // namespace headrace
