#include "route/explain.h"

#include <fmt/format.h>

#include "core/json.h"
#include "route/arrays.h"
#include "route/event_fields.h"
#include "route/json_tree.h"

namespace headrace {
namespace {

constexpr std::size_t kMaxShown = 5;
constexpr std::size_t kMaxText = 200;

/// The texts of some things joined by `between`, the many after the first few only counted.
template <class Things, class Text>
std::string list(const Things& things, std::string_view between, Text text) {
  std::string out;
  for (std::size_t i = 0; i < std::min(things.size(), kMaxShown); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : between, text(things[i]));
  }
  if (things.size() > kMaxShown) out += fmt::format(" ... {} more", things.size() - kMaxShown);
  return out;
}

std::string shown(const FieldValue& value) {
  std::string text(value.text().substr(0, kMaxText));
  if (text.size() < value.text().size()) text += "...";
  if (value.kind() != FieldValue::Kind::kString) return text;
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string wanted(std::span<const Condition* const> any_of) {
  return list(any_of, ", or ", [](const Condition* condition) { return condition->words(); });
}

bool looks_like_number(const Condition& condition) {
  return condition.kind == Condition::Kind::kNumber || condition.kind == Condition::Kind::kRange ||
         condition.kind == Condition::Kind::kLiteral;
}

/// What a person may have overlooked; empty if it is nothing of that kind.
std::string overlooked(const FieldTest& test, const FieldValue& value) {
  const bool string = value.kind() == FieldValue::Kind::kString;
  for (const Condition* condition : test.any_of) {
    if (string && condition->kind == Condition::Kind::kString &&
        CaseText(condition->text).equals(value.text())) {
      return " (it differs in case alone)";
    }
    if (string && looks_like_number(*condition) && is_json_number(value.text())) {
      return " (it is a string; the pattern wants a number)";
    }
    if (!string && condition->kind == Condition::Kind::kString && condition->text == value.text()) {
      return " (it is no string; the pattern has it in quotes)";
    }
    if (value.nearest() && !value.number() && condition->kind == Condition::Kind::kRange) {
      return " (it has more digits than can be compared)";
    }
  }
  return "";
}

std::string refusal(const FieldTest& test, const EventFields& event) {
  std::vector<const FieldValue*> values;
  for (std::uint32_t at = event.first(test.field); at != EventFields::kNone;
       at = event.leaf(at).next) {
    values.push_back(&event.leaf(at).value);
  }
  if (values.empty()) {
    return fmt::format("the event has no value there; wanted: {}", wanted(test.any_of));
  }
  std::ranges::reverse(values);  // Leaves are kept last first.
  const auto told = [&](const FieldValue* value) {
    return shown(*value) + overlooked(test, *value);
  };
  return fmt::format("{} {}, which does not fit; wanted: {}",
                     values.size() == 1 ? "it is" : "it is one of", list(values, ", ", told),
                     wanted(test.any_of));
}

/// What one alternative says: how many fields refuse, and the first of them.
struct Verdict {
  std::size_t refusals = 0;
  std::string field;
  std::string why;
};

Verdict judge(const Pattern::Alternative& alternative, FieldTree& tree, EventFields& event) {
  std::vector<std::vector<const Condition*>> conditions;
  std::vector<FieldTest> tests;
  for (const Pattern::Field& field : alternative) {
    auto& any_of = conditions.emplace_back();
    for (const Condition& condition : field.any_of) any_of.push_back(&condition);
    tests.push_back({tree.add(field.path), any_of});  // Moving the outer vector moves no element.
  }
  std::uint64_t work = 0;
  Verdict out;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (may_hold(tests[i], event)) continue;
    if (out.refusals++ > 0) continue;
    out.field = alternative[i].path;
    out.why = refusal(tests[i], event);
  }
  if (out.refusals > 0 || !needs_elements(tests, event)) return out;
  // The first field that does not agree with those before it.
  for (std::size_t count = 1; count <= tests.size(); ++count) {
    if (elements_agree(std::span(tests).first(count), event, work)) continue;
    out.refusals = 1;
    out.field = alternative[count - 1].path;
    out.why = fmt::format(
        "no element of an array fits both this and the fields before it; wanted here: {}",
        wanted(tests[count - 1].any_of));
    return out;
  }
  return out;
}

}  // namespace

std::vector<Explanation> explain(std::span<const Rule> rules, std::string_view event_json) {
  FieldTree tree;
  for (const Rule& rule : rules) {
    for (const Pattern::Alternative& alternative : rule.pattern.alternatives()) {
      for (const Pattern::Field& field : alternative) tree.add(field.path);
    }
  }
  EventFields event;
  event.read(event_json, tree);
  std::vector<Explanation> out;
  for (const Rule& rule : rules) {
    std::optional<Verdict> nearest;
    for (const Pattern::Alternative& alternative : rule.pattern.alternatives()) {
      Verdict verdict = judge(alternative, tree, event);
      if (!nearest || verdict.refusals < nearest->refusals) nearest = std::move(verdict);
    }
    out.push_back({rule.id, nearest->refusals == 0, nearest->field, nearest->why});
  }
  return out;
}

}  // namespace headrace
