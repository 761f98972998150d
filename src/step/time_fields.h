#pragma once

#include <map>
#include <string>

#include "core/key_template.h"

namespace headrace {

/// The fields of a template that are times, such as {created_at:%Y-%m-%d}, and how the moments of
/// rows come into them. A value; threads may share one.
class TimeFields {
 public:
  explicit TimeFields(const KeyTemplate& name);

  /// A moment as RFC 3339 spells it (one without a zone counts as UTC), or a date, in the field's
  /// format and in UTC. Anything else stays as it is, and so does what has the format already.
  std::string spelled(const std::string& field, std::string value) const;

 private:
  struct TimeField {
    std::string format;
    KeyTemplate alone;  // Nothing but this field.
  };
  std::map<std::string, TimeField, std::less<>> fields_;
};

}  // namespace headrace
