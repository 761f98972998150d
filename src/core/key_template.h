#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// What a key says, by field name.
using KeyFields = std::map<std::string, std::string, std::less<>>;

/// The shape of a store's keys, used both ways: match() takes a key apart into fields, build()
/// makes a key out of fields. Each undoes the other, byte for byte.
///
///   events/{event_type}/dt={date}/{name}.jsonl
///
///   {name}        text up to the literal that follows; never empty, never a '/'
///   {name...}     all the rest, with its slashes; only as the last field
///   {name:int}    digits that fit 63 bits; leading zeros are kept
///   {name:uuid}   8-4-4-4-12 hexadecimal digits
///   {name:%Y-%m-%dT%H:%M:%SZ}   a date that exists, each number with all its digits; of strftime's
///                 directives it knows %Y %m %d %H %M %S and %%
///   {int} {uuid}  the same, named after their type
///
/// A name is letters, digits and _, or a path of such words with dots between them: {user.id}.
///
/// The last field reaches as far as it can: `{name}.json` takes "a" out of "a.json" and "a.json"
/// out of "a.json.json". A field before it ends at the first place where its literal stands.
/// Braces stand for fields only: a key that holds one cannot be described.
///
/// A value; threads may share one. match() and build() are linear in the key.
class KeyTemplate {
 public:
  /// Reads a template. Throws kInvalid, with the place, for one that is malformed or that could
  /// read a key it built differently: two fields side by side, a rest field with a field after it,
  /// a name used twice, digits after an int.
  static KeyTemplate parse(std::string text);

  /// The fields of `key`; nullopt if it has another shape.
  std::optional<KeyFields> match(std::string_view key) const;

  /// The key with these fields; others in `fields` are left out. Throws kInvalid if a field is
  /// missing or its value could not be read back: it is empty, is not of the field's type, holds a
  /// '/' or begins the literal that follows too early.
  std::string build(const KeyFields& fields) const;

  /// The names, in the order of the text.
  const std::vector<std::string>& fields() const { return names_; }
  const std::string& text() const { return text_; }

 private:
  friend class KeyTemplateParser;

  enum class Type : unsigned char { kText, kRest, kInt, kUuid, kTime };
  struct Field {
    std::string name;
    Type type = Type::kText;
    std::string format;     // kTime: the strftime text.
    std::size_t width = 0;  // kUuid, kTime: every value has this length.
    std::string literal;    // What follows the field.
  };

  KeyTemplate() = default;
  static bool valid(const Field& field, std::string_view value);
  static std::optional<std::string_view> take(const Field& field, bool last, std::string_view rest);

  std::string text_;
  std::string prefix_;  // What stands before the first field.
  std::vector<Field> fields_;
  std::vector<std::string> names_;
};

}  // namespace headrace
