#include "route/arrays.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::uint64_t kMaxSteps = 4'000'000;

bool fits_one(const FieldTest& test, const FieldValue& value) {
  return std::ranges::any_of(test.any_of, [&](const Condition* c) { return c->fits(value); });
}

bool asks_absence(const FieldTest& test) {
  return std::ranges::any_of(
      test.any_of, [](const Condition* c) { return c->kind == Condition::Kind::kAbsent; });
}

template <class Do>
void each_leaf(const EventFields& event, std::uint32_t field, Do act) {
  for (std::uint32_t at = event.first(field); at != EventFields::kNone; at = event.leaf(at).next) {
    act(event.leaf(at));
  }
}

using Arrays = std::vector<std::uint32_t>;   // Numbers of arrays, ascending.
using Indices = std::vector<std::uint32_t>;  // The element of each.

Arrays arrays_of(const Membership& place) {
  Arrays out;
  for (const auto& [array, index] : place) out.push_back(array);
  return out;
}

/// The elements of `place` in `arrays`, all of which it has.
Indices elements_in(const Membership& place, const Arrays& arrays) {
  Indices out;
  auto wanted = arrays.begin();
  for (const auto& [array, index] : place) {
    if (wanted == arrays.end()) break;
    if (*wanted != array) continue;
    out.push_back(index);
    ++wanted;
  }
  return out;
}

/// Memberships by which arrays they are of: two of known shapes can be joined by their elements.
using Shapes = std::map<Arrays, std::vector<const Membership*>>;

Shapes shapes_of(const std::set<Membership>& places) {
  Shapes out;
  for (const Membership& place : places) out[arrays_of(place)].push_back(&place);
  return out;
}

/// Counts the work for one rule, up to what anyone would wait for.
class Budget {
 public:
  explicit Budget(std::uint64_t& work) : work_(work), most_(work + kMaxSteps) {}

  void spend(std::uint64_t steps) {
    work_ += steps;
    if (work_ > most_) {
      throw Error(ErrorKind::kCorrupt,
                  "event: its arrays can be combined in too many ways, or lie too deep in each "
                  "other, to be asked for several fields of an element");
    }
  }

 private:
  std::uint64_t& work_;
  std::uint64_t most_;
};

/// Whether values fit one of many conditions: of a long list of texts, without looking at each.
class AnyOf {
 public:
  explicit AnyOf(const FieldTest& test) : rest_(test.any_of) {
    if (test.any_of.size() <= kFew) return;
    for (const Condition* condition : test.any_of) {
      if (condition->kind == Condition::Kind::kString) {
        texts_.insert(condition->text);
      } else {
        others_.push_back(condition);
      }
    }
    rest_ = others_;
  }

  bool fits(const FieldValue& value) const {
    if (value.kind() == FieldValue::Kind::kString && texts_.contains(value.text())) return true;
    return std::ranges::any_of(rest_, [&](const Condition* c) { return c->fits(value); });
  }
  /// How many of them are looked at for a value, in units of those that take as long as a step.
  std::uint64_t steps() const { return rest_.size() / kFew; }

 private:
  static constexpr std::size_t kFew = 16;

  std::unordered_set<std::string_view> texts_;
  std::vector<const Condition*> others_;
  std::span<const Condition* const> rest_;
};

/// The memberships of a field's values, each once, and whether a value there fits. They take memory
/// by how many arrays lie around each value, so that all of it is counted.
struct FieldPlaces {
  std::set<Membership> all;
  std::set<Membership> fitting;
  bool may_be_absent = false;

  FieldPlaces(const FieldTest& test, const EventFields& event, Budget& budget)
      : may_be_absent(asks_absence(test)) {
    const AnyOf wanted(test);
    each_leaf(event, test.field, [&](const EventFields::Leaf& leaf) {
      Membership place = event.membership(leaf);
      budget.spend(1 + place.size() + wanted.steps());
      if (wanted.fits(leaf.value)) fitting.insert(place);
      all.insert(std::move(place));
    });
  }
};

/// Chooses elements for fields that are connected by arrays they have in common.
class Search {
 public:
  Search(std::vector<const FieldPlaces*> fields, Budget& budget)
      : fields_(std::move(fields)), budget_(budget) {
    later_.resize(fields_.size());
    for (std::size_t i = fields_.size(); i-- > 1;) {
      later_[i - 1] = later_[i];
      for (const Membership& place : fields_[i]->all) {
        for (const auto& [array, index] : place) later_[i - 1].insert(array);
      }
    }
  }

