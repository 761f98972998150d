#include "route/row_filter.h"

#include "core/error.h"

namespace headrace {
namespace {

std::vector<Rule> one_rule(std::string_view pattern_json) {
  std::vector<Rule> rules;
  rules.push_back({0, Pattern::parse(pattern_json)});
  return rules;
}

}  // namespace

RowFilter::RowFilter(std::string_view pattern_json) : matcher_(one_rule(pattern_json)) {}

RowAnswer RowFilter::ask(std::string_view row_json) const {
  try {
    return matches(row_json) ? RowAnswer::kYes : RowAnswer::kNo;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    return RowAnswer::kFault;
  }
}

bool RowFilter::matches(std::string_view row_json) const {
  thread_local std::vector<std::uint32_t> matched;
  matcher_.match(row_json, matched);
  return !matched.empty();
}

bool RowFilter::matches(std::span<const Matcher::Scalar> row) const {
  thread_local std::vector<std::uint32_t> matched;
  matcher_.match(row, matched);
  return !matched.empty();
}

}  // namespace headrace
