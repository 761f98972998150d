#include "route/arrays.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::size_t kMaxSteps = 1'000'000;

bool fits_one(const std::vector<Condition>& any_of, const FieldValue& value) {
  return std::ranges::any_of(any_of, [&](const Condition& c) { return c.fits(value); });
}

bool asks_absence(const FieldTest& test) {
  return std::ranges::any_of(*test.any_of,
                             [](const Condition& c) { return c.kind == Condition::Kind::kAbsent; });
}

template <class Do>
void each_leaf(const EventFields& event, std::uint32_t field, Do act) {
  for (std::uint32_t at = event.first(field); at != EventFields::kNone; at = event.leaf(at).next) {
    act(event.leaf(at));
  }
}

/// Both sorted by array: do they name the same element wherever they name the same array?
bool agree(const Membership& a, const Membership& b) {
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() && right != b.end()) {
    if (left->first < right->first) {
      ++left;
    } else if (right->first < left->first) {
      ++right;
    } else if ((left++)->second != (right++)->second) {
      return false;
    }
  }
  return true;
}

/// The memberships of a field's values, each once, and whether a value there fits.
struct Places {
  std::set<Membership> all;
  std::set<Membership> fitting;
  bool may_be_absent = false;

  Places(const FieldTest& test, const EventFields& event) : may_be_absent(asks_absence(test)) {
    each_leaf(event, test.field, [&](const EventFields::Leaf& leaf) {
      Membership place = event.membership(leaf);
      if (fits_one(*test.any_of, leaf.value)) fitting.insert(place);
      all.insert(std::move(place));
    });
  }
};

/// The part of `chosen` and `place` together that fields still to come can disagree with.
Membership keep(const Membership& chosen, const Membership& place,
                const std::set<std::uint32_t>& later) {
  Membership out;
  std::ranges::set_union(chosen, place, std::back_inserter(out));
  std::erase_if(out, [&](const auto& element) { return !later.contains(element.first); });
  return out;
}

class Search {
 public:
  explicit Search(std::vector<Places> fields) : fields_(std::move(fields)) {
    later_.resize(fields_.size());
    for (std::size_t i = fields_.size(); i-- > 1;) {
      later_[i - 1] = later_[i];
      for (const Membership& place : fields_[i].all) {
        for (const auto& [array, index] : place) later_[i - 1].insert(array);
      }
    }
  }

  bool run() {
    std::set<Membership> chosen{Membership()};
    for (std::size_t i = 0; i < fields_.size() && !chosen.empty(); ++i) {
      std::set<Membership> next;
      for (const Membership& so_far : chosen) extend(i, so_far, next);
      chosen = std::move(next);
    }
    return !chosen.empty();
  }

 private:
  void extend(std::size_t i, const Membership& so_far, std::set<Membership>& next) {
    const Places& places = fields_[i];
    steps_ += places.all.size() + 1;
    if (steps_ > kMaxSteps) {
      throw Error(ErrorKind::kCorrupt, "event: its arrays can be combined in too many ways");
    }
    const auto beside = [&](const Membership& place) { return agree(so_far, place); };
    if (places.may_be_absent && std::ranges::none_of(places.all, beside)) {
      next.insert(keep(so_far, {}, later_[i]));
    }
    for (const Membership& place : places.fitting) {
      if (beside(place)) next.insert(keep(so_far, place, later_[i]));
    }
  }

  std::vector<Places> fields_;
  std::vector<std::set<std::uint32_t>> later_;  // Arrays of the fields after each field.
  std::size_t steps_ = 0;
};

}  // namespace

bool may_hold(const FieldTest& test, const EventFields& event) {
  bool free = false;  // Has a value that lies in no element of an array.
  bool fits = false;
  for (std::uint32_t at = event.first(test.field); at != EventFields::kNone && !fits;
       at = event.leaf(at).next) {
    const EventFields::Leaf& leaf = event.leaf(at);
    free |= leaf.member == EventFields::kNone;
    fits = fits_one(*test.any_of, leaf.value);
  }
  return fits || (!free && asks_absence(test));
}

bool needs_elements(std::span<const FieldTest> tests, const EventFields& event) {
  if (!event.has_members()) return false;
  std::size_t fields = 0;
  for (const FieldTest& test : tests) {
    if (!event.has_members(test.field)) continue;
    if (++fields > 1 || asks_absence(test)) return true;
  }
  return false;
}

bool elements_agree(std::span<const FieldTest> tests, const EventFields& event) {
  std::vector<Places> fields;
  fields.reserve(tests.size());
  for (const FieldTest& test : tests) fields.emplace_back(test, event);
  return Search(std::move(fields)).run();
}

}  // namespace headrace
