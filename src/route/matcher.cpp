#include "route/matcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "route/event_binding.h"
#include "route/event_fields.h"
#include "route/places.h"

namespace headrace {
namespace {

/// One event in 16 is counted by what it meets, by chance: a thread may match for several matchers
/// in turn, so that every 16th event of the thread could always be another's.
bool sampled(std::uint32_t event) { return event * 0x9E3779B1U < 1U << 28; }
/// A field asked less often than this says nothing about shares yet.
constexpr std::uint32_t kEnoughSamples = 200;

/// How often fields were asked and which conditions their values fitted, of the events sampled.
/// Counts may get lost between threads: they only serve to compare.
class Hits {
 public:
  Hits(std::size_t fields, std::size_t conditions) : asked_(fields), fitted_(conditions) {}

  void asked(std::uint32_t field) { add(asked_[field]); }
  void fitted(std::uint32_t condition) { add(fitted_[condition]); }

  /// Below 0 if too little is known.
  double share(std::uint32_t field, std::uint32_t condition) const {
    const double asked = asked_[field].load(std::memory_order_relaxed);
    if (asked < kEnoughSamples) return -1;
    return (fitted_[condition].load(std::memory_order_relaxed) + 0.5) / (asked + 1);
  }

 private:
  static void add(std::atomic<std::uint32_t>& count) {
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  std::vector<std::atomic<std::uint32_t>> asked_;
  std::vector<std::atomic<std::uint32_t>> fitted_;
};

/// So many ids are not sorted by comparing them.
constexpr std::size_t kManyIds = 32;

/// What one thread needs for one event.
struct Scratch {
  EventFields event;
  EventBinding::Buffers buffers;
  FieldIndex::Scratch index;
  std::vector<std::vector<std::uint32_t>> fitting;  // By field: the conditions that its values fit.
  std::vector<std::uint32_t> known;                 // By field: the event that filled `fitting`.
  std::vector<std::uint32_t> answers;  // By condition: the event, and whether it fits (lowest bit).
  std::vector<std::uint32_t> postings;
  std::vector<std::uint64_t> marks;  // A bit for each id; none is set between calls.
  std::uint32_t now = 0;             // The event's number, even.

  /// Sorts ids and drops those that are there twice. Where many are close to each other, marking
  /// them in a row of bits is quicker than comparing them.
  void order(std::vector<std::uint32_t>& ids) {
    if (ids.size() < 2) return;
    const std::size_t words = *std::ranges::max_element(ids) / 64 + 1;
    if (ids.size() < kManyIds || words > ids.size() * 4) {
      std::ranges::sort(ids);
      const auto rest = std::ranges::unique(ids);
      ids.erase(rest.begin(), rest.end());
      return;
    }
    if (marks.size() < words) marks.resize(words, 0);
    for (const std::uint32_t id : ids) marks[id / 64] |= std::uint64_t{1} << id % 64;
    ids.clear();
    for (std::uint32_t word = 0; word < words; ++word) {
      for (std::uint64_t bits = std::exchange(marks[word], 0); bits != 0; bits &= bits - 1) {
        ids.push_back(word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
      }
    }
  }

  void begin(std::size_t fields, std::size_t conditions) {
    if (known.size() < fields) {
      known.resize(fields, 0);
      fitting.resize(fields);
    }
    if (answers.size() < conditions) answers.resize(conditions, 0);
    now += 2;
    if (now == 0) {  // Once in two thousand million events.
      std::ranges::fill(known, 0);
      std::ranges::fill(answers, 0);
      now = 2;
    }
    postings.clear();  // An event that was refused as corrupt left some.
    index.work = 0;
  }
};

thread_local Scratch scratch;

class Search {
 public:
  Search(const Places& places, Hits& hits, Scratch& own, std::vector<std::uint32_t>& matched)
      : places_(places),
        hits_(hits),
        scratch_(own),
        sampled_(sampled(own.now / 2)),
        matched_(matched) {}

  void visit(std::uint32_t at) {
    const Places::Place& place = places_.place(at);
    for (const std::uint32_t field : place.fields) {
      for (const std::uint32_t condition : fitting(field)) {
        const std::uint32_t posting = places_.find(at, condition);
        if (posting != Places::kNone) visit_posting(posting);
      }
    }
    for (const Places::Ranges& ranges : place.ranges) visit(ranges);
  }

 private:
  void visit_posting(std::uint32_t at) {
    const std::uint32_t* code = places_.code(at);
    const std::uint32_t inner = code[Places::kInner];
    const std::uint32_t count = code[Places::kCount];
    code += Places::kCandidates;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (holds(code)) matched_.push_back(code[Places::kOfRule]);
      code += Places::kTests + code[Places::kLength];
    }
    if (inner != Places::kNone) visit(inner);
  }

