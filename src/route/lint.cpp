#include "route/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "event/event.h"

namespace headrace {
namespace {

using Kind = Condition::Kind;

/// What an Event can have under a path.
struct KnownField {
  FieldValue::Kind kind = FieldValue::Kind::kString;
  std::optional<std::string_view> always;  ///< The only value there is.
};

const std::map<std::string_view, KnownField>& known_fields() {
  static const std::map<std::string_view, KnownField> kFields{
      {"version", {FieldValue::Kind::kString, "0"}},
      {"id", {}},
      {"detail-type", {}},
      {"source", {FieldValue::Kind::kString, "aws.s3"}},
      {"time", {}},
      {"detail.version", {FieldValue::Kind::kString, "0"}},
      {"detail.bucket.name", {}},
      {"detail.object.key", {}},
      {"detail.object.size", {FieldValue::Kind::kNumber, std::nullopt}},
      {"detail.object.etag", {}},
      {"detail.object.version-id", {}},
      {"detail.object.sequencer", {}},
      {"detail.store", {}},
      {"detail.origin", {}},
      {"detail.producer", {}},
      {"detail.line.number", {FieldValue::Kind::kNumber, std::nullopt}},
      {"detail.line.text", {}},
      {"detail.line.base64", {}},
  };
  return kFields;
}

constexpr std::string_view kKeyFields = "detail.key_fields.";

std::optional<KnownField> known_field(std::string_view path) {
  if (path.starts_with(kKeyFields)) return KnownField{};
  const auto known = known_fields().find(path);
  if (known == known_fields().end()) return std::nullopt;
  return known->second;
}

/// The path that was most likely meant, for a path that no event has.
std::string meant(std::string_view path) {
  for (const auto& [known, field] : known_fields()) {
    if (known.starts_with(std::string(path) + ".") || known.ends_with("." + std::string(path))) {
      return fmt::format("; there is {}", known);
    }
  }
  return "";
}

bool speaks_of_strings(Kind kind) {
  switch (kind) {
    case Kind::kString:
    case Kind::kPrefix:
    case Kind::kSuffix:
    case Kind::kIgnoreCase:
    case Kind::kPrefixIgnoreCase:
    case Kind::kSuffixIgnoreCase:
    case Kind::kWildcard:
    case Kind::kCidr:
      return true;
    default:
      return false;
  }
}

bool is_number_literal(const Condition& condition) {
  return condition.kind == Kind::kLiteral && condition.text != "true" &&
         condition.text != "false" && condition.text != "null";
}

/// Why no value of the field can fit; empty if one can.
std::string never(const Condition& condition, const KnownField& field) {
  if (field.always) {
    if (condition.kind == Kind::kAbsent || condition.fits({field.kind, *field.always})) return "";
    return fmt::format("it is always \"{}\"", *field.always);
  }
  const bool number = field.kind == FieldValue::Kind::kNumber;
  if (number && speaks_of_strings(condition.kind)) return "it is a number: write it without quotes";
  if (number && condition.kind == Kind::kRange && condition.high < 0) return "it is never below 0";
  if (number && condition.kind == Kind::kNumber && condition.low < 0) return "it is never below 0";
  if (!number && (condition.kind == Kind::kNumber || condition.kind == Kind::kRange ||
                  is_number_literal(condition))) {
    return "it is a string, never a number";
  }
  if (condition.kind == Kind::kLiteral && !is_number_literal(condition)) {
    return fmt::format("it is {}, never {}", number ? "a number" : "a string", condition.text);
  }
  return "";
}

/// A detail-type that differs from a known one by case alone.
std::string misspelt_type(const Condition& condition) {
  if (condition.kind != Kind::kString) return "";
  for (const EventKind kind : {EventKind::kCreated, EventKind::kDeleted, EventKind::kTagsChanged}) {
    const std::string_view type = detail_type_of(kind);
    if (condition.text != type && CaseText(condition.text).equals(type)) {
      return fmt::format("the type is written \"{}\"", type);
    }
  }
  return "";
}

std::string costly(const Condition& condition) {
  if (condition.kind != Kind::kWildcard) return "";
  const Wildcard& wildcard = *condition.parts->wildcard;
  if (wildcard.stars() == 0) return "it has no star: write the string itself";
  if (wildcard.stars() == 1) {
    if (wildcard.head().empty() && wildcard.tail().empty()) {
      return "it fits every string: {\"prefix\":\"\"} says so, {\"exists\":true} takes numbers too";
    }
    if (wildcard.tail().empty()) return "it is a prefix: {\"prefix\":..} says the same";
    if (wildcard.head().empty()) return "it is a suffix: {\"suffix\":..} says the same";
    return "";
  }
  if (wildcard.head().empty() && wildcard.tail().empty()) {
    return "it is open at both ends: all of every value is read for it; begin or end it with what "
           "the values begin or end with";
  }
  if (wildcard.stars() > 4) {
    return fmt::format("it has {} stars: all of a value is read once it begins and ends right",
                       wildcard.stars());
  }
  return "";
}

bool range_within(const Condition& narrow, const Condition& wide) {
  const bool low = narrow.low > wide.low ||
                   (narrow.low == wide.low && (wide.low_included || !narrow.low_included));
  const bool high = narrow.high < wide.high ||
                    (narrow.high == wide.high && (wide.high_included || !narrow.high_included));
  return low && high;
}

bool none_of_within(const Condition& narrow, const Condition& wide) {
  return std::ranges::includes(narrow.parts->no_text, wide.parts->no_text) &&
         std::ranges::all_of(wide.parts->none_of, [&](const Condition& no) {
           return std::ranges::any_of(narrow.parts->none_of,
                                      [&](const Condition& one) { return one.same_as(no); });
         });
}

using Conditions = std::vector<Condition>;

/// Not found out of lists so long that nobody would wait for it.
bool all_imply(const Conditions& narrow, const Conditions& wide) {
  if (narrow.size() * wide.size() > kMostCompared * kMostCompared) return false;
  return std::ranges::all_of(narrow, [&](const Condition& one) {
    return std::ranges::any_of(wide, [&](const Condition& other) { return implies(one, other); });
  });
}

bool asks_absence(const Pattern::Alternative& alternative) {
  return std::ranges::any_of(alternative, [](const Pattern::Field& field) {
    return std::ranges::any_of(field.any_of,
                               [](const Condition& c) { return c.kind == Kind::kAbsent; });
  });
}

/// Both are sorted by path.
bool implies(const Pattern::Alternative& narrow, const Pattern::Alternative& wide) {
  // With fewer elements chosen an absence may fail: then both must choose by the same fields.
  if (asks_absence(wide) && narrow.size() != wide.size()) return false;
  auto field = narrow.begin();
  for (const Pattern::Field& wanted : wide) {
    field = std::find_if(field, narrow.end(),
                         [&](const Pattern::Field& one) { return one.path == wanted.path; });
    if (field == narrow.end() || !all_imply(field->any_of, wanted.any_of)) return false;
  }
  return true;
}

bool implies(const Pattern& narrow, const Pattern& wide) {
  return std::ranges::all_of(narrow.alternatives(), [&](const Pattern::Alternative& one) {
    return std::ranges::any_of(wide.alternatives(), [&](const Pattern::Alternative& other) {
      return implies(one, other);
    });
  });
}

std::string name_of(const Rule& rule) {
  return rule.name.empty() ? fmt::format("{}", rule.id) : rule.name;
}

class Linter {
 public:
  explicit Linter(const LintOptions& options) : options_(options) {}

