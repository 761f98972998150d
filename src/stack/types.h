#pragma once

#include <fmt/format.h>

#include <concepts>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/key_template.h"
#include "stack/type.h"

/// The kinds of values that every spec may use. Rooms do not call this file: Spec::field() picks
/// the kind by the member's type.
namespace headrace::stack {

/// What makes a scalar of text. The functions need not know about positions and secrets.
template <class T>
struct ScalarRules {
  std::string words;  ///< "duration"
  std::string wrong;  ///< "is no duration; write 30s, 5m, 12h or 14d": follows the quoted value.
  /// Nothing, or an Error whose message takes the place of `wrong`.
  std::function<std::optional<T>(const std::string&)> parse;
  std::function<std::string(const T&)> format;
  std::function<void(JsonWriter&)> schema;
  bool plain = false;  ///< Printed without quotes.
  /// "integer" or "number" if JSON has such a type; `schema` is then what else may be written.
  std::string_view json_type = {};
};

template <class T>
struct Limits {
  std::optional<T> least;
  std::optional<T> most;
};

/// A scalar: text, a number, a duration, a size, a choice.
template <class T>
class ScalarType final : public Type<T> {
 public:
  ScalarType(ScalarRules<T> rules, Limits<T> limits)
      : rules_(std::move(rules)), limits_(std::move(limits)) {}

  std::optional<T> read(const Node& node, Reader& reader) const override {
    if (node.broken) return std::nullopt;
    if (node.kind != Node::Kind::kScalar) {
      reader.error(node,
                   fmt::format("{} is needed here, not {}", rules_.words, reader.quote(node)));
      return std::nullopt;
    }
    std::optional<T> value;
    std::string wrong = fmt::format("{} {}", reader.quote(node), rules_.wrong);
    try {
      value = rules_.parse(node.text);
    } catch (const Error& error) {
      if (!reader.is_secret(node)) wrong = error.what();
    }
    if (value) wrong = beyond_limits(*value, reader.quote(node));
    if (wrong.empty()) return value;
    reader.error(node, std::move(wrong));
    return std::nullopt;
  }

  std::optional<Node> write(const T& value) const override {
    return Node::scalar(rules_.format(value), rules_.plain);
  }

  Node show(const Node& node) const override {
    if (node.secret) return Node::masked();
    return Node::scalar(rules_.format(*rules_.parse(node.text)), rules_.plain);
  }

  std::string words() const override {
    const auto text = [&](const T& limit) { return rules_.format(limit); };
    if (limits_.least && limits_.most) {
      return fmt::format("{}, {} to {}", rules_.words, text(*limits_.least), text(*limits_.most));
    }
    if (limits_.least) return fmt::format("{}, at least {}", rules_.words, text(*limits_.least));
    if (limits_.most) return fmt::format("{}, at most {}", rules_.words, text(*limits_.most));
    return rules_.words;
  }

  void schema(JsonWriter& json) const override {
    if (rules_.json_type.empty()) return rules_.schema(json);
    json.begin_object().key("anyOf").begin_array();
    json.begin_object().key("type").string(rules_.json_type);
    if (limits_.least) json.key("minimum").raw(rules_.format(*limits_.least));
    if (limits_.most) json.key("maximum").raw(rules_.format(*limits_.most));
    json.end_object();
    rules_.schema(json);
    json.end_array().end_object();
  }

 private:
  std::string beyond_limits(const T& value, const std::string& quoted) const {
    if constexpr (requires { value < value; }) {
      if (limits_.least && value < *limits_.least) {
        return fmt::format("{} is too small; the least is {}", quoted,
                           rules_.format(*limits_.least));
      }
      if (limits_.most && *limits_.most < value) {
        return fmt::format("{} is too large; the most is {}", quoted, rules_.format(*limits_.most));
      }
    }
    return {};
  }

