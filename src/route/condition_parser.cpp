#include "route/condition_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "route/number.h"

namespace headrace {
namespace {

using Kind = JsonTree::Kind;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::string_view kOperators =
    "exactly, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr or exists";

Condition with_text(Condition::Kind kind, const std::string& text) {
  Condition out;
  out.kind = kind;
  out.text = text;
  return out;
}

Condition with_parts(Condition out, ConditionParts parts) {
  out.parts = std::make_shared<const ConditionParts>(std::move(parts));
  return out;
}

class ConditionParser {
 public:
  explicit ConditionParser(const std::string& path) : path_(path) {}

  Condition leaf(const JsonTree& tree) const {
    switch (tree.kind) {
      case Kind::kString:
        return with_text(Condition::Kind::kString, tree.text);
      case Kind::kNumber:
        return number(tree);
      case Kind::kNull:
      case Kind::kTrue:
      case Kind::kFalse:
        return with_text(Condition::Kind::kLiteral, std::string(describe(tree.kind)));
      case Kind::kObject:
        return operation(tree);
      case Kind::kArray:
        refuse(tree, "holds an array in its array: list the values side by side");
    }
    std::unreachable();
  }

 private:
  [[noreturn]] void refuse(const JsonTree& at, std::string_view what) const {
    refuse_pattern(at, &path_, what);
  }

  /// The only member of an operator's object.
  const JsonTree& only(const JsonTree& object, std::string_view allowed) const {
    if (object.items.size() != 1) {
      refuse(object, fmt::format("needs exactly one operator here: {}", allowed));
    }
    return object.items[0];
  }

  const std::string& string(const JsonTree& tree, std::string_view name) const {
    if (tree.kind != Kind::kString) {
      refuse(tree, fmt::format("'{}' takes a string, not {}", name, describe(tree.kind)));
    }
    return tree.text;
  }

  /// A number in the pattern matches by value; one that is not comparable, by its spelling.
  Condition number(const JsonTree& tree) const {
    const auto value = comparable_number(tree.text);
    if (!value) return with_text(Condition::Kind::kLiteral, tree.text);
    Condition out;
    out.kind = Condition::Kind::kNumber;
    out.low = *value;
    return out;
  }

  double comparable(const JsonTree& tree, std::string_view name) const {
    if (tree.kind != Kind::kNumber) {
      refuse(tree, fmt::format("'{}' takes a number, not {}", name, describe(tree.kind)));
    }
    const auto value = comparable_number(tree.text);
    if (!value) {
      refuse(tree, fmt::format("the number {} has more digits than can be compared", tree.text));
    }
    return *value;
  }

  Condition operation(const JsonTree& tree) const {
    const JsonTree& value = only(tree, kOperators);
    const std::string& name = tree.names[0];
    if (name == "exactly") return with_text(Condition::Kind::kString, string(value, name));
    if (name == "prefix" || name == "suffix") return affix(value, name);
    if (name == "equals-ignore-case") {
      return folded(value, name, Condition::Kind::kIgnoreCase);
    }
    if (name == "wildcard") return wildcard(value);
    if (name == "anything-but") return anything_but(value);
    if (name == "numeric") return numeric(value);
    if (name == "cidr") return cidr(value);
    if (name == "exists") return exists(value);
    refuse(tree, fmt::format("has the unknown operator '{}': it can be {}", name, kOperators));
  }

  Condition folded(const JsonTree& tree, std::string_view name, Condition::Kind kind) const {
    Condition out = with_text(kind, string(tree, name));
    ConditionParts parts;
    parts.folded = CaseText(out.text);
    return with_parts(std::move(out), std::move(parts));
  }

  Condition affix(const JsonTree& tree, const std::string& name) const {
    const bool front = name == "prefix";
    if (tree.kind == Kind::kString) {
      return with_text(front ? Condition::Kind::kPrefix : Condition::Kind::kSuffix, tree.text);
    }
    if (tree.kind != Kind::kObject) {
      refuse(tree, fmt::format("'{}' takes a string or {{\"equals-ignore-case\": string}}, not {}",
                               name, describe(tree.kind)));
    }
    const JsonTree& text = only(tree, "equals-ignore-case");
    if (tree.names[0] != "equals-ignore-case") {
      refuse(tree, fmt::format("'{}' knows no '{}', only equals-ignore-case", name, tree.names[0]));
    }
    return folded(text, tree.names[0],
                  front ? Condition::Kind::kPrefixIgnoreCase : Condition::Kind::kSuffixIgnoreCase);
  }

  Condition wildcard(const JsonTree& tree) const {
    Condition out = with_text(Condition::Kind::kWildcard, string(tree, "wildcard"));
    std::string fault;
    ConditionParts parts;
    parts.wildcard = Wildcard::parse(out.text, fault);
    if (!parts.wildcard) refuse(tree, fmt::format("the wildcard \"{}\" {}", out.text, fault));
    return with_parts(std::move(out), std::move(parts));
  }

  Condition cidr(const JsonTree& tree) const {
    Condition out = with_text(Condition::Kind::kCidr, string(tree, "cidr"));
    ConditionParts parts;
    parts.cidr = parse_cidr(out.text);
    if (!parts.cidr) {
      refuse(tree, fmt::format("\"{}\" is no block of addresses, such as 10.0.0.0/8 or "
                               "2001:db8::/32",
                               out.text));
    }
    return with_parts(std::move(out), std::move(parts));
  }

