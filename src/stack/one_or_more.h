#pragma once

#include <utility>
#include <vector>

#include "stack/types.h"

namespace headrace::stack {

/// A list that may be written as its only element: `from: a` is `from: [a]`. Never empty once read.
template <class T>
struct OneOrMore {
  std::vector<T> items;

  auto begin() const { return items.begin(); }
  auto end() const { return items.end(); }
  const T& front() const { return items.front(); }
};

template <class T>
class OneOrMoreType final : public Type<OneOrMore<T>> {
 public:
  explicit OneOrMoreType(TypePtr<T> item) : item_(std::move(item)), list_(item_) {}

  std::optional<OneOrMore<T>> read(const Node& node, Reader& reader) const override {
    if (node.kind == Node::Kind::kScalar) {
      auto item = item_->read(node, reader);
      if (!item) return std::nullopt;
      OneOrMore<T> one;
      one.items.push_back(*std::move(item));
      return one;
    }
    auto items = list_.read(node, reader);
    if (!items) return std::nullopt;
    if (items->empty()) {
      reader.error(node, fmt::format("{} is needed here, not an empty list", item_->words()));
      return std::nullopt;
    }
    return OneOrMore<T>{*std::move(items)};
  }

  std::optional<Node> write(const OneOrMore<T>& value) const override {
    return list_.write(value.items);
  }
  void place(OneOrMore<T>& value, const Reader& reader) const override {
    list_.place(value.items, reader);
  }
  Node show(const Node& node) const override {
    return node.kind == Node::Kind::kScalar ? item_->show(node) : list_.show(node);
  }
  std::string words() const override { return item_->words() + ", or a " + list_.words(); }
  void sections(Sections& sections) const override { item_->sections(sections); }
  void schema(JsonWriter& json) const override {
    json.begin_object().key("anyOf").begin_array();
    item_->schema(json);
    json.begin_object().key("type").string("array").key("minItems").raw("1").key("items");
    item_->schema(json);
    json.end_object().end_array().end_object();
  }

 private:
  TypePtr<T> item_;
  ListType<T> list_;
};

template <class T>
struct Shape<OneOrMore<T>> {
  using Inner = typename Shape<T>::Inner;
  static TypePtr<OneOrMore<T>> wrap(TypePtr<Inner> inner) {
    return std::make_shared<const OneOrMoreType<T>>(Shape<T>::wrap(std::move(inner)));
  }
};

}  // namespace headrace::stack
