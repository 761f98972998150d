#include "route/range_index.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace headrace {

RangeIndex::RangeIndex(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::ranges::sort(entries_, {}, &Entry::low);
  highest_.resize(entries_.size());
  highest(0, entries_.size());
}

double RangeIndex::highest(std::size_t begin, std::size_t end) {
  if (begin == end) return -std::numeric_limits<double>::infinity();
  const std::size_t root = begin + (end - begin) / 2;
  highest_[root] = std::max({entries_[root].high, highest(begin, root), highest(root + 1, end)});
  return highest_[root];
}

void RangeIndex::find(double value, std::vector<std::uint32_t>& found) const {
  find(value, 0, entries_.size(), found);
}

void RangeIndex::find(double value, std::size_t begin, std::size_t end,
                      std::vector<std::uint32_t>& found) const {
  if (begin == end) return;
  const std::size_t root = begin + (end - begin) / 2;
  if (highest_[root] < value) return;  // All of the span ends before the value.
  find(value, begin, root, found);
  if (entries_[root].low > value) return;  // All that follows begins after the value.
  if (entries_[root].high >= value) found.push_back(entries_[root].number);
  find(value, root + 1, end, found);
}

}  // namespace headrace
