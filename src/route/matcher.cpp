#include "route/matcher.h"

#include <algorithm>
#include <utility>

#include "route/event_fields.h"
#include "route/places.h"

namespace headrace {
namespace {

std::vector<Places::Alternative> number_fields(const std::vector<Rule>& rules, FieldTree& tree) {
  std::vector<Places::Alternative> out;
  for (const Rule& rule : rules) {
    for (const Pattern::Alternative& alternative : rule.pattern.alternatives()) {
      Places::Alternative& numbered = out.emplace_back();
      numbered.rule = rule.id;
      for (const Pattern::Field& field : alternative) {
        numbered.tests.push_back({tree.add(field.path), &field.any_of});
      }
    }
  }
  return out;
}

/// What one thread needs for one event.
struct Scratch {
  EventFields event;
  FieldIndex::Scratch index;
  std::vector<std::vector<std::uint32_t>> fitting;  // By field: the conditions that its values fit.
  std::vector<bool> known;                          // By field: has `fitting` been filled?
  std::vector<std::uint32_t> filled;                // The fields known.
};

class Search {
 public:
  Search(const Places& places, Scratch& scratch, std::vector<std::uint32_t>& matched)
      : places_(places), scratch_(scratch), matched_(matched) {}

  void visit(std::uint32_t place) {
    for (const std::uint32_t field : places_.fields(place)) {
      for (const std::uint32_t condition : fitting(field)) {
        const Places::Posting* posting = places_.find(place, condition);
        if (!posting) continue;
        for (const Places::Candidate& candidate : places_.candidates(*posting)) {
          const auto& alternative = places_.alternative(candidate.alternative);
          if (holds(alternative, candidate.proved)) matched_.push_back(alternative.rule);
        }
        if (posting->inner != Places::kNone) visit(posting->inner);
      }
    }
  }

 private:
  /// Looked up once per event, when a place first asks.
  const std::vector<std::uint32_t>& fitting(std::uint32_t field) {
    std::vector<std::uint32_t>& out = scratch_.fitting[field];
    if (scratch_.known[field]) return out;
    scratch_.known[field] = true;
    scratch_.filled.push_back(field);
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
    if (index.absent() && !free) out.push_back(*index.absent());
    if (leaves > 1) {
      std::ranges::sort(out);
      const auto rest = std::ranges::unique(out);
      out.erase(rest.begin(), rest.end());
    }
    return out;
  }

  bool holds(const Places::Alternative& alternative, std::uint64_t proved) const {
    for (std::size_t i = 0; i < alternative.tests.size(); ++i) {
      const bool done = i < 64 && (proved >> i & 1) != 0;
      if (!done && !may_hold(alternative.tests[i], scratch_.event)) return false;
    }
    return !needs_elements(alternative.tests, scratch_.event) ||
           elements_agree(alternative.tests, scratch_.event);
  }

  const Places& places_;
  Scratch& scratch_;
  std::vector<std::uint32_t>& matched_;
};

}  // namespace

struct Matcher::Compiled {
  explicit Compiled(std::vector<Rule> given)
      : rules(std::move(given)), places(number_fields(rules, tree)) {}

  std::vector<Rule> rules;  // What places and tests point into.
  FieldTree tree;
  Places places;
};

Matcher::Matcher(std::vector<Rule> rules)
    : compiled_(std::make_unique<const Compiled>(std::move(rules))) {}
Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

void Matcher::match(std::string_view event_json, std::vector<std::uint32_t>& matched) const {
  thread_local Scratch scratch;
  matched.clear();
  for (const std::uint32_t field : scratch.filled) scratch.known[field] = false;
  scratch.filled.clear();
  const std::uint32_t fields = compiled_->tree.size();
  if (scratch.known.size() < fields) {
    scratch.known.resize(fields, false);
    scratch.fitting.resize(fields);
  }
  scratch.event.read(event_json, compiled_->tree);
  Search(compiled_->places, scratch, matched).visit(Places::kTop);
  std::ranges::sort(matched);
  const auto rest = std::ranges::unique(matched);
  matched.erase(rest.begin(), rest.end());
}

}  // namespace headrace