  std::vector<LintFinding> run(std::span<const Rule> rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      rule_ = name_of(rules[i]);
      told_.clear();
      for (const Pattern::Alternative& alternative : rules[i].pattern.alternatives()) {
        for (const Pattern::Field& field : alternative) look_at(field);
      }
      if (rules.size() <= kMostCompared) shadows(rules, i);
    }
    return std::move(out_);
  }

 private:
  /// Alternatives repeat what stands outside of `$or`: told once.
  void tell(const std::string& field, const char* kind, std::string what) {
    if (!told_.emplace(field, what).second) return;
    out_.push_back({rule_, field, kind, std::move(what)});
  }

  void look_at(const Pattern::Field& field) {
    if (options_.of_events) never_holds(field);
    const Conditions& any_of = field.any_of;
    // A plain string includes itself alone: a list of very many is not compared pair by pair.
    std::unordered_map<std::string_view, std::size_t> strings;
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < any_of.size(); ++i) {
      if (any_of[i].kind == Kind::kString) {
        strings.try_emplace(any_of[i].text, i);
      } else {
        others.push_back(i);
      }
    }
    if (others.size() > kMostCompared) others.clear();
    for (std::size_t i = 0; i < any_of.size(); ++i) {
      if (const std::string why = costly(any_of[i]); !why.empty()) {
        tell(field.path, "costly", fmt::format("\"{}\": {}", any_of[i].text, why));
      }
      const auto includes = [&](std::size_t k) {
        // Of two that mean the same the later one is needless.
        return k != i && implies(any_of[i], any_of[k]) && (k < i || !implies(any_of[k], any_of[i]));
      };
      std::optional<std::size_t> wider;
      if (any_of[i].kind == Kind::kString && strings.at(any_of[i].text) != i) {
        wider = strings.at(any_of[i].text);
      } else if (const auto k = std::ranges::find_if(others, includes); k != others.end()) {
        wider = *k;
      }
      if (!wider) continue;
      tell(field.path, "needless",
           fmt::format("{} includes {}", any_of[*wider].words(), any_of[i].words()));
    }
  }

