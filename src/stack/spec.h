#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/sections.h"
#include "stack/types.h"

/// How a room says what may stand in the stack file: a plain struct and, next to it, a Spec. The
/// room's README has an example of each part.
namespace headrace::stack {

/// What the options of one field add up to. M is the member's type.
template <class M>
struct FieldOptions {
  using Inner = typename Shape<M>::Inner;
  TypePtr<Inner> type;
  Limits<Inner> limits;
  bool as_size = false;
  bool required = false;
  bool secret = false;
  std::vector<std::string> examples;
  std::string otherwise;
  std::vector<std::function<std::string(const M&)>> checks;
};

/// The key must be there. All others may be left out; the member then keeps its initializer.
struct required {
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.required = true;
  }
};

/// Never printed, not even when it is wrong.
struct secret {
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.secret = true;
  }
};

/// The whole number counts bytes and is written like 64KiB.
struct bytes {
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.as_size = true;
  }
};

/// Bounds of a number, size or duration; for lists and maps, of each element.
template <class V>
struct at_least {
  V least;
  explicit at_least(V v) : least(v) {}
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.limits.least = static_cast<typename FieldOptions<M>::Inner>(least);
  }
};
template <class V>
struct at_most {
  V most;
  explicit at_most(V v) : most(v) {}
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.limits.most = static_cast<typename FieldOptions<M>::Inner>(most);
  }
};

/// A value for the schema and the reference, as YAML. Must read well; may be given several times.
struct example {
  std::string yaml;
  explicit example(std::string y) : yaml(std::move(y)) {}
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.examples.push_back(yaml);
  }
};

/// What is read, as YAML, where the key is left out: for unions, whose values have no initializer
/// that could be shown.
struct otherwise {
  std::string yaml;
  explicit otherwise(std::string y) : yaml(std::move(y)) {}
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.otherwise = yaml;
  }
};

/// `test(value)` says what is wrong with the member's value, or nothing.
template <class Test>
struct check {
  Test test;
  explicit check(Test t) : test(std::move(t)) {}
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.checks.emplace_back(test);
  }
};

/// The words of an enum, in the order of the reference.
template <class E>
class one_of {
 public:
  static constexpr bool gives_type = true;

  one_of(std::initializer_list<std::pair<std::string, E>> choices) : choices_(choices) {}

  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.type = std::make_shared<const ScalarType<E>>(rules(), Limits<E>());
  }

 private:
  ScalarRules<E> rules() const {
    ChoiceWords words;
    for (const auto& choice : choices_) words.add(choice.first);
    ScalarRules<E> rules;
    rules.words = words.list();
    rules.wrong = "is none of " + rules.words;
    rules.schema = [words](JsonWriter& json) { words.schema(json); };
    rules.parse = [words, choices = choices_](const std::string& text) -> std::optional<E> {
      for (const auto& [word, value] : choices) {
        if (word == text) return value;
      }
      throw Error(ErrorKind::kInvalid, words.refusal(text));
    };
    rules.format = [choices = choices_](const E& value) {
      for (const auto& [word, known] : choices) {
        if (known == value) return word;
      }
      throw Error(ErrorKind::kBug, "a choice without a word");
    };
    return rules;
  }

  std::vector<std::pair<std::string, E>> choices_;
};

/// A scalar of the room's own: `parse` makes it of text and throws kInvalid with the whole message
/// if it cannot, `format` is the way back. `words` names the kind: "glob".
template <class T>
class text_as {
 public:
  static constexpr bool gives_type = true;

  text_as(std::string words, std::function<T(const std::string&)> parse,
          std::function<std::string(const T&)> format) {
    rules_.wrong = "is no " + words;
    rules_.words = std::move(words);
    rules_.parse = [parse = std::move(parse)](const std::string& t) {
      return std::optional(parse(t));
    };
    rules_.format = std::move(format);
    rules_.schema = text_rules().schema;
  }

  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.type = std::make_shared<const ScalarType<T>>(rules_, Limits<T>());
  }

 private:
  ScalarRules<T> rules_;
};

/// Options that say how the member, or each of its elements, is read.
template <class Option>
concept GivesType = requires { Option::gives_type; };

/// The kind of an M with these options.
template <class M, class... Options>
std::pair<TypePtr<M>, FieldOptions<M>> make_type(const Options&... options) {
  using Inner = typename FieldOptions<M>::Inner;
  static_assert(HasBuiltin<Inner> || (GivesType<Options> || ...),
                "the member's type needs a Spec, a Union, one_of or text_as among the options");
  FieldOptions<M> all;
  (options.apply(all), ...);
  if constexpr (HasBuiltin<Inner>) {
    if (!all.type) all.type = builtin_type<Inner>(all.limits, all.as_size);
  }
  return {Shape<M>::wrap(all.type), std::move(all)};
}

/// The type behind Spec<T>: a map whose keys are T's fields.
template <class T>
class StructType final : public Type<T>, public StructSection {
 public:
  using StructSection::StructSection;
  using ReadField = std::function<bool(const Node*, Reader&, T&)>;
  using WriteField = std::function<std::optional<Node>(const T&)>;

