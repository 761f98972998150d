#pragma once

// For tests only: what a pattern says about an event, worked out in the slowest and plainest way,
// sentence by sentence, without any of the room's own classes but the JSON reader. The matcher is
// compared with it.

#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "route/json_tree.h"

namespace headrace::oracle {

using Kind = JsonTree::Kind;
using Elements = std::map<int, int>;  // Array -> index.

struct Value {
  Kind kind;
  std::string text;
  Elements elements;
};
using Event = std::map<std::u16string, std::vector<Value>>;  // By path; UTF-16 is its order.

inline std::u16string utf16(const std::string& text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int tails = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t point = tails == 0 ? lead : lead & (0x3F >> tails);
    for (int t = 0; t < tails; ++t) {
      point = point << 6 | (static_cast<unsigned char>(text[i++]) & 0x3F);
    }
    if (point < 0x10000) {
      out.push_back(static_cast<char16_t>(point));
    } else {
      out.push_back(static_cast<char16_t>(0xD7C0 + (point >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + (point & 0x3FF)));
    }
  }
  return out;
}

inline std::string join(const std::string* path, const std::string& name) {
  return path ? *path + "." + name : name;
}

inline void flatten(const JsonTree& tree, const std::string& path, const Elements& elements,
                    int& arrays, Event& out) {
  if (tree.kind == Kind::kObject) {
    for (std::size_t i = 0; i < tree.names.size(); ++i) {
      flatten(tree.items[i], join(&path, tree.names[i]), elements, arrays, out);
    }
  } else if (tree.kind == Kind::kArray) {
    const int array = arrays++;
    for (std::size_t i = 0; i < tree.items.size(); ++i) {
      const bool nested = tree.items[i].kind >= Kind::kArray;
      Elements inner = elements;
      if (nested) inner[array] = static_cast<int>(i);
      flatten(tree.items[i], path, inner, arrays, out);
    }
  } else {
    const bool word = tree.kind < Kind::kNumber;
    out[utf16(path)].push_back(
        {tree.kind, word ? std::string(describe(tree.kind)) : tree.text, elements});
  }
}

inline Event read_event(std::string_view json) {
  const JsonTree tree = parse_json_tree(json);
  if (tree.kind != Kind::kObject) throw Error(ErrorKind::kCorrupt, "no object");
  Event out;
  int arrays = 0;
  for (std::size_t i = 0; i < tree.names.size(); ++i) {
    flatten(tree.items[i], tree.names[i], {}, arrays, out);
  }
  return out;
}

using Rule = std::vector<std::map<std::u16string, const JsonTree*>>;

/// `tree` outlives the rule. Only for patterns that Pattern::parse takes.
inline void read_fields(const JsonTree& tree, const std::string* path, Rule& rule) {
  for (std::size_t i = 0; i < tree.names.size(); ++i) {
    const JsonTree& item = tree.items[i];
    if (tree.names[i] == "$or") {
      Rule all;
      for (const JsonTree& branch : item.items) {
        Rule copy = rule;
        read_fields(branch, path, copy);
        all.insert(all.end(), copy.begin(), copy.end());
      }
      rule = all;
      continue;
    }
    const std::string inner = join(path, tree.names[i]);
    if (item.kind == Kind::kObject) {
      read_fields(item, &inner, rule);
    } else {
      for (auto& fields : rule) fields[utf16(inner)] = &item;
    }
  }
}

inline Rule read_rule(const JsonTree& tree) {
  Rule out(1);
  read_fields(tree, nullptr, out);
  return out;
}

/// sign, digits without zeros at the ends, exponent: as text, to be compared.
inline std::string decimal(const std::string& text) {
  std::string digits;
  long exponent = 0;
  bool point = false;
  std::size_t i = text[0] == '-' ? 1 : 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = true;
    } else {
      digits += text[i];
      exponent -= point ? 1 : 0;
    }
  }
  if (i < text.size()) exponent += std::strtol(text.c_str() + i + 1, nullptr, 10);
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  while (!digits.empty() && digits.front() == '0') digits.erase(0, 1);
  if (digits.empty()) return "0";
  return fmt::format("{}{}e{}", text[0] == '-' ? "-" : "", digits, exponent);
}

inline bool comparable(const std::string& text, double& value) {
  value = std::strtod(text.c_str(), nullptr);
  return value - value == 0 && decimal(text) == decimal(fmt::format("{}", value));
}

/// Only what the generators write.
inline std::set<std::string> cases_of(const std::string& c) {
  static const std::map<std::string, std::set<std::string>> kKnown{
      {"ß", {"ß", "SS"}}, {"ς", {"ς", "Σ"}},           {"σ", {"σ", "Σ"}},
      {"Σ", {"σ", "Σ"}},  {"\u212A", {"\u212A", "k"}}, {"İ", {"İ", "i\u0307"}}};
  if (const auto known = kKnown.find(c); known != kKnown.end()) return known->second;
  std::set<std::string> out{c};
  if (c.size() == 1 && std::isalpha(static_cast<unsigned char>(c[0])) != 0) {
    out.insert(std::string(1, static_cast<char>(c[0] ^ 0x20)));
  }
  return out;
}

/// All ways to write `text`.
inline std::set<std::string> spellings(const std::string& text) {
  std::set<std::string> out{""};
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    std::set<std::string> next;
    for (const std::string& so_far : out) {
      for (const std::string& c : cases_of(text.substr(i, end - i))) next.insert(so_far + c);
    }
    out = next;
    i = end;
  }
  return out;
}

