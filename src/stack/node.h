#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "stack/values.h"

namespace headrace::stack {

/// One value of the file, with all below it: what JSON-shaped YAML can say. Scalars keep their
/// text; what they mean is for the field's type to say.
struct Node {
  enum class Kind : unsigned char { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool plain = false;   ///< A scalar without quotes: may be a number, true or false.
  bool secret = false;  ///< Came from a credential or a file: never to be printed.
  bool broken = false;  ///< Its variables failed and that was said: no more complaints about it.
  bool literal = true;  ///< Some of the text stands in the file itself, not behind a variable.
  std::string text;     ///< Of a scalar.
  std::string key;      ///< In a map: the name.
  Where where;
  Where key_where;  ///< In a map; nowhere elsewhere.
  std::vector<Node> children;

  static Node scalar(std::string text, bool plain = false);
  static Node masked() { return scalar("***"); }

  /// The entry of that name; null if there is none or this is no map.
  const Node* find(std::string_view name) const;
  /// The key's place if it has one, else the value's: where to say that something is missing here.
  Where home() const { return key_where.line != 0 ? key_where : where; }
};

/// Is this unquoted text a number, true, false or null to JSON?
bool is_json_literal(std::string_view text);

/// The value as JSON; see stack::Json for what becomes a number.
void write_json(JsonWriter& json, const Node& node);

/// The value as YAML that reads back as the same value: block style, two blanks per level. Starts
/// at the left edge and ends with a line end.
std::string to_yaml(const Node& node);

}  // namespace headrace::stack
