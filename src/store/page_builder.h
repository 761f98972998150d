#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace headrace {

/// Makes one page of a listing out of keys that a backend offers in bytewise order: checks prefix
/// and start_after, folds by delimiter, stops at the limit, and says where the next page starts.
///
/// A folded prefix is continued after by `prefix + 0xFF`: no UTF-8 key sorts between that and the
/// last key under the prefix.
class PageBuilder {
 public:
  explicit PageBuilder(ListOptions options);

  /// May `key` be on this page?
  bool wants(std::string_view key) const;
  /// May any key that starts with `folder` (which ends in "/") be on this page?
  bool may_hold(std::string_view folder) const;
  /// What `key` folds into, if the delimiter comes after the prefix: a view into `key`.
  std::optional<std::string_view> folded(std::string_view key) const;

  /// Adds an object for which wants() is true, or the prefix it folds into. False: the page was
  /// full already, and nothing more is needed.
  bool add(ObjectInfo info);
  bool add_prefix(std::string_view prefix);

  /// How many more entries fit.
  std::size_t room() const { return options_.limit - size(); }
  ListPage take() && { return std::move(page_); }

 private:
  std::size_t size() const { return page_.objects.size() + page_.prefixes.size(); }
  bool fits();

  ListOptions options_;
  ListPage page_;
  std::string last_;  // The start_after that goes on behind the last entry added.
};

}  // namespace headrace