  void never_holds(const Pattern::Field& field) {
    const auto known = known_field(field.path);
    if (!known) {
      const bool absent = std::ranges::any_of(
          field.any_of, [](const Condition& c) { return c.kind == Kind::kAbsent; });
      if (absent) return;
      return tell(field.path, "never", fmt::format("no event has this field{}", meant(field.path)));
    }
    for (const Condition& condition : field.any_of) {
      std::string why = never(condition, *known);
      if (why.empty() && field.path == "detail-type") why = misspelt_type(condition);
      if (!why.empty()) {
        tell(field.path, "never", fmt::format("{} cannot be: {}", condition.words(), why));
      }
    }
  }

  void shadows(std::span<const Rule> rules, std::size_t at) {
    for (std::size_t other = 0; other < rules.size(); ++other) {
      if (other == at || (options_.may_shadow && !options_.may_shadow(other, at))) continue;
      if (!implies(rules[at].pattern, rules[other].pattern)) continue;
      const bool same = implies(rules[other].pattern, rules[at].pattern) &&
                        (!options_.may_shadow || options_.may_shadow(at, other));
      if (same && other > at) continue;
      tell("", "shadowed",
           same ? fmt::format("wants the same events as {}", name_of(rules[other]))
                : fmt::format("wants no event that {} does not want too", name_of(rules[other])));
    }
  }

  LintOptions options_;
  std::string rule_;
  std::vector<LintFinding> out_;
  std::set<std::pair<std::string, std::string>> told_;  // Of `rule_`: fields, and what of them.
};

}  // namespace

bool implies(const Condition& narrow, const Condition& wide) {
  if (narrow.same_as(wide)) return true;
  if (narrow.kind == Kind::kAbsent || wide.kind == Kind::kAbsent) return false;
  if (wide.kind == Kind::kExists) return true;
  switch (narrow.kind) {
    case Kind::kString:
      return wide.fits({FieldValue::Kind::kString, narrow.text});
    case Kind::kLiteral:
      return wide.fits(
          {is_number_literal(narrow) ? FieldValue::Kind::kNumber : FieldValue::Kind::kWord,
           narrow.text});
    case Kind::kNumber: {
      const std::string text = fmt::format("{}", narrow.low);
      return wide.fits({FieldValue::Kind::kNumber, text});
    }
    case Kind::kPrefix:
      return wide.kind == Kind::kPrefix && narrow.text.starts_with(wide.text);
    case Kind::kSuffix:
      return wide.kind == Kind::kSuffix && narrow.text.ends_with(wide.text);
    case Kind::kWildcard:
      return (wide.kind == Kind::kPrefix &&
              narrow.parts->wildcard->head().starts_with(wide.text)) ||
             (wide.kind == Kind::kSuffix && narrow.parts->wildcard->tail().ends_with(wide.text));
    case Kind::kRange:
      return wide.kind == Kind::kRange && range_within(narrow, wide);
    case Kind::kCidr:
      return wide.kind == Kind::kCidr && wide.parts->cidr->bits <= narrow.parts->cidr->bits &&
             wide.parts->cidr->contains(narrow.parts->cidr->base);
    case Kind::kNoneOf:
      return wide.kind == Kind::kNoneOf && none_of_within(narrow, wide);
    default:
      return false;
  }
}

std::vector<LintFinding> lint(std::span<const Rule> rules, const LintOptions& options) {
  return Linter(options).run(rules);
}

}  // namespace headrace
