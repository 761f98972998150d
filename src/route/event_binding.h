#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "event/event.h"
#include "route/event_fields.h"
#include "route/field_tree.h"

namespace headrace {

/// The members of an Event bound to the fields that patterns ask for: what an Event has under a
/// field is then read without looking for it. The fields are those of to_json(). Built once, then
/// read by any thread.
class EventBinding {
 public:
  /// What the values of an event point into if it has no text for them; one per thread.
  struct Buffers {
    std::string time;
    std::array<char, 24> size;
  };

  EventBinding() = default;
  /// Of all fields that `tree` has by now.
  explicit EventBinding(const FieldTree& tree);

  /// False for the few events that are to be read as JSON: those made of one line, and those with
  /// texts that are no UTF-8. `event` and `buffers` outlive what is read.
  bool read(const Event& event, const FieldTree& tree, Buffers& buffers, EventFields& out) const;

 private:
  enum Member : unsigned char {
    kVersion,
    kId,
    kDetailType,
    kSource,
    kTime,
    kDetailVersion,
    kBucket,
    kKey,
    kSize,
    kEtag,
    kVersionId,
    kSequencer,
    kStore,
    kOrigin,
    kProducer,
    kMembers,
  };

  bool text(Member member, std::string_view value, EventFields& out) const;

  std::array<std::uint32_t, kMembers> fields_{};  // FieldTree::kNone: nobody asks.
  std::uint32_t key_fields_ = FieldTree::kNone;   // The node of detail.key_fields.
};

}  // namespace headrace
