#pragma once

#include <span>

#include "route/condition.h"
#include "route/event_fields.h"

namespace headrace {

/// What an alternative of a pattern asks of one field, by the field's number.
struct FieldTest {
  std::uint32_t field = 0;
  std::span<const Condition* const> any_of;  ///< Owned by whoever made the test.
};

/// Does some value of the field fit, or is it absent as asked? An absence is taken as possible as
/// soon as every value lies in an element of some array; elements_agree() looks closer.
bool may_hold(const FieldTest& test, const EventFields& event);

/// Do several of these fields have values in elements of arrays, or one that is asked to be absent?
/// If not, the fields may be looked at one by one.
bool needs_elements(std::span<const FieldTest> tests, const EventFields& event);

/// Is there a choice of values, one for each field, that fit and lie in the same element of every
/// array they have in common? The fields are gone through in their order; an absence is checked
/// against the elements chosen so far. Adds to `work` the values, the arrays around them and the
/// choices gone through, which are linear in the event unless arrays are combined freely (fields of
/// one array beside fields of another in one element of a third) or lie deep in each other. Throws
/// kCorrupt for an event that takes more of it than anyone would wait for: 4,000,000.
bool elements_agree(std::span<const FieldTest> tests, const EventFields& event,
                    std::uint64_t& work);

}  // namespace headrace
