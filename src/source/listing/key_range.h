#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// The keys of a prefix that sort after one and not after another.
struct KeyRange {
  std::string prefix;
  std::string after;  ///< Exclusive; empty: from the prefix's start.
  std::string until;  ///< Inclusive; empty: to the prefix's end.
};

/// How the keys of a listing are made, learned from those seen so far: which bytes tell neighbours
/// apart (the digits of a counter or a time, the hex digits of a hash), and which are the same in
/// all keys at a place (separators). It guesses where a range of keys that nobody has listed might
/// be cut into pieces about as wide.
///
/// A guess may be wrong, and a piece then empty; but pieces always make up the whole range, so
/// nothing is missed by it. Only ASCII letters and digits are put into cuts besides what keys have
/// in common.
class KeyShape {
 public:
  /// The next key of a page, without its prefix.
  void learn(std::string_view key);
  /// A page ended: the next key is no neighbour of the last one.
  void end_page() { last_.clear(); }

  /// Up to `pieces - 1` keys, ascending and inside of `range`; none if there is no telling.
  std::vector<std::string> cuts(const KeyRange& range, std::size_t pieces) const;
  /// How many times as wide as the page from `first` to `range.after` the range is: an estimate of
  /// the pages it has left. Infinite if it can't be told.
  double pages_left(const KeyRange& range, std::string_view first) const;

 private:
  /// Have all keys the same byte at this place, one that tells none from its neighbours?
  bool is_fixed(std::size_t place) const;
  /// Where the rest of a key, from `place` on, lies between 0 and 1.
  double position(std::string_view key, std::size_t place) const;

  std::string symbols_;  // Ascending.
  std::string common_;   // For each place the byte that all keys have there, or 0.
  std::string last_;
  bool any_ = false;
};

}  // namespace headrace
