#include "ledger/ledger.h"

#include <fmt/format.h>

#include <charconv>

namespace headrace {
namespace {

/// Reads one number off the front of `text` and the '-' after it, unless it is the last.
template <class Number>
bool take_number(std::string_view& text, Number& number, int base, bool last) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (last) return text.empty();
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string TaskId::text() const {
  return fmt::format("{:x}-{}-{}", seq, member, static_cast<std::uint32_t>(route));
}

std::optional<TaskId> TaskId::parse(std::string_view text) {
  TaskId id;
  std::uint32_t route = 0;
  if (!take_number(text, id.seq, 16, false) || !take_number(text, id.member, 10, false) ||
      !take_number(text, route, 10, true)) {
    return std::nullopt;
  }
  id.route = RouteId(route);
  return id;
}

}  // namespace headrace