  Condition exists(const JsonTree& tree) const {
    if (tree.kind != Kind::kTrue && tree.kind != Kind::kFalse) {
      refuse(tree, "'exists' takes true or false");
    }
    Condition out;
    out.kind = tree.kind == Kind::kTrue ? Condition::Kind::kExists : Condition::Kind::kAbsent;
    return out;
  }

  Condition numeric(const JsonTree& tree) const {
    static constexpr std::string_view kShape =
        "'numeric' takes [\"=\", number], [\">\" or \">=\", number], [\"<\" or \"<=\", number], or "
        "a lower bound and then an upper one";
    const std::size_t size = tree.items.size();
    if (tree.kind != Kind::kArray || (size != 2 && size != 4)) refuse(tree, kShape);
    const std::string& first = string(tree.items[0], "numeric");
    const double value = comparable(tree.items[1], first);
    Condition out;
    if (first == "=" && size == 2) {
      out.kind = Condition::Kind::kNumber;
      out.low = value;
      return out;
    }
    out.kind = Condition::Kind::kRange;
    out.low = -kInfinity;
    out.high = kInfinity;
    if (first == ">" || first == ">=") {
      out.low = value;
      out.low_included = first == ">=";
      if (size == 4) set_high(out, tree.items[2], tree.items[3], kShape);
    } else if (size == 2) {
      set_high(out, tree.items[0], tree.items[1], kShape);
    } else {
      refuse(tree, kShape);
    }
    if (out.low >= out.high) refuse(tree, "'numeric' needs a lower bound below the upper one");
    return out;
  }

  void set_high(Condition& range, const JsonTree& name, const JsonTree& bound,
                std::string_view shape) const {
    const std::string& text = string(name, "numeric");
    if (text != "<" && text != "<=") refuse(name, shape);
    range.high = comparable(bound, text);
    range.high_included = text == "<=";
  }

  Condition anything_but(const JsonTree& tree) const {
    Condition out;
    out.kind = Condition::Kind::kNoneOf;
    ConditionParts parts;
    if (tree.kind == Kind::kObject) {
      const JsonTree& value = only(tree, kButOperators);
      each(value, [&](const JsonTree& text) { parts.none_of.push_back(but(tree, text)); });
    } else {
      each(tree, [&](const JsonTree& value) {
        Condition one = but_value(tree, value);
        if (one.kind == Condition::Kind::kString) {
          parts.no_text.push_back(std::move(one.text));
        } else {
          parts.none_of.push_back(std::move(one));
        }
      });
      std::ranges::sort(parts.no_text);
    }
    return with_parts(std::move(out), std::move(parts));
  }

  /// One value, or each of a list.
  template <class Do>
  void each(const JsonTree& tree, Do act) const {
    if (tree.kind != Kind::kArray) return act(tree);
    if (tree.items.empty()) refuse(tree, "'anything-but' takes at least one value");
    for (const JsonTree& item : tree.items) act(item);
  }

  Condition but_value(const JsonTree& list, const JsonTree& value) const {
    if (value.kind != Kind::kString && value.kind != Kind::kNumber) {
      refuse(value,
             fmt::format("'anything-but' takes strings, numbers, or an operator ({}), not {}",
                         kButOperators, describe(value.kind)));
    }
    if (list.kind == Kind::kArray && value.kind != list.items[0].kind) {
      refuse(value, "'anything-but' takes strings or numbers, not both in one list");
    }
    if (value.kind == Kind::kNumber) comparable(value, "anything-but");
    return leaf(value);
  }

  Condition but(const JsonTree& object, const JsonTree& value) const {
    const std::string& name = object.names[0];
    if (name != "prefix" && name != "suffix" && name != "equals-ignore-case" &&
        name != "wildcard") {
      refuse(object, fmt::format("'anything-but' knows no '{}': it takes {}", name, kButOperators));
    }
    const bool empty = string(value, name).empty();
    if (name == "wildcard") return wildcard(value);
    if (name == "equals-ignore-case") return folded(value, name, Condition::Kind::kIgnoreCase);
    if (empty) {
      refuse(value, fmt::format("'anything-but' with an empty {} would match no string", name));
    }
    return affix(value, name);
  }

  static constexpr std::string_view kButOperators =
      "prefix, suffix, equals-ignore-case or wildcard";

  const std::string& path_;
};

}  // namespace

std::vector<Condition> parse_conditions(const JsonTree& array, const std::string& path) {
  if (array.items.empty()) refuse_pattern(array, &path, "is empty: an array needs a value");
  std::vector<Condition> out;
  out.reserve(array.items.size());
  const ConditionParser parser(path);
  std::ranges::transform(array.items, std::back_inserter(out),
                         [&](const JsonTree& item) { return parser.leaf(item); });
  return out;
}

void refuse_pattern(const JsonTree& at, const std::string* path, std::string_view what) {
  const std::string who = path ? fmt::format("field {}", *path) : "it";
  throw Error(ErrorKind::kInvalid, fmt::format("{} {} (byte {})", who, what, at.begin));
}

}  // namespace headrace
