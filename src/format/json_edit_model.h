#pragma once

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/random.h"
#include "format/json_edit.h"

/// The slow and plain way to edit JSON, for tests and fuzzers: simdjson judges, a naive tree of raw
/// tokens is changed one edit after the other, and the result is compared without spacing.
namespace headrace::json_edit_model {

enum class Judgement : unsigned char { kGood, kBad, kUnsure };

/// Is `text` JSON? Unsure where simdjson's DOM is stricter than RFC 8259: numbers beyond a double
/// or 64 bits, surrogates without their pair, depth.
inline Judgement judge(std::string_view text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  switch (parser.parse(padded).error()) {
    case simdjson::SUCCESS:
      return Judgement::kGood;
    case simdjson::NUMBER_ERROR:
    case simdjson::STRING_ERROR:
    case simdjson::DEPTH_ERROR:
      return Judgement::kUnsure;
    default:
      return Judgement::kBad;
  }
}

inline std::string minified(std::string_view text) {
  std::string out(text.size() + 64, '\0');
  std::size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), out.data(), size) != simdjson::SUCCESS) return "?";
  out.resize(size);
  return out;
}

/// A value; scalars, and keys with their quotes, are kept as they are spelled. An object has a key
/// for each item.
struct Value {
  std::string raw;
  std::vector<std::string> keys;
  std::vector<Value> items;
  char kind = 's';  // 's', '{' or '['
};

inline Value scalar(std::string raw) {
  Value value;
  value.raw = std::move(raw);
  return value;
}

inline std::string take_scalar(std::string_view& text) {
  std::size_t size = 0;
  if (text[0] == '"') {
    for (size = 1; text[size] != '"'; ++size) size += text[size] == '\\' ? 1 : 0;
    ++size;
  } else {
    size = std::min(text.find_first_of(",]}"), text.size());
  }
  std::string raw(text.substr(0, size));
  text.remove_prefix(size);
  return raw;
}

/// Parses text that is known to be good and has no spacing.
inline Value parse(std::string_view& text) {
  if (text[0] != '{' && text[0] != '[') return scalar(take_scalar(text));
  Value value;
  value.kind = text[0];
  const char closing = value.kind == '{' ? '}' : ']';
  text.remove_prefix(1);
  while (text[0] != closing) {
    if (text[0] == ',') text.remove_prefix(1);
    if (value.kind == '{') {
      value.keys.push_back(take_scalar(text));
      text.remove_prefix(1);
    }
    value.items.push_back(parse(text));
  }
  text.remove_prefix(1);
  return value;
}

inline std::string spell(const Value& value) {
  if (value.kind == 's') return value.raw;
  std::string out;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) out += ",";
    if (value.kind == '{') out += value.keys[i] + ":";
    out += spell(value.items[i]);
  }
  return value.kind == '{' ? "{" + out + "}" : "[" + out + "]";
}

inline std::string name_of(const std::string& key) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(key);
  return std::string(std::string_view(parser.parse(padded)));
}

