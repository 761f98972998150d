#pragma once

#include <string>
#include <string_view>

namespace headrace {

/// How files of a dataset hold values of types that differ.
enum class Mixing : unsigned char {
  kJson,  ///< Any value reads as JSON, and any scalar as text.
  kText,  ///< Any value reads as text.
};

/// The type that values of both types can be read as. Structs get the members of both, lists and
/// maps the type of both contents; numbers the wider one, dates and times the finer one. What goes
/// together in no other way becomes VARCHAR if both are scalars, else JSON (kText: VARCHAR). Types
/// are spelled as the engine's DESCRIBE does; what is spelled otherwise counts as a scalar.
std::string merge_types(std::string_view a, std::string_view b, Mixing mixing);

}  // namespace headrace