  void add(FieldInfo info, ReadField read, WriteField write) {
    add_field(std::move(info));
    readers_.push_back(std::move(read));
    writers_.push_back(std::move(write));
  }
  void add_check(std::function<std::string(const T&)> test) { checks_.push_back(std::move(test)); }
  void add_place(std::function<void(T&, const Reader&)> place) {
    places_.push_back(std::move(place));
  }

  std::optional<T> read(const Node& node, Reader& reader) const override {
    return read_beside(node, reader, "");
  }

  /// The same where the key `beside` belongs to someone else: `kind` in a union.
  std::optional<T> read_beside(const Node& node, Reader& reader, std::string_view beside) const {
    Node spelled_out;
    const Node* map = as_map(node, spelled_out, reader);
    if (!map) return std::nullopt;
    bool good = check_keys(*map, reader, beside);
    T value{};
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      const Node* child = map->find(fields()[i].name);
      good = readers_[i](child, reader, value) && good;
      if (!child && fields()[i].required) good = report_missing(*map, fields()[i], reader);
    }
    for (const auto& test : checks_) {
      const std::string wrong = good ? test(value) : std::string();
      if (wrong.empty()) continue;
      reader.error(node.home(), wrong);
      good = false;
    }
    return good ? std::optional(std::move(value)) : std::nullopt;
  }

  std::optional<Node> write(const T& value) const override {
    Node map;
    map.kind = Node::Kind::kMap;
    for (std::size_t i = 0; i < writers_.size(); ++i) {
      if (fields()[i].required || fields()[i].secret) continue;
      auto child = writers_[i](value);
      if (!child) continue;
      map.children.push_back(*std::move(child));
      map.children.back().key = fields()[i].name;
    }
    return map;
  }
  void place(T& value, const Reader& reader) const override {
    for (const auto& place : places_) place(value, reader);
  }
  Node show(const Node& node) const override { return show_fields(node); }
  std::string words() const override { return link_to(name()); }
  void sections(Sections& sections) const override { sections.add(*this); }
  void schema(JsonWriter& json) const override { write_reference(json, name()); }

 private:
  std::vector<ReadField> readers_;
  std::vector<WriteField> writers_;
  std::vector<std::function<std::string(const T&)>> checks_;
  std::vector<std::function<void(T&, const Reader&)>> places_;
};

/// Says which keys a T may have in the file. Built once, in a function's static; a copy is the same
/// spec. T{} holds the defaults.
template <class T>
class Spec {
 public:
  static constexpr bool gives_type = true;

  /// `name` is a few words, unique in the language: "file store". `doc` is one sentence.
  Spec(std::string name, std::string doc)
      : type_(std::make_shared<StructType<T>>(std::move(name), std::move(doc))) {}

  /// One key. The member's type says what it takes: text, true or false, numbers, Duration,
  /// std::filesystem::path (as seen from the file), Rate, KeyTemplate, Json, and vectors, maps,
  /// optionals and Positioned of such; other types need a Spec, a Union, one_of or text_as among
  /// the options.
  template <class M, class Owner, class... Options>
    requires std::derived_from<T, Owner>
  Spec& field(std::string name, M Owner::* member, std::string doc, const Options&... options) {
    auto [type, all] = make_type<M>(options...);
    FieldInfo info{.name = std::move(name),
                   .doc = std::move(doc),
                   .required = all.required,
                   .secret = all.secret,
                   .type = type,
                   .fallback = std::nullopt,
                   .examples = {}};
    for (const auto& yaml : all.examples) info.examples.push_back(node_that_reads(*type, yaml));
    std::optional<Node> otherwise;
    if (!all.otherwise.empty()) {
      otherwise = node_that_reads(*type, all.otherwise);
      info.fallback = type->show(*otherwise);
    } else if (!all.required && !all.secret) {
      info.fallback = type->write(T{}.*member);
    }
    auto write = [type, member, shown = info.fallback](const T& value) {
      auto node = type->write(value.*member);
      return node ? node : shown;
    };
    type_->add(std::move(info), reading<M>(member, type, all, std::move(otherwise)),
               std::move(write));
    type_->add_place([type, member](T& value, const Reader& r) { type->place(value.*member, r); });
    return *this;
  }

  /// A check of the whole: what is wrong, or nothing. Runs once all fields are right.
  Spec& check(std::function<std::string(const T&)> test) {
    type_->add_check(std::move(test));
    return *this;
  }

  /// A lone scalar stands for a map with this one key: `table: people` for `table: { name: people
  /// }`.
  Spec& shorthand(std::string field) {
    type_->set_shorthand(std::move(field));
    return *this;
  }

