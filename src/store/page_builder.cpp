#include "store/page_builder.h"

#include <algorithm>

namespace headrace {

PageBuilder::PageBuilder(ListOptions options) : options_(std::move(options)) {
  options_.limit = std::max<std::size_t>(options_.limit, 1);
}

bool PageBuilder::wants(std::string_view key) const {
  return key.starts_with(options_.prefix) && key > options_.start_after;
}

bool PageBuilder::may_hold(std::string_view folder) const {
  const std::string_view prefix = options_.prefix;
  const std::string_view after = options_.start_after;
  if (!folder.starts_with(prefix) && !prefix.starts_with(folder)) return false;
  if (after.starts_with(folder)) return after.substr(folder.size()) != "\xff";
  return folder > after;
}

std::optional<std::string_view> PageBuilder::folded(std::string_view key) const {
  if (!options_.delimiter) return std::nullopt;
  const std::size_t at = key.find(*options_.delimiter, options_.prefix.size());
  if (at == std::string_view::npos) return std::nullopt;
  return key.substr(0, at + 1);
}

bool PageBuilder::fits() {
  if (size() < options_.limit) return true;
  page_.next = last_;
  return false;
}

bool PageBuilder::add(ObjectInfo info) {
  if (const auto prefix = folded(info.key.path)) return add_prefix(*prefix);
  if (!fits()) return false;
  last_ = info.key.path;
  page_.objects.push_back(std::move(info));
  return true;
}

bool PageBuilder::add_prefix(std::string_view prefix) {
  if (!page_.prefixes.empty() && page_.prefixes.back() == prefix) return true;
  if (!fits()) return false;
  last_ = std::string(prefix) + '\xff';
  page_.prefixes.emplace_back(prefix);
  return true;
}

}  // namespace headrace
