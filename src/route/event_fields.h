#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "route/condition.h"
#include "route/field_tree.h"

namespace headrace {

/// Which element of which array of the event: (number of the array, index), sorted by array.
using Membership = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// An event taken apart into the scalars of the fields that a FieldTree knows. Made once per thread
/// and read into again and again. The views into the last event end with it or with the next read.
class EventFields {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Leaf {
    FieldValue value;
    std::uint32_t next;  ///< The next leaf of the same field; kNone ends the list.
    std::uint32_t
        member;  ///< For membership(); kNone if the scalar lies in no element of an array.
  };

  EventFields();
  ~EventFields();
  EventFields(const EventFields&) = delete;
  EventFields& operator=(const EventFields&) = delete;

  /// Throws kCorrupt if `json` is not one JSON object, all of it, in UTF-8, at most 1,000 levels
  /// deep and below 4 GiB.
  void read(std::string_view json, const FieldTree& tree);

  /// For an event that is no JSON text: begin, then add its scalars. The texts outlive the event.
  void begin(const FieldTree& tree);
  void add(std::uint32_t field, FieldValue value) { add_leaf(field, value, kNone); }

  /// The first leaf of a field; kNone if the event has none.
  std::uint32_t first(std::uint32_t field) const { return heads_[field]; }
  const Leaf& leaf(std::uint32_t at) const { return leaves_[at]; }
  /// Does a scalar of any known field lie in an element of an array?
  bool has_members() const { return !members_.empty(); }
  /// Does a scalar of this field?
  bool has_members(std::uint32_t field) const;
  /// The elements a leaf lies in. An object or array in an array belongs to its element, a scalar
  /// that is itself an element does not.
  Membership membership(const Leaf& leaf) const;

 private:
  struct Parser;  // simdjson's first stage.
  struct Walk;
  struct Level {           // An open object or array that somebody asks for.
    std::uint32_t node;    // Where its names go on from; for an array that of its elements.
    std::uint32_t member;  // The membership of the object or array itself.
    std::uint32_t array;   // The array's number; kNone for an object.
    std::uint32_t index;   // The element that comes next.
  };
  struct Member {
    std::uint32_t outer;
    std::uint32_t array;
    std::uint32_t index;
  };

  void forget_large();
  void add_leaf(std::uint32_t field, FieldValue value, std::uint32_t member) {
    if (heads_[field] == kNone) touched_.push_back(field);
    leaves_.push_back({value, heads_[field], member});
    heads_[field] = static_cast<std::uint32_t>(leaves_.size() - 1);
  }

  std::unique_ptr<Parser> parser_;
  std::vector<std::uint32_t> heads_;    // By field.
  std::vector<std::uint32_t> touched_;  // Fields whose head is set.
  std::vector<Leaf> leaves_;
  std::vector<Member> members_;
  std::vector<Level> levels_;
  std::string unescaped_;  // Never grows while an event is read: views point into it.
};

}  // namespace headrace
