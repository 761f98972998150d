#pragma once

// For tests only: patterns and events by chance, from so few names and values that they often meet.

#include <string>

#include "core/json.h"
#include "core/random.h"
#include "event/event.h"
#include "route/matcher.h"

namespace headrace::generate {

template <std::size_t N>
std::string_view pick(Random& random, const std::string_view (&from)[N]) {
  return from[random.below(N)];
}

inline std::string_view text(Random& random) {
  static constexpr std::string_view kTexts[] = {"x",
                                                "y",
                                                "xy",
                                                "yx",
                                                "xyx",
                                                "",
                                                "X",
                                                "xY",
                                                "5",
                                                "true",
                                                "*",
                                                "\\",
                                                "\"x",
                                                "x*y",
                                                "10.0.0.1",
                                                "10.0.0.01",
                                                "10.255.0.3",
                                                "11.0.0.1",
                                                "::ffff:a00:1",
                                                "::1",
                                                "ß",
                                                "SS",
                                                "ss",
                                                "xß",
                                                "xSS",
                                                "ς",
                                                "Σ",
                                                "σ",
                                                "k",
                                                "K",
                                                "\u212A",
                                                "İ",
                                                "i\u0307",
                                                "i",
                                                "😀"};
  return pick(random, kTexts);
}

inline std::string_view number(Random& random) {
  static constexpr std::string_view kNumbers[] = {"0",
                                                  "-0",
                                                  "5",
                                                  "5.0",
                                                  "5e0",
                                                  "50e-1",
                                                  "-3",
                                                  "10",
                                                  "0.1",
                                                  "1e-1",
                                                  "9007199254740993",
                                                  "9007199254740992",
                                                  "1e400",
                                                  "1E400",
                                                  "1e-400",
                                                  "2e23",
                                                  "1e23",
                                                  "5e-324",
                                                  "4.9e-324",
                                                  "0.30000000000000004",
                                                  "123456.789012345678",
                                                  "1e17",
                                                  "100000000000000000"};
  return pick(random, kNumbers);
}

inline std::string_view comparable(Random& random) {
  static constexpr std::string_view kNumbers[] = {"-10", "-3", "0", "0.1", "5", "5.0", "7", "1e17"};
  return pick(random, kNumbers);
}

inline std::string_view name(Random& random) {
  static constexpr std::string_view kNames[] = {"a",   "b", "c",      "d", "a.b",
                                                "b.c", "",  "\uE000", "😀"};
  return kNames[random.below(random.below(4) == 0 ? std::size(kNames) : 4)];
}

inline void scalar(Random& random, JsonWriter& json) {
  const auto kind = random.below(8);
  if (kind < 4) {
    json.string(text(random));
  } else if (kind < 7) {
    json.raw(number(random));
  } else {
    static constexpr std::string_view kWords[] = {"true", "false", "null"};
    json.raw(pick(random, kWords));
  }
}

inline std::string_view wildcard(Random& random) {
  static constexpr std::string_view kWildcards[] = {
      "*", "x*", "*x", "*x*", "x*y", "x*x", "\\**", "x\\*y", "*\\\\", "xy", "x*y*x", "*x*y"};
  return pick(random, kWildcards);
}

/// A string, or a list of up to three.
template <class Text>
void texts(Random& random, JsonWriter& json, Text text) {
  if (random.below(2) == 0) {
    json.string(text());
    return;
  }
  json.begin_array();
  for (auto n = random.below(3) + 1; n > 0; --n) json.string(text());
  json.end_array();
}

inline void anything_but(Random& random, JsonWriter& json) {
  const auto some = [&]() -> std::string_view {
    for (;;) {
      if (const auto one = text(random); !one.empty()) return one;
    }
  };
  switch (random.below(6)) {
    case 0:
      return texts(random, json, [&] { return text(random); });
    case 1:
      json.begin_array();
      for (auto n = random.below(3) + 1; n > 0; --n) json.raw(comparable(random));
      return void(json.end_array());
    case 2:
      return void(json.raw(comparable(random)));
    case 3:
      json.begin_object().key("wildcard");
      texts(random, json, [&] { return wildcard(random); });
      return void(json.end_object());
    case 4:
      json.begin_object().key("equals-ignore-case");
      texts(random, json, [&] { return text(random); });
      return void(json.end_object());
    default:
      json.begin_object().key(random.below(2) == 0 ? "prefix" : "suffix");
      texts(random, json, some);
      json.end_object();
  }
}

inline void numeric(Random& random, JsonWriter& json) {
  json.begin_array();
  switch (random.below(4)) {
    case 0:
      json.string("=").raw(comparable(random));
      break;
    case 1:
      json.string(random.below(2) == 0 ? ">" : ">=").raw(comparable(random));
      break;
    case 2:
      json.string(random.below(2) == 0 ? "<" : "<=").raw(comparable(random));
      break;
    default:
      json.string(random.below(2) == 0 ? ">" : ">=").raw(random.below(2) == 0 ? "-3" : "0");
      json.string(random.below(2) == 0 ? "<" : "<=").raw(random.below(2) == 0 ? "5" : "1e17");
  }
  json.end_array();
}

inline void operation(Random& random, JsonWriter& json) {
  json.begin_object();
  switch (random.below(9)) {
    case 0:
      json.key("exists").boolean(random.below(2) == 0);
      break;
    case 1:
      json.key("exists").boolean(false);
      break;
    case 2:
      json.key("anything-but");
      anything_but(random, json);
      break;
    case 3:
      json.key("numeric");
      numeric(random, json);
      break;
    case 4:
      json.key("wildcard").string(wildcard(random));
      break;
    case 5:
      json.key("equals-ignore-case").string(text(random));
      break;
    case 6:
      json.key("cidr").string("10.0.0.0/8");
      break;
    case 7:
      json.key(random.below(2) == 0 ? "prefix" : "suffix").string(text(random));
      break;
    default:
      json.key(random.below(2) == 0 ? "prefix" : "suffix").begin_object();
      json.key("equals-ignore-case").string(text(random)).end_object();
  }
  json.end_object();
}

inline void conditions(Random& random, JsonWriter& json) {
  json.begin_array();
  for (auto n = random.below(3) + 1; n > 0; --n) {
    if (random.below(2) == 0) {
      scalar(random, json);
    } else {
      operation(random, json);
    }
  }
  json.end_array();
}

inline void fields(Random& random, JsonWriter& json, int depth) {
  json.begin_object();
  for (auto n = random.below(3) + 1; n > 0; --n) {
    if (depth < 2 && random.below(8) == 0) {
      json.key("$or").begin_array();
      for (auto branches = random.below(2) + 2; branches > 0; --branches) {
        fields(random, json, depth + 1);
      }
      json.end_array();
    } else if (json.key(name(random)); depth < 2 && random.below(3) == 0) {
      fields(random, json, depth + 1);
    } else {
      conditions(random, json);
    }
  }
  json.end_object();
}

/// A pattern that Pattern::parse takes.
inline std::string pattern(Random& random) {
  JsonWriter json;
  fields(random, json, 0);
  return std::move(json).text();
}

inline void value(Random& random, JsonWriter& json, int depth, int& left);

inline void object(Random& random, JsonWriter& json, int depth, int& left) {
  json.begin_object();
  for (auto n = random.below(4); n > 0; --n) {
    json.key(name(random));
    value(random, json, depth + 1, left);
  }
  json.end_object();
}

inline void value(Random& random, JsonWriter& json, int depth, int& left) {
  const auto kind = --left < 0 || depth > 4 ? 9 : random.below(10);
  if (kind < 3) return object(random, json, depth, left);
  if (kind >= 6) return scalar(random, json);
  json.begin_array();
  for (auto n = random.below(4); n > 0; --n) value(random, json, depth + 1, left);
  json.end_array();
}

/// An event of at most about 20 scalars.
inline std::string event(Random& random) {
  JsonWriter json;
  int left = 16;
  object(random, json, 0, left);
  return std::move(json).text();
}

/// An event as sources decode them.
inline Event decoded_event(Random& random) {
  const auto some = [&] { return std::string(text(random)); };
  Event event;
  event.id = some();
  event.kind = random.below(2) == 0 ? EventKind::kCreated : EventKind::kOther;
  if (event.kind == EventKind::kOther) event.detail_type = some();
  event.time = Time(std::chrono::seconds(random.below(2'000'000'000)));
  event.object = {some(), some()};
  for (std::string* member :
       {&event.store, &event.origin, &event.version_id, &event.sequencer, &event.producer}) {
    if (random.below(2) == 0) *member = some();
  }
  static constexpr std::uint64_t kSizes[] = {0, 5, 7, 10, 9'007'199'254'740'993};
  if (random.below(2) == 0) event.size = kSizes[random.below(std::size(kSizes))];
  if (random.below(2) == 0) event.etag = Etag{some()};
  for (auto n = random.below(4); n > 0; --n) event.key_fields[std::string(name(random))] = some();
  if (random.below(16) == 0) event.line = Event::Line{5, some()};
  return event;
}

/// A pattern of a few fields that decoded_event() may have, and of others.
inline std::string event_pattern(Random& random) {
  static constexpr std::string_view kPaths[] = {
      "id",          "detail-type",        "source",          "detail.bucket.name",
      "detail",      "detail.object.key",  "detail.store",    "detail.object.size",
      "detail.line", "detail.object.etag", "detail.producer", "detail.object.version-id"};
  JsonWriter json;
  json.begin_object();
  for (auto n = random.below(3); n > 0; --n) {
    json.key(pick(random, kPaths));
    conditions(random, json);
  }
  json.key("detail.key_fields");
  fields(random, json, 1);
  json.end_object();
  return std::move(json).text();
}

/// Some patterns of one kind; as rules they are numbered by their place.
inline std::vector<std::string> patterns(Random& random, std::string (*one)(Random&)) {
  std::vector<std::string> out(4);
  for (std::string& text : out) text = one(random);
  return out;
}
inline std::vector<Rule> rules(const std::vector<std::string>& patterns) {
  std::vector<Rule> out;
  for (const std::string& pattern : patterns) {
    out.push_back({static_cast<std::uint32_t>(out.size()), Pattern::parse(pattern)});
  }
  return out;
}

/// A row: its columns by their paths, each with a scalar or a list of them.
struct Column {
  struct Scalar {
    FieldValue::Kind kind;
    std::string text;
  };
  std::string_view path;
  bool list = false;
  std::vector<Scalar> scalars;
};
inline std::vector<Column> row(Random& random) {
  std::vector<Column> out(random.below(5));
  for (Column& column : out) {
    column.path = name(random);
    column.list = random.below(4) == 0;
    for (auto n = column.list ? random.below(4) : 1; n > 0; --n) {
      static constexpr std::string_view kWords[] = {"true", "false", "null"};
      const auto kind = random.below(3);
      column.scalars.push_back(
          kind == 0   ? Column::Scalar{FieldValue::Kind::kString, std::string(text(random))}
          : kind == 1 ? Column::Scalar{FieldValue::Kind::kNumber, std::string(number(random))}
                      : Column::Scalar{FieldValue::Kind::kWord, std::string(pick(random, kWords))});
    }
  }
  return out;
}

/// The JSON object that a row stands for.
inline std::string to_json(const std::vector<Column>& row) {
  JsonWriter json;
  json.begin_object();
  for (const Column& column : row) {
    json.key(column.path);
    if (column.list) json.begin_array();
    for (const Column::Scalar& one : column.scalars) {
      one.kind == FieldValue::Kind::kString ? json.string(one.text) : json.raw(one.text);
    }
    if (column.list) json.end_array();
  }
  json.end_object();
  return std::move(json).text();
}

/// The scalars of a row, for who asks `matcher`.
inline std::vector<Matcher::Scalar> scalars(const std::vector<Column>& row,
                                            const Matcher& matcher) {
  std::vector<Matcher::Scalar> out;
  for (const Column& column : row) {
    for (const Column::Scalar& one : column.scalars) {
      out.push_back({matcher.field(column.path), {one.kind, one.text}});
    }
  }
  return out;
}

}  // namespace headrace::generate