/// Paths here have no escapes.
inline std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> names(1);
  for (const char c : path) {
    if (c == '.') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

using Names = std::span<const std::string>;

inline Value nested(Names names, const std::string& json) {
  Value value = scalar(json);
  for (std::size_t i = names.size(); i-- > 0;) {
    Value outer;
    outer.kind = '{';
    outer.keys.push_back("\"" + names[i] + "\"");
    outer.items.push_back(std::move(value));
    value = std::move(outer);
  }
  return value;
}

/// Each returns false if the edit cannot be done.
inline bool set(Value& object, Names names, const std::string& json, bool add) {
  bool found = false;
  for (std::size_t i = 0; i < object.items.size(); ++i) {
    if (name_of(object.keys[i]) != names[0]) continue;
    found = true;
    Value& item = object.items[i];
    if (names.size() == 1) {
      item = scalar(json);
    } else if (item.kind == '{') {
      if (!set(item, names.subspan(1), json, add)) return false;
    } else if (add && item.raw == "null") {
      item = nested(names.subspan(1), json);
    } else if (add) {
      return false;
    }
  }
  if (!found && add) {
    object.keys.push_back("\"" + names[0] + "\"");
    object.items.push_back(nested(names.subspan(1), json));
  }
  return true;
}

inline void remove(Value& object, Names names) {
  for (std::size_t i = object.keys.size(); i-- > 0;) {
    if (name_of(object.keys[i]) != names[0]) continue;
    if (names.size() > 1) {
      remove(object.items[i], names.subspan(1));
      continue;
    }
    object.keys.erase(object.keys.begin() + static_cast<std::ptrdiff_t>(i));
    object.items.erase(object.items.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

inline bool rename(Value& object, Names names, const std::string& to) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(object.keys, name, name_of) != object.keys.end();
  };
  if (names.size() == 1 && has(names[0]) && has(to)) return false;
  for (std::size_t i = 0; i < object.keys.size(); ++i) {
    if (name_of(object.keys[i]) != names[0]) continue;
    if (names.size() == 1) {
      object.keys[i] = "\"" + to + "\"";
    } else if (!rename(object.items[i], names.subspan(1), to)) {
      return false;
    }
  }
  return true;
}

/// Edits one good value; nullopt if it is no object or an edit cannot be done.
inline std::optional<std::string> edited(std::string_view text, const JsonEditConfig& config) {
  const std::string compact = minified(text);
  std::string_view rest = compact;
  Value value = parse(rest);
  if (value.kind != '{') return std::nullopt;
  for (const auto& [path, to] : config.rename) {
    if (!rename(value, split(path), to)) return std::nullopt;
  }
  for (const std::string& path : config.remove) remove(value, split(path));
  for (const auto& [path, json] : config.set) {
    if (!set(value, split(path), json, config.if_absent == IfAbsent::kAdd)) return std::nullopt;
  }
  return spell(value);
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

/// What an editor gave, in pieces of `piece` bytes.
struct Run {
  std::string out;
  bool changed = false;
  std::uint64_t faults = 0;
};

inline Run run(const JsonEdits& edits, std::string_view text, std::size_t piece) {
  JsonEditor editor(edits);
  Run run;
  const auto drain = [&] {
    for (Bytes more = editor.next(); !more.empty(); more = editor.next()) run.out += more;
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    editor.push(Bytes(text.substr(at, piece)));
    drain();
  }
  editor.finish();
  drain();
  run.changed = editor.changed();
  run.faults = editor.report().fault_count;
  return run;
}

/// What is wrong with the edited form of one line or document; empty if nothing is.
inline std::string compare(std::string_view in, std::string_view out,
                           const JsonEditConfig& config) {
  const Judgement judgement = judge(in);
  if (judgement == Judgement::kUnsure) return {};
  std::optional<std::string> expected;
  if (judgement == Judgement::kGood) expected = edited(in, config);
  if (!expected) return in == out ? "" : "a bad value was changed";
  if (judge(out) != Judgement::kGood) return "the result is not JSON";
  if (minified(out) != *expected) return "expected " + *expected;
  return {};
}

inline std::string compare_array(std::string_view in, std::string_view out,
                                 const JsonEditConfig& config) {
  const std::string before = minified(in);
  std::string_view rest = before;
  Value array = parse(rest);
  for (Value& item : array.items) {
    const std::string text = spell(item);
    const auto expected = edited(text, config);
    item = scalar(expected.value_or(text));
  }
  const std::string expected = spell(array);
  return minified(out) == expected ? "" : "expected " + expected;
}

inline std::string compare_lines(std::string_view in, std::string_view out,
                                 const JsonEditConfig& config) {
  const auto before = lines_of(in);
  const auto after = lines_of(out);
  if (before.size() != after.size()) return "the number of lines changed";
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].ends_with('\n') != after[i].ends_with('\n') ||
        before[i].ends_with("\r\n") != after[i].ends_with("\r\n")) {
      return "a line's end changed";
    }
    const std::string wrong = compare(before[i], after[i], config);
    if (!wrong.empty()) return "line " + std::to_string(i + 1) + ": " + wrong;
  }
  return {};
}