  void visit(const Places::Ranges& ranges) {
    std::vector<std::uint32_t>& postings = scratch_.postings;
    const std::size_t begin = postings.size();  // Outer places have theirs before it.
    const EventFields& event = scratch_.event;
    for (std::uint32_t at = event.first(ranges.field); at != EventFields::kNone;
         at = event.leaf(at).next) {
      const FieldValue& value = event.leaf(at).value;
      if (!value.nearest()) continue;
      const std::size_t had = postings.size();
      ranges.index.find(*value.nearest(), postings);
      // Open bounds, and whether the number is comparable at all.
      const auto fits = [&](std::uint32_t posting) {
        return places_.condition(places_.code(posting)[Places::kOfCondition]).fits(value);
      };
      scratch_.index.work += postings.size() - had;
      const auto rest = std::remove_if(postings.begin() + static_cast<std::ptrdiff_t>(had),
                                       postings.end(), std::not_fn(fits));
      postings.erase(rest, postings.end());
    }
    std::sort(postings.begin() + static_cast<std::ptrdiff_t>(begin), postings.end());
    for (std::size_t i = begin; i < postings.size(); ++i) {
      if (i == begin || postings[i] != postings[i - 1]) visit_posting(postings[i]);
    }
    postings.resize(begin);
  }

  /// Looked up once per event, when a place first asks.
  const std::vector<std::uint32_t>& fitting(std::uint32_t field) {
    std::vector<std::uint32_t>& out = scratch_.fitting[field];
    if (scratch_.known[field] == scratch_.now) return out;
    scratch_.known[field] = scratch_.now;
    out.clear();
    const FieldIndex& index = places_.index(field);
    const EventFields& event = scratch_.event;
    std::size_t leaves = 0;
    bool free = false;  // Has a value that lies in no element of an array.
    for (std::uint32_t at = event.first(field); at != EventFields::kNone;
         at = event.leaf(at).next) {
      index.find(event.leaf(at).value, scratch_.index, out);
      free |= event.leaf(at).member == EventFields::kNone;
      ++leaves;
    }
    scratch_.index.work += leaves;
    if (index.absent() && !free) out.push_back(*index.absent());
    if (leaves > 1) {
      std::ranges::sort(out);
      const auto rest = std::ranges::unique(out);
      out.erase(rest.begin(), rest.end());
    }
    for (const std::uint32_t condition : out) scratch_.answers[condition] = scratch_.now | 1;
    if (sampled_) {
      hits_.asked(field);
      for (const std::uint32_t condition : out) hits_.fitted(condition);
    }
    return out;
  }

  bool holds(const std::uint32_t* candidate) {
    const std::uint32_t* test = candidate + Places::kTests;
    const std::uint32_t* end = test + candidate[Places::kLength];
    while (test < end) {
      const std::uint32_t field = test[0];
      const std::uint32_t count = test[1];
      test += 2;
      if (count == Places::kLong) {
        if (!is_one_of_many(places_.test(*test++))) return false;
        continue;
      }
      const auto any_of = std::span(test, count);
      test += count;
      const auto fit = [&](std::uint32_t number) { return fits(field, number); };
      if (std::ranges::none_of(any_of, fit)) return false;
    }
    if (!scratch_.event.has_members()) return true;
    const auto tests = places_.tests(places_.alternative(candidate[Places::kOfAlternative]));
    return !needs_elements(tests, scratch_.event) ||
           elements_agree(tests, scratch_.event, scratch_.index.work);
  }

  bool is_one_of_many(const FieldTest& test) {
    return std::ranges::any_of(fitting(test.field), [&](std::uint32_t number) {
      return std::ranges::binary_search(test.any_of, &places_.condition(number));
    });
  }

  /// Does a value of the field fit? Found out once per event.
  bool fits(std::uint32_t field, std::uint32_t number) {
    std::uint32_t& answer = scratch_.answers[number];
    if ((answer | 1) == (scratch_.now | 1)) return (answer & 1) != 0;
    const bool looked_up = scratch_.known[field] == scratch_.now && places_.indexed(number);
    const Condition* const alone[] = {&places_.condition(number)};
    const bool yes = !looked_up && may_hold({field, alone}, scratch_.event);
    ++scratch_.index.work;
    answer = scratch_.now | (yes ? 1 : 0);
    return yes;
  }

  const Places& places_;
  Hits& hits_;
  Scratch& scratch_;
  bool sampled_;
  std::vector<std::uint32_t>& matched_;
};

/// Takes rules into a builder and watches the limits.
class Intake {
 public:
  Intake(FieldTree& tree, std::vector<std::string>& paths, const MatcherLimits& limits)
      : tree_(tree), paths_(paths), limits_(limits) {}

  /// First all fields are given numbers, since whoever builds needs to know them all.
  void number(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
      for (const Pattern::Alternative& alternative : rule.pattern.alternatives()) {
        for (const Pattern::Field& field : alternative) {
          const std::uint32_t number = tree_.add(field.path);
          if (number == paths_.size()) paths_.push_back(field.path);
          fields_.push_back(number);
        }
      }
    }
  }