  std::shared_ptr<const StructType<T>> type() const { return type_; }
  /// As an option of a field that holds a T.
  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.type = type_;
  }

 private:
  template <class M, class Owner>
  static typename StructType<T>::ReadField reading(M Owner::* member, TypePtr<M> type,
                                                   const FieldOptions<M>& all,
                                                   std::optional<Node> otherwise) {
    return [member, type, checks = all.checks, hidden = all.secret,
            otherwise = std::move(otherwise)](const Node* child, Reader& reader, T& out) {
      if (!child && !otherwise) {
        type->place(out.*member, reader);
        return true;
      }
      const Node& node = child ? *child : *otherwise;
      std::optional<Reader::Secrecy> secrecy;
      if (hidden) secrecy.emplace(reader, node);
      auto value = type->read(node, reader);
      if (!value) return false;
      for (const auto& test : checks) {
        const std::string wrong = test(*value);
        if (wrong.empty()) continue;
        reader.error(node, wrong);
        return false;
      }
      out.*member = *std::move(value);
      return true;
    };
  }

  template <class M>
  static Node node_that_reads(const Type<M>& type, std::string_view yaml) {
    Node node = node_of(yaml);
    Diagnostics diagnostics("spec", std::string(yaml));
    Reader reader({}, diagnostics);
    if (!type.read(node, reader)) throw Error(ErrorKind::kBug, diagnostics.text());
    return node;
  }

  std::shared_ptr<StructType<T>> type_;
};

/// One of several kinds of things, each with its own Spec; a Value is made of whichever it is. Two
/// spellings:
///
///   by_kind   { kind: file, path: ./buckets }      the key `kind` says which; for stores, sources
///   by_key    edit: { set: {} }                    the only key says which; for steps
///
/// Built like a Spec; the rooms declare the Specs, and whoever knows them all puts them together.
template <class Value>
class Union {
 public:
  static constexpr bool gives_type = true;

  static Union by_kind(std::string name, std::string doc) {
    return Union(std::move(name), std::move(doc), UnionSection::Spelling::kByKind);
  }
  static Union by_key(std::string name, std::string doc) {
    return Union(std::move(name), std::move(doc), UnionSection::Spelling::kByKey);
  }

  /// A kind and how a Value is made of it. `make` may throw kInvalid, which is reported at the
  /// value's place. Without one the Value, such as a std::variant, is made of the T itself.
  template <class T, class Make>
  Union& add(std::string name, const Spec<T>& spec, Make make) {
    auto type = spec.type();
    type_->add(std::move(name), type, *type,
               [type, make = std::move(make)](const Node& node, Reader& reader,
                                              std::string_view beside) -> std::optional<Value> {
                 auto config = type->read_beside(node, reader, beside);
                 if (!config) return std::nullopt;
                 return Value(make(*std::move(config)));
               });
    return *this;
  }
  template <class T>
  Union& add(std::string name, const Spec<T>& spec) {
    return add(std::move(name), spec, [](T config) { return Value(std::move(config)); });
  }

  /// Only by_key: a kind whose value is no map of fields, with what it means in one sentence:
  /// `tag: { processed: "true" }` is a std::map<std::string, std::string>.
  template <class M, class Make, class... Options>
  Union& add_value(std::string name, std::string doc, Make make, const Options&... options) {
    auto type = make_type<M>(options...).first;
    type_->add_value(std::move(name), std::move(doc), type,
                     [type, make = std::move(make)](const Node& node, Reader& reader,
                                                    std::string_view) -> std::optional<Value> {
                       auto config = type->read(node, reader);
                       if (!config) return std::nullopt;
                       return Value(make(*std::move(config)));
                     });
    return *this;
  }

  template <class M>
  void apply(FieldOptions<M>& options) const {
    options.type = type_;
  }

 private:
  class UnionType final : public Type<Value>, public UnionSection {
   public:
    using UnionSection::UnionSection;
    using ReadKind =
        std::function<std::optional<Value>(const Node&, Reader&, std::string_view beside)>;

    void add(std::string name, std::shared_ptr<const AnyType> type, const StructSection& section,
             ReadKind read) {
      add_kind({std::move(name), section.doc(), std::move(type), &section});
      readers_.push_back(std::move(read));
    }
    void add_value(std::string name, std::string doc, std::shared_ptr<const AnyType> type,
                   ReadKind read) {
      add_kind({std::move(name), std::move(doc), std::move(type), nullptr});
      readers_.push_back(std::move(read));
    }

    std::optional<Value> read(const Node& node, Reader& reader) const override {
      const auto chosen = choose(node, reader);
      if (!chosen) return std::nullopt;
      try {
        return readers_[chosen->index](*chosen->node, reader, beside());
      } catch (const Error& error) {
        reader.error(chosen->node->home(), error.what());
        return std::nullopt;
      }
    }
    std::optional<Node> write(const Value&) const override { return std::nullopt; }
    Node show(const Node& node) const override { return show_kind(node); }
    std::string words() const override { return link_to(name()); }
    void sections(Sections& sections) const override { sections.add(*this); }
    void schema(JsonWriter& json) const override { write_reference(json, name()); }

   private:
    std::vector<ReadKind> readers_;
  };

  Union(std::string name, std::string doc, UnionSection::Spelling spelling)
      : type_(std::make_shared<UnionType>(std::move(name), std::move(doc), spelling)) {}

  std::shared_ptr<UnionType> type_;
};

}  // namespace headrace::stack
