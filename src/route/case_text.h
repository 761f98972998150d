#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// A text that stands for every mixture of its characters' lower and upper forms. Only the pattern
/// is taken apart, never the text it is compared with, so the relation has a direction: "straße"
/// stands for "STRASSE", but not the other way; "k" does not stand for the Kelvin sign. Characters
/// beyond U+FFFF stand for themselves alone.
class CaseText {
 public:
  CaseText() = default;
  explicit CaseText(std::string_view text);

  bool equals(std::string_view text) const;
  bool begins(std::string_view text) const;
  bool ends(std::string_view text) const;

  /// For a text of ASCII alone: itself in lower case, which is a key to compare by. nullopt if it
  /// has other characters.
  const std::optional<std::string>& ascii_key() const { return ascii_key_; }
  /// Otherwise: the forms of the first and of the last character, one of which is at that end.
  const std::array<std::string, 3>& first_forms() const { return characters_.front(); }
  const std::array<std::string, 3>& last_forms() const { return characters_.back(); }

 private:
  /// As written, lower, upper. At each place of a text at most one of them fits, since none begins
  /// or ends with another.
  using Forms = std::array<std::string, 3>;

  /// How many bytes at the start (or end) of `text` this takes up; nullopt if it does not fit.
  std::optional<std::size_t> fit_front(std::string_view text) const;
  bool fit_back(std::string_view text) const;

  std::optional<std::string> ascii_key_;
  std::vector<Forms> characters_;  // Empty if ascii_key_ is there.
};

/// A-Z become a-z; all other bytes stay.
void ascii_lower(std::string_view text, std::string& out);

}  // namespace headrace