  bool run() {
    std::set<Membership> chosen{Membership()};
    for (std::size_t i = 0; i < fields_.size() && !chosen.empty(); ++i) {
      next_.clear();
      const FieldPlaces& places = *fields_[i];
      for (const auto& [arrays, group] : shapes_of(chosen)) {
        if (places.may_be_absent) extend_by_absence(i, arrays, group);
        for (const auto& [others, fitting] : shapes_of(places.fitting)) {
          join(arrays, group, others, fitting, [&](const Membership& a, const Membership& b) {
            next_.insert(keep(i, a, b));
            return true;
          });
        }
      }
      chosen = std::move(next_);
    }
    return !chosen.empty();
  }

 private:
  /// Up to eight arrays around a value are as quick to look at as one.
  void step(const Membership& place) { budget_.spend(1 + place.size() / 8); }

  /// Calls act(a, b) for all of `left` and `right` that lie in the same elements of the arrays both
  /// have; false from it ends the search for that `a`.
  template <class Do>
  void join(const Arrays& arrays, const std::vector<const Membership*>& left, const Arrays& others,
            const std::vector<const Membership*>& right, Do act) {
    Arrays common;
    std::ranges::set_intersection(arrays, others, std::back_inserter(common));
    std::map<Indices, std::vector<const Membership*>> by_elements;
    for (const Membership* place : right) {
      step(*place);
      by_elements[elements_in(*place, common)].push_back(place);
    }
    for (const Membership* place : left) {
      step(*place);
      const auto same = by_elements.find(elements_in(*place, common));
      if (same == by_elements.end()) continue;
      for (const Membership* other : same->second) {
        step(*other);
        if (!act(*place, *other)) break;
      }
    }
  }

  /// Those of `group` beside which the field has no value, fitting or not.
  void extend_by_absence(std::size_t i, const Arrays& arrays,
                         const std::vector<const Membership*>& group) {
    std::set<const Membership*> taken;
    for (const auto& [others, places] : shapes_of(fields_[i]->all)) {
      join(arrays, group, others, places, [&](const Membership& a, const Membership&) {
        taken.insert(&a);
        return false;
      });
    }
    for (const Membership* place : group) {
      if (!taken.contains(place)) next_.insert(keep(i, *place, {}));
    }
  }

  /// The part of `chosen` and `place` together that fields still to come can disagree with.
  Membership keep(std::size_t i, const Membership& chosen, const Membership& place) const {
    Membership out;
    std::ranges::set_union(chosen, place, std::back_inserter(out));
    std::erase_if(out, [&](const auto& element) { return !later_[i].contains(element.first); });
    return out;
  }

  std::vector<const FieldPlaces*> fields_;
  std::vector<std::set<std::uint32_t>> later_;  // Arrays of the fields after each field.
  std::set<Membership> next_;
  Budget& budget_;
};

/// Fields in groups that have no array in common, each in the order given: what is chosen in one
/// group cannot matter in another.
std::vector<std::vector<const FieldPlaces*>> connected(const std::vector<FieldPlaces>& fields) {
  std::vector<std::size_t> group(fields.size());
  std::map<std::uint32_t, std::size_t> first_with;  // Array -> a field that has it.
  const auto find = [&](std::size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  for (std::size_t i = 0; i < fields.size(); ++i) {
    group[i] = i;
    for (const Membership& place : fields[i].all) {
      for (const auto& [array, index] : place) {
        const auto [known, fresh] = first_with.try_emplace(array, i);
        if (!fresh) group[find(known->second)] = find(i);
      }
    }
  }
  std::map<std::size_t, std::vector<const FieldPlaces*>> groups;
  for (std::size_t i = 0; i < fields.size(); ++i) groups[find(i)].push_back(&fields[i]);
  std::vector<std::vector<const FieldPlaces*>> out;
  for (auto& [root, members] : groups) out.push_back(std::move(members));
  return out;
}

}  // namespace

bool may_hold(const FieldTest& test, const EventFields& event) {
  bool free = false;  // Has a value that lies in no element of an array.
  bool fits = false;
  for (std::uint32_t at = event.first(test.field); at != EventFields::kNone && !fits;
       at = event.leaf(at).next) {
    const EventFields::Leaf& leaf = event.leaf(at);
    free |= leaf.member == EventFields::kNone;
    fits = fits_one(test, leaf.value);
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

bool elements_agree(std::span<const FieldTest> tests, const EventFields& event,
                    std::uint64_t& work) {
  Budget budget(work);
  std::vector<FieldPlaces> fields;
  fields.reserve(tests.size());
  for (const FieldTest& test : tests) fields.emplace_back(test, event, budget);
  return std::ranges::all_of(connected(fields), [&](std::vector<const FieldPlaces*> group) {
    return Search(std::move(group), budget).run();
  });
}

}  // namespace headrace
