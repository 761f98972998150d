#include "event/attributes.h"

#include <algorithm>
#include <array>

namespace headrace {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

std::optional<std::string_view> find_attribute(AttributeViews attributes, std::string_view name) {
  for (const auto& [known, value] : attributes) {
    if (same_name(known, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> find_cloud_attribute(AttributeViews attributes,
                                                     std::string_view name) {
  static constexpr std::array<std::string_view, 4> kPrefixes{"ce-", "ce_",
                                                             "cloudEvents:", "cloudEvents_"};
  for (const auto& [known, value] : attributes) {
    for (const std::string_view prefix : kPrefixes) {
      if (known.size() == prefix.size() + name.size() &&
          same_name(known.substr(0, prefix.size()), prefix) &&
          same_name(known.substr(prefix.size()), name)) {
        return value;
      }
    }
  }
  return std::nullopt;
}

}  // namespace headrace
