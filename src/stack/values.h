#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/clock.h"

namespace headrace::stack {

/// A place in the stack file, both counted from 1; the column counts characters, not bytes. Zero is
/// nowhere, for values that come from a default.
struct Where {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Where&) const = default;
};

/// A value that knows where it stands, for rooms that can complain about it only later: "no store
/// is named `lak`". In a map it is the place of the entry's key, elsewhere that of the value.
template <class T>
struct Positioned {
  T value{};
  Where where;

  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

/// A value of any shape, as compact JSON in the order of the file. Quoted YAML is text; unquoted
/// YAML is a number, true, false or null if JSON would read it so, and text otherwise.
struct Json {
  std::string text;
  Where where;
};

/// So many in so long: "200/s", "100/m", "5000/h", "10/d".
struct Rate {
  std::uint64_t count = 0;
  Duration per = std::chrono::seconds(1);
  bool operator==(const Rate&) const = default;
  double per_second() const {
    return static_cast<double>(count) / std::chrono::duration<double>(per).count();
  }
};

}  // namespace headrace::stack
