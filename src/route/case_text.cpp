#include "route/case_text.h"

#include <algorithm>
#include <cstdint>

#include "core/utf8.h"

namespace headrace {
namespace {

/// Characters first, first + step, ..., last become lower and upper by adding.
struct CaseRun {
  char16_t first;
  char16_t last;
  int step;
  int to_lower;
  int to_upper;
};
/// A character one of whose forms is several characters.
struct CaseSpecial {
  char16_t code;
  std::string_view lower;
  std::string_view upper;
};

#include "route/case_table.inc"

std::string utf8(std::uint32_t code) {
  std::string out;
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
  return out;
}

/// The code of a well-formed sequence of two or three bytes.
std::uint32_t code_of(std::string_view sequence) {
  std::uint32_t code =
      static_cast<unsigned char>(sequence[0]) & (sequence.size() == 2 ? 0x1F : 0xF);
  for (const char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

std::array<std::string, 3> forms_of(std::string_view character) {
  const std::string self(character);
  std::string lower;
  std::string upper;
  if (character.size() == 1) {
    ascii_lower(character, lower);
    const bool letter = lower[0] >= 'a' && lower[0] <= 'z';
    upper = letter ? std::string(1, static_cast<char>(lower[0] - 0x20)) : self;
    return {self, lower, upper};
  }
  if (character.size() == 4) return {self, self, self};
  const std::uint32_t code = code_of(character);
  for (const CaseSpecial& special : kCaseSpecials) {
    if (special.code == code) return {self, std::string(special.lower), std::string(special.upper)};
  }
  for (const CaseRun& run : kCaseRuns) {
    if (code < run.first || code > run.last || (code - run.first) % run.step != 0) continue;
    return {self, utf8(code + static_cast<std::uint32_t>(run.to_lower)),
            utf8(code + static_cast<std::uint32_t>(run.to_upper))};
  }
  return {self, self, self};
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool same_in_lower_case(std::string_view key, std::string_view text) {
  return std::ranges::equal(key, text, [](char k, char c) {
    return k == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c);
  });
}

}  // namespace

void ascii_lower(std::string_view text, std::string& out) {
  out.resize(text.size());
  std::ranges::transform(text, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
  });
}

CaseText::CaseText(std::string_view text) {
  if (is_ascii(text)) {
    ascii_lower(text, ascii_key_.emplace());
    return;
  }
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(text));
    characters_.push_back(forms_of(text.substr(0, length)));
    text.remove_prefix(length);
  }
}

std::optional<std::size_t> CaseText::fit_front(std::string_view text) const {
  std::size_t taken = 0;
  for (const Forms& forms : characters_) {
    const std::string_view rest = text.substr(taken);
    const auto form = std::ranges::find_if(
        forms, [&](const std::string& candidate) { return rest.starts_with(candidate); });
    if (form == forms.end()) return std::nullopt;
    taken += form->size();
  }
  return taken;
}

bool CaseText::fit_back(std::string_view text) const {
  for (auto forms = characters_.rbegin(); forms != characters_.rend(); ++forms) {
    const auto form = std::ranges::find_if(
        *forms, [&](const std::string& candidate) { return text.ends_with(candidate); });
    if (form == forms->end()) return false;
    text.remove_suffix(form->size());
  }
  return true;
}

bool CaseText::equals(std::string_view text) const {
  if (ascii_key_) return same_in_lower_case(*ascii_key_, text);
  return fit_front(text) == text.size();
}

bool CaseText::begins(std::string_view text) const {
  if (!ascii_key_) return fit_front(text).has_value();
  return same_in_lower_case(*ascii_key_, text.substr(0, ascii_key_->size()));
}

bool CaseText::ends(std::string_view text) const {
  if (!ascii_key_) return fit_back(text);
  if (text.size() < ascii_key_->size()) return false;
  return same_in_lower_case(*ascii_key_, text.substr(text.size() - ascii_key_->size()));
}

}  // namespace headrace
