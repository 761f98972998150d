#pragma once

#include <cstdint>
#include <vector>

namespace headrace {

/// Closed ranges of numbers with a number each; finds those that hold a value in O(log n + found).
/// Open bounds are for the caller to check. Built once, then read by any thread.
class RangeIndex {
 public:
  struct Entry {
    double low = 0;
    double high = 0;
    std::uint32_t number = 0;
  };

  RangeIndex() = default;
  explicit RangeIndex(std::vector<Entry> entries);

  bool empty() const { return entries_.empty(); }
  /// Appends the numbers of all ranges with low <= value <= high.
  void find(double value, std::vector<std::uint32_t>& found) const;

 private:
  // A balanced tree laid over the entries sorted by `low`: the middle of a span is its root.
  double highest(std::size_t begin, std::size_t end);
  void find(double value, std::size_t begin, std::size_t end,
            std::vector<std::uint32_t>& found) const;

  std::vector<Entry> entries_;
  std::vector<double> highest_;  // By root: the highest `high` in its span.
};

}  // namespace headrace
