#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// A text in which each '*' stands for any run of characters, also none; "\*" and "\\" stand for
/// '*' and '\' themselves.
class Wildcard {
 public:
  /// nullopt, and `fault` says why, for two stars side by side, for any other escape, and for more
  /// than kMaxStars stars.
  static std::optional<Wildcard> parse(std::string_view text, std::string& fault);

  bool matches(std::string_view text) const;

  /// What every match begins and ends with; all of it if there is no star.
  const std::string& head() const { return parts_.front(); }
  const std::string& tail() const { return parts_.back(); }
  /// The longest literal between two stars; empty if there is none.
  const std::string& longest_middle() const;
  std::size_t stars() const { return parts_.size() - 1; }

  static constexpr std::size_t kMaxStars = 64;

 private:
  std::vector<std::string> parts_;  // The literals between the stars; one more than stars.
};

}  // namespace headrace
