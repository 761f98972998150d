#include "route/wildcard.h"

#include <fmt/format.h>

namespace headrace {

std::optional<Wildcard> Wildcard::parse(std::string_view text, std::string& fault) {
  Wildcard out;
  out.parts_.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '*') {
      if (next == '*') {
        fault = fmt::format("has two stars side by side at character {}: one is enough", i);
        return std::nullopt;
      }
      out.parts_.emplace_back();
    } else if (c == '\\') {
      if (next != '*' && next != '\\') {
        fault = fmt::format("has a bad escape at character {}: only \\* and \\\\ are known", i);
        return std::nullopt;
      }
      out.parts_.back().push_back(next);
      ++i;
    } else {
      out.parts_.back().push_back(c);
    }
  }
  if (out.stars() > kMaxStars) {
    fault = fmt::format("has {} stars: {} is the most", out.stars(), kMaxStars);
    return std::nullopt;
  }
  return out;
}

const std::string& Wildcard::longest_middle() const {
  static const std::string kNothing;
  const std::string* longest = &kNothing;
  for (std::size_t part = 1; part + 1 < parts_.size(); ++part) {
    if (parts_[part].size() > longest->size()) longest = &parts_[part];
  }
  return *longest;
}

bool Wildcard::matches(std::string_view text) const {
  if (parts_.size() == 1) return text == head();
  if (text.size() < head().size() + tail().size()) return false;
  if (!text.starts_with(head()) || !text.ends_with(tail())) return false;
  text.remove_prefix(head().size());
  text.remove_suffix(tail().size());
  // What lies between two stars may stand at the first place where it occurs: a later one leaves
  // less room for the rest.
  for (std::size_t part = 1; part + 1 < parts_.size(); ++part) {
    const std::size_t at = text.find(parts_[part]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + parts_[part].size());
  }
  return true;
}

}  // namespace headrace