  ScalarRules<T> rules_;
  Limits<T> limits_;
};

ScalarRules<std::string> text_rules();
ScalarRules<bool> bool_rules();
ScalarRules<double> number_rules();
ScalarRules<Duration> duration_rules();
ScalarRules<Rate> rate_rules();
ScalarRules<KeyTemplate> key_template_rules();
/// Whole numbers are read in 64 bits and then held against the member's own range.
ScalarRules<std::int64_t> signed_rules(std::int64_t least, std::int64_t most);
ScalarRules<std::uint64_t> unsigned_rules(std::uint64_t most);
ScalarRules<std::uint64_t> size_rules(std::uint64_t most);

TypePtr<std::filesystem::path> path_type();
TypePtr<Json> json_type();

/// The same rules for a narrower number.
template <class Narrow, class Wide>
ScalarRules<Narrow> narrowed(ScalarRules<Wide> wide) {
  ScalarRules<Narrow> rules;
  rules.words = wide.words;
  rules.wrong = wide.wrong;
  rules.schema = wide.schema;
  rules.plain = wide.plain;
  rules.json_type = wide.json_type;
  rules.parse = [parse = std::move(wide.parse)](const std::string& text) -> std::optional<Narrow> {
    const auto value = parse(text);
    return value ? std::optional(static_cast<Narrow>(*value)) : std::nullopt;
  };
  rules.format = [format = std::move(wide.format)](const Narrow& value) {
    return format(static_cast<Wide>(value));
  };
  return rules;
}

template <std::integral T>
ScalarRules<T> integer_rules() {
  if constexpr (std::is_signed_v<T>) {
    return narrowed<T>(signed_rules(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else {
    return narrowed<T>(unsigned_rules(std::numeric_limits<T>::max()));
  }
}

/// Types that say by themselves how they are written.
template <class T>
concept HasBuiltin =
    std::is_same_v<T, std::string> || std::is_integral_v<T> || std::is_same_v<T, double> ||
    std::is_same_v<T, Duration> || std::is_same_v<T, Rate> || std::is_same_v<T, KeyTemplate> ||
    std::is_same_v<T, std::filesystem::path> || std::is_same_v<T, Json>;

/// The kind of a member whose type says it all. `as_size`: a whole number counts bytes.
template <HasBuiltin T>
TypePtr<T> builtin_type(Limits<T> limits, bool as_size) {
  const auto scalar = [&](ScalarRules<T> rules) {
    return std::make_shared<const ScalarType<T>>(std::move(rules), std::move(limits));
  };
  if constexpr (std::is_same_v<T, std::string>) {
    return scalar(text_rules());
  } else if constexpr (std::is_same_v<T, bool>) {
    return scalar(bool_rules());
  } else if constexpr (std::is_integral_v<T>) {
    if (!as_size) return scalar(integer_rules<T>());
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    return scalar(narrowed<T>(size_rules(most)));
  } else if constexpr (std::is_same_v<T, double>) {
    return scalar(number_rules());
  } else if constexpr (std::is_same_v<T, Duration>) {
    return scalar(duration_rules());
  } else if constexpr (std::is_same_v<T, Rate>) {
    return scalar(rate_rules());
  } else if constexpr (std::is_same_v<T, KeyTemplate>) {
    return scalar(key_template_rules());
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return path_type();
  } else {
    return json_type();
  }
}

template <class T>
class ListType final : public Type<std::vector<T>> {
 public:
  explicit ListType(TypePtr<T> item) : item_(std::move(item)) {}

  std::optional<std::vector<T>> read(const Node& node, Reader& reader) const override {
    if (node.broken) return std::nullopt;
    if (node.kind != Node::Kind::kList) {
      reader.error(node, fmt::format("a list is needed here, not {}", reader.quote(node)));
      return std::nullopt;
    }
    std::vector<T> items;
    for (const Node& child : node.children) {
      if (auto item = item_->read(child, reader)) items.push_back(*std::move(item));
    }
    if (items.size() != node.children.size()) return std::nullopt;
    return items;
  }

  std::optional<Node> write(const std::vector<T>& items) const override {
    Node list;
    list.kind = Node::Kind::kList;
    for (const T& item : items) {
      auto child = item_->write(item);
      if (!child) return std::nullopt;
      list.children.push_back(*std::move(child));
    }
    return list;
  }

  void place(std::vector<T>& items, const Reader& reader) const override {
    if constexpr (!std::is_same_v<T, bool>) {
      for (T& item : items) item_->place(item, reader);
    }
  }

  Node show(const Node& node) const override {
    Node list;
    list.kind = Node::Kind::kList;
    for (const Node& child : node.children) list.children.push_back(item_->show(child));
    return list;
  }

  std::string words() const override { return "list of " + item_->words(); }
  void sections(Sections& sections) const override { item_->sections(sections); }
  void schema(JsonWriter& json) const override {
    json.begin_object().key("type").string("array").key("items");
    item_->schema(json);
    json.end_object();
  }

 private:
  TypePtr<T> item_;
};

template <class T>
struct IsPositioned : std::false_type {};
template <class T>
struct IsPositioned<Positioned<T>> : std::true_type {};

/// M is a std::map from std::string with any order.
template <class M>
class MapType final : public Type<M> {
 public:
  using T = typename M::mapped_type;
  explicit MapType(TypePtr<T> item) : item_(std::move(item)) {}

  std::optional<M> read(const Node& node, Reader& reader) const override {
    if (node.broken) return std::nullopt;
    if (node.kind != Node::Kind::kMap) {
      reader.error(node, fmt::format("a map is needed here, not {}", reader.quote(node)));
      return std::nullopt;
    }
    M items;
    for (const Node& child : node.children) {
      auto item = item_->read(child, reader);
      if (!item) continue;
      if constexpr (IsPositioned<T>::value) item->where = child.key_where;
      items.emplace(child.key, *std::move(item));
    }
    if (items.size() != node.children.size()) return std::nullopt;
    return items;
  }

  std::optional<Node> write(const M& items) const override {
    Node map;
    map.kind = Node::Kind::kMap;
    for (const auto& [key, item] : items) {
      auto child = item_->write(item);
      if (!child) return std::nullopt;
      map.children.push_back(*std::move(child));
      map.children.back().key = key;
    }
    return map;
  }

  void place(M& items, const Reader& reader) const override {
    for (auto& [key, item] : items) item_->place(item, reader);
  }

  Node show(const Node& node) const override {
    Node map;
    map.kind = Node::Kind::kMap;
    for (const Node& child : node.children) {
      map.children.push_back(item_->show(child));
      map.children.back().key = child.key;
    }
    return map;
  }

  std::string words() const override { return "map of " + item_->words(); }
  void sections(Sections& sections) const override { item_->sections(sections); }
  void schema(JsonWriter& json) const override {
    json.begin_object().key("type").string("object").key("additionalProperties");
    item_->schema(json);
    json.end_object();
  }

 private:
  TypePtr<T> item_;
};

/// std::optional<T> and Positioned<T>: the same words, another wrapping.
template <class W, class T>
class WrapperType final : public Type<W> {
 public:
  explicit WrapperType(TypePtr<T> item) : item_(std::move(item)) {}

  std::optional<W> read(const Node& node, Reader& reader) const override {
    auto value = item_->read(node, reader);
    if (!value) return std::nullopt;
    if constexpr (IsPositioned<W>::value) {
      return W{*std::move(value), node.where};
    } else {
      return W(*std::move(value));
    }
  }

  std::optional<Node> write(const W& wrapped) const override {
    if constexpr (IsPositioned<W>::value) {
      return item_->write(wrapped.value);
    } else {
      return wrapped ? item_->write(*wrapped) : std::nullopt;
    }
  }

  void place(W& wrapped, const Reader& reader) const override {
    if constexpr (IsPositioned<W>::value) {
      item_->place(wrapped.value, reader);
    } else {
      if (wrapped) item_->place(*wrapped, reader);
    }
  }

  Node show(const Node& node) const override { return item_->show(node); }
  std::string words() const override { return item_->words(); }
  void sections(Sections& sections) const override { item_->sections(sections); }
  void schema(JsonWriter& json) const override { item_->schema(json); }

 private:
  TypePtr<T> item_;
};

/// Takes a member's type apart: vector<Positioned<Step>> is a list of Step, and Step is what the
/// spec has to explain.
template <class M>
struct Shape {
  using Inner = M;
  static TypePtr<M> wrap(TypePtr<M> inner) { return inner; }
};
template <class T>
struct Shape<std::vector<T>> {
  using Inner = typename Shape<T>::Inner;
  static TypePtr<std::vector<T>> wrap(TypePtr<Inner> inner) {
    return std::make_shared<const ListType<T>>(Shape<T>::wrap(std::move(inner)));
  }
};
template <class T, class Order>
struct Shape<std::map<std::string, T, Order>> {
  using Inner = typename Shape<T>::Inner;
  static TypePtr<std::map<std::string, T, Order>> wrap(TypePtr<Inner> inner) {
    return std::make_shared<const MapType<std::map<std::string, T, Order>>>(
        Shape<T>::wrap(std::move(inner)));
  }
};
template <class T>
struct Shape<std::optional<T>> {
  using Inner = typename Shape<T>::Inner;
  static TypePtr<std::optional<T>> wrap(TypePtr<Inner> inner) {
    return std::make_shared<const WrapperType<std::optional<T>, T>>(
        Shape<T>::wrap(std::move(inner)));
  }
};
template <class T>
struct Shape<Positioned<T>> {
  using Inner = typename Shape<T>::Inner;
  static TypePtr<Positioned<T>> wrap(TypePtr<Inner> inner) {
    return std::make_shared<const WrapperType<Positioned<T>, T>>(Shape<T>::wrap(std::move(inner)));
  }
};

}  // namespace headrace::stack
