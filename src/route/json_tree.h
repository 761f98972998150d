#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// A JSON value as it was written: numbers keep their text, objects their order and their repeated
/// names. For small documents that a person wrote (patterns), where spelling and place matter.
struct JsonTree {
  enum class Kind : unsigned char { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  std::string text;                ///< kString: decoded. kNumber: as written.
  std::vector<std::string> names;  ///< kObject: the name of each item.
  std::vector<JsonTree> items;     ///< kArray: elements. kObject: values.
  std::size_t begin = 0;           ///< Where the value's text begins and ends, in bytes.
  std::size_t end = 0;

  /// The last item of this name, as the last one wins; null if there is none.
  const JsonTree* find(std::string_view name) const;
};

/// "a string", "an array", ...: for messages.
std::string_view describe(JsonTree::Kind kind);

/// Reads one JSON value (RFC 8259, UTF-8, at most 100 levels deep). Throws kInvalid with the byte
/// where it goes wrong.
JsonTree parse_json_tree(std::string_view text);

/// Appends the text that the inside of a JSON string stands for; false if an escape is not JSON's
/// or is half of a surrogate pair. `inside` has no quotes and no control characters.
bool append_unescaped(std::string& out, std::string_view inside);

/// Is `text` exactly one JSON number?
bool is_json_number(std::string_view text);

}  // namespace headrace