  Places build(std::vector<Rule>& rules, Places::Measured measured) {
    Places::Builder builder(tree_.size(), std::move(measured));
    auto field = fields_.begin();
    for (Rule& rule : rules) {
      std::size_t stars = 0;
      for (Pattern::Alternative& alternative : std::move(rule.pattern).take_alternatives()) {
        for (const Pattern::Field& one : alternative) stars += stars_of(one.any_of);
        const auto end = field + static_cast<std::ptrdiff_t>(alternative.size());
        builder.add(rule.id, std::move(alternative), std::vector<std::uint32_t>(field, end));
        field = end;
      }
      check(rule, "conditions", builder.conditions(), limits_.conditions);
      check(rule, "stars in wildcards", stars_ += stars, limits_.wildcards);
    }
    return std::move(builder).build();
  }

 private:
  static std::size_t stars_of(const std::vector<Condition>& conditions) {
    std::size_t out = 0;
    for (const Condition& condition : conditions) {
      if (condition.kind == Condition::Kind::kWildcard) out += condition.parts->wildcard->stars();
      if (condition.kind == Condition::Kind::kNoneOf) out += stars_of(condition.parts->none_of);
    }
    return out;
  }

  static void check(const Rule& rule, std::string_view what, std::size_t count, std::size_t most) {
    if (count <= most) return;
    const std::string name = rule.name.empty() ? fmt::format("number {}", rule.id) : rule.name;
    throw Error(ErrorKind::kInvalid,
                fmt::format("rule {}: with it all rules together have more than {} {}: split the "
                            "set, or write this rule in a simpler way",
                            name, most, what));
  }

  FieldTree& tree_;
  std::vector<std::string>& paths_;
  const MatcherLimits& limits_;
  std::vector<std::uint32_t> fields_;  // Of all tests, one after the other.
  std::size_t stars_ = 0;
};

std::uint64_t share_key(std::uint64_t condition_hash, std::string_view path) {
  return condition_hash ^ hash64(path);
}

}  // namespace

struct Matcher::Compiled {
  Compiled(std::vector<Rule> rules, const Compiled* before, const MatcherLimits& limits) {
    Intake intake(tree, paths, limits);
    intake.number(rules);
    std::unordered_map<std::uint64_t, float> shares;
    Places::Measured measured;
    if (before) {
      before->measure(shares);
      measured = [&](std::uint64_t condition_hash, std::uint32_t field) {
        const auto share = shares.find(share_key(condition_hash, paths[field]));
        return share == shares.end() ? -1.0 : share->second;
      };
    }
    places = intake.build(rules, std::move(measured));
    binding = EventBinding(tree);
    hits = std::make_unique<Hits>(tree.size(), places.conditions());
  }

  /// What was seen of the conditions that an index finds, and of the others, or if too few events
  /// came by, what this set was told itself.
  void measure(std::unordered_map<std::uint64_t, float>& shares) const {
    for (std::uint32_t number = 0; number < places.conditions(); ++number) {
      const std::uint32_t field = places.field_of(number);
      double share = places.indexed(number) ? hits->share(field, number) : -1;
      if (share < 0) share = places.measured(number);
      if (share < 0) continue;
      shares.emplace(share_key(places.condition(number).hash(), paths[field]),
                     static_cast<float>(share));
    }
  }

  /// This thread's, ready for an event.
  Scratch& begin() const {
    Scratch& own = scratch;
    own.begin(tree.size(), places.conditions());
    return own;
  }

  /// Of the event that `own` holds.
  void search(Scratch& own, std::vector<std::uint32_t>& matched) const {
    if (places.conditions() > 0) {
      Search(places, *hits, own, matched).visit(Places::kTop);
    }
    own.order(matched);
  }

  FieldTree tree;
  std::vector<std::string> paths;  // By field.
  Places places;
  EventBinding binding;
  std::unique_ptr<Hits> hits;
};

Matcher::Matcher(std::vector<Rule> rules, const Matcher* before, const MatcherLimits& limits)
    : compiled_(std::make_unique<const Compiled>(
          std::move(rules), before ? before->compiled_.get() : nullptr, limits)) {}
Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

void Matcher::match(std::string_view event_json, std::vector<std::uint32_t>& matched) const {
  matched.clear();
  Scratch& own = compiled_->begin();
  own.event.read(event_json, compiled_->tree);
  compiled_->search(own, matched);
}

void Matcher::match(const Event& event, std::vector<std::uint32_t>& matched) const {
  matched.clear();
  Scratch& own = compiled_->begin();
  if (!compiled_->binding.read(event, compiled_->tree, own.buffers, own.event)) {
    return match(to_json(event), matched);
  }
  compiled_->search(own, matched);
}

std::uint32_t Matcher::field(std::string_view path) const { return compiled_->tree.find(path); }

void Matcher::match(std::span<const Scalar> row, std::vector<std::uint32_t>& matched) const {
  matched.clear();
  Scratch& own = compiled_->begin();
  own.event.begin(compiled_->tree);
  for (const Scalar& scalar : row) {
    if (scalar.field != kNoField) own.event.add(scalar.field, scalar.value);
  }
  compiled_->search(own, matched);
}

std::uint64_t Matcher::last_work() { return scratch.index.work; }

}  // namespace headrace