/// Checks all that is promised of an edit; says what does not hold, or nothing.
inline std::string check(const JsonEditConfig& config, std::string_view text, std::size_t piece) {
  const JsonEdits edits(config);
  const Run whole = run(edits, text, text.size() + 1);
  const Run cut = run(edits, text, piece);
  if (cut.out != whole.out || cut.faults != whole.faults) return "the cut made a difference";
  if (whole.changed != (whole.out != text)) return "changed() is wrong";
  if (run(edits, whole.out, piece).out != whole.out) return "editing twice differs";

  std::string_view out = whole.out;
  if (text.starts_with("\xEF\xBB\xBF")) {
    if (!out.starts_with("\xEF\xBB\xBF")) return "the byte order mark went";
    text.remove_prefix(3);
    out.remove_prefix(3);
  }
  const auto lines = lines_of(text);
  const auto space = [](std::string_view s) {
    return s.find_first_not_of(" \t\r\n") == std::string_view::npos;
  };
  const auto first = std::ranges::find_if_not(lines, space);
  if (first == lines.end()) return text == out ? "" : "blank text was changed";
  const char start = (*first)[first->find_first_not_of(" \t\r\n")];
  if (start != '{' && start != '[') return compare_lines(text, out, config);
  const Judgement judgement = judge(text);
  if (judgement == Judgement::kUnsure || judge(*first) == Judgement::kUnsure) return {};
  if (start == '[') {
    if (judgement == Judgement::kBad) return text == out ? "" : "a bad document was changed";
    return compare_array(text, out, config);
  }
  if (judge(*first) == Judgement::kGood) return compare_lines(text, out, config);
  if (judgement == Judgement::kGood) return compare(text, out, config);
  return text == out ? "" : compare_lines(text, out, config);
}

/// Random JSON text with odd spacing, double keys, escapes and now and then a broken byte.
class RandomText {
 public:
  explicit RandomText(std::uint64_t seed) : random_(seed) {}

  std::string text() {
    std::string out;
    const bool array = random_.below(4) == 0;
    const bool pretty = random_.below(4) == 0;
    if (array) out += "[";
    const std::uint64_t count = random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (array && i > 0) out += ",";
      if (array) out += space(true);
      out += random_.below(8) == 0 ? value(0, pretty) : object(0, pretty);
      if (!array) out += random_.below(3) == 0 ? "\r\n" : "\n";
    }
    if (array) out += "]\n";
    if (random_.below(4) == 0 && !out.empty()) out.pop_back();
    for (std::uint64_t n = random_.below(4); n == 3 && !out.empty(); --n) {
      out[random_.below(out.size())] = "{}[],:\"\\x0\n\x80"[random_.below(13)];
    }
    return out;
  }

 private:
  std::string space(bool lines) {
    switch (random_.below(5)) {
      case 0:
        return " ";
      case 1:
        return lines ? "\n  " : "\t";
      default:
        return "";
    }
  }

  std::string object(int depth, bool lines) {
    static constexpr std::string_view kKeys[] = {"a", "b", "c", "d", "\\u0061", "e\\\"", "é"};
    std::string out = "{" + space(lines);
    const std::uint64_t count = random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) out += "," + space(lines);
      out += "\"" + std::string(kKeys[random_.below(std::size(kKeys))]) + "\"" + space(lines) + ":";
      out += space(lines) + value(depth + 1, lines) + space(lines);
    }
    return out + "}";
  }

  std::string value(int depth, bool lines) {
    static constexpr std::string_view kScalars[] = {
        "null", "true", "1", "-0.50e+3", "\"\"", "\"a,b}\"", "\"\\\\\"", "[]", "[1, {\"a\":2}]"};
    if (depth < 4 && random_.below(3) == 0) return object(depth, lines);
    return std::string(kScalars[random_.below(std::size(kScalars))]);
  }

  SeededRandom random_;
};

}  // namespace headrace::json_edit_model