inline bool wild(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (wild(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  const std::size_t escape = pattern[0] == '\\' ? 1 : 0;
  return !text.empty() && text[0] == pattern[escape] &&
         wild(pattern.substr(escape + 1), text.substr(1));
}

inline bool any(const std::set<std::string>& texts, std::function<bool(const std::string&)> is) {
  for (const std::string& text : texts) {
    if (is(text)) return true;
  }
  return false;
}

/// prefix, suffix, equals-ignore-case, wildcard, exactly on a string.
inline bool text_fits(const std::string& name, const JsonTree& arg, const std::string& text) {
  const bool prefix = name == "prefix";
  const bool suffix = name == "suffix";
  if (arg.kind == Kind::kObject) {
    return any(spellings(arg.items[0].text), [&](const std::string& s) {
      return prefix ? text.starts_with(s) : text.ends_with(s);
    });
  }
  if (prefix) return text.starts_with(arg.text);
  if (suffix) return text.ends_with(arg.text);
  if (name == "equals-ignore-case") return spellings(arg.text).contains(text);
  if (name == "wildcard") return wild(arg.text, text);
  return text == arg.text;
}

inline bool numeric_fits(const JsonTree& arg, double value) {
  for (std::size_t i = 0; i < arg.items.size(); i += 2) {
    const std::string& op = arg.items[i].text;
    const double bound = std::strtod(arg.items[i + 1].text.c_str(), nullptr);
    if (op == "=" && value != bound) return false;
    if (op == "<" && value >= bound) return false;
    if (op == "<=" && value > bound) return false;
    if (op == ">" && value <= bound) return false;
    if (op == ">=" && value < bound) return false;
  }
  return true;
}

/// Only 10.0.0.0/8 and what the generators write.
inline bool in_net_ten(const std::string& text) {
  static const std::set<std::string> kInside{"10.0.0.1", "10.0.0.01", "10.255.0.3", "::ffff:a00:1"};
  return kInside.contains(text);
}

inline bool fits(const JsonTree& condition, const Value& value);

inline bool anything_but_fits(const JsonTree& arg, const Value& value) {
  if (arg.kind == Kind::kArray) {
    for (const JsonTree& item : arg.items) {
      if (fits(item, value)) return false;
    }
    return true;
  }
  if (arg.kind != Kind::kObject) return !fits(arg, value);
  if (value.kind != Kind::kString) return true;
  const JsonTree& texts = arg.items[0];
  if (texts.kind != Kind::kArray) return !text_fits(arg.names[0], texts, value.text);
  for (const JsonTree& text : texts.items) {
    if (text_fits(arg.names[0], text, value.text)) return false;
  }
  return true;
}

inline bool fits(const JsonTree& condition, const Value& value) {
  double number = 0;
  if (condition.kind == Kind::kNumber) {
    if (value.kind != Kind::kNumber) return false;
    double wanted = 0;
    if (condition.text == value.text) return true;
    return comparable(condition.text, wanted) && comparable(value.text, number) && wanted == number;
  }
  if (condition.kind != Kind::kObject) {
    return condition.kind == value.kind &&
           (value.kind != Kind::kString || condition.text == value.text);
  }
  const std::string& name = condition.names[0];
  const JsonTree& arg = condition.items[0];
  if (name == "exists") return arg.kind == Kind::kTrue;
  if (name == "anything-but") return anything_but_fits(arg, value);
  if (name == "numeric") {
    return value.kind == Kind::kNumber && comparable(value.text, number) &&
           numeric_fits(arg, number);
  }
  if (value.kind != Kind::kString) return false;
  if (name == "cidr") return in_net_ten(value.text);
  return text_fits(name, arg, value.text);
}

inline bool agree(const Elements& a, const Elements& b) {
  for (const auto& [array, index] : a) {
    if (b.contains(array) && b.at(array) != index) return false;
  }
  return true;
}

/// Tries every value for every field, in the order of the paths.
inline bool search(std::map<std::u16string, const JsonTree*>::const_iterator field,
                   std::map<std::u16string, const JsonTree*>::const_iterator end,
                   const Event& event, const Elements& chosen) {
  if (field == end) return true;
  const auto found = event.find(field->first);
  static const std::vector<Value> kNothing;
  const std::vector<Value>& values = found == event.end() ? kNothing : found->second;
  for (const JsonTree& condition : field->second->items) {
    const bool absent = condition.kind == Kind::kObject && condition.names[0] == "exists" &&
                        condition.items[0].kind == Kind::kFalse;
    bool free = true;
    for (const Value& value : values) {
      if (!agree(chosen, value.elements)) continue;
      free = false;
      if (absent || !fits(condition, value)) continue;
      Elements more = chosen;
      more.insert(value.elements.begin(), value.elements.end());
      if (search(std::next(field), end, event, more)) return true;
    }
    if (absent && free && search(std::next(field), end, event, chosen)) return true;
  }
  return false;
}

inline bool matches(const Rule& rule, const Event& event) {
  for (const auto& fields : rule) {
    if (search(fields.begin(), fields.end(), event, {})) return true;
  }
  return false;
}

/// Which of the patterns, by their place, want the event.
inline std::vector<std::uint32_t> wanting(const std::vector<std::string>& patterns,
                                          std::string_view event_json) {
  const Event event = read_event(event_json);
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    const JsonTree tree = parse_json_tree(patterns[i]);
    if (matches(read_rule(tree), event)) out.push_back(i);
  }
  return out;
}

}  // namespace headrace::oracle
