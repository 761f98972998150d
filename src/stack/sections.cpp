#include "stack/sections.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace headrace::stack {
namespace {

/// Up to so many keys are named to somebody who wrote an unknown one.
constexpr std::size_t kKeysToName = 12;

std::string in_ticks(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ", ";
    out += fmt::format("`{}`", word);
  }
  return out;
}

}  // namespace

std::string ChoiceWords::list() const { return in_ticks(words_); }

std::string ChoiceWords::refusal(std::string_view word) const {
  return fmt::format("`{}` is none of {}{}", word, list(), did_you_mean(word, words_));
}

void ChoiceWords::schema(JsonWriter& json) const {
  json.begin_object().key("anyOf").begin_array();
  json.begin_object().key("enum").begin_array();
  for (const std::string& word : words_) json.string(word);
  json.end_array().end_object();
  write_variable(json);
  json.end_array().end_object();
}

void StructSection::parts(Sections& sections) const {
  for (const FieldInfo& field : fields_) field.type->sections(sections);
}

Node StructSection::spell_out(const Node& scalar) const {
  Node map;
  map.kind = Node::Kind::kMap;
  map.where = scalar.where;
  map.key_where = scalar.key_where;
  map.children.push_back(scalar);
  map.children.back().key = shorthand_;
  map.children.back().key_where = {};
  return map;
}

const Node* StructSection::as_map(const Node& node, Node& spelled_out, Reader& reader) const {
  if (node.kind == Node::Kind::kMap) return &node;
  if (node.broken) return nullptr;
  if (node.kind == Node::Kind::kScalar && !shorthand_.empty()) {
    spelled_out = spell_out(node);
    return &spelled_out;
  }
  reader.error(node, fmt::format("{} is needed here as a map, not {}", name_, reader.quote(node)));
  return nullptr;
}

bool StructSection::check_keys(const Node& map, Reader& reader, std::string_view beside) const {
  std::vector<std::string> known;
  if (!beside.empty()) known.emplace_back(beside);
  for (const FieldInfo& field : fields_) known.push_back(field.name);
  bool good = true;
  for (const Node& child : map.children) {
    if (std::ranges::find(known, child.key) != known.end()) continue;
    std::string help = did_you_mean(child.key, known);
    if (help.empty() && known.size() <= kKeysToName) {
      help = fmt::format("; {} has {}", name_, in_ticks(known));
    }
    reader.error(child.key_where, fmt::format("unknown key `{}`{}", child.key, help));
    good = false;
  }
  return good;
}

bool StructSection::report_missing(const Node& map, const FieldInfo& field, Reader& reader) const {
  reader.error(map.home(), fmt::format("`{}` is missing: {}", field.name, field.doc));
  return false;
}

Node StructSection::show_fields(const Node& node) const {
  if (node.kind == Node::Kind::kScalar) return show_fields(spell_out(node));
  Node shown;
  shown.kind = Node::Kind::kMap;
  for (const FieldInfo& field : fields_) {
    const Node* child = node.find(field.name);
    if (!child && !field.fallback) continue;
    if (!child) {
      shown.children.push_back(*field.fallback);
    } else {
      shown.children.push_back(field.secret ? Node::masked() : field.type->show(*child));
    }
    shown.children.back().key = field.name;
  }
  return shown;
}

std::optional<std::size_t> UnionSection::index_of(std::string_view name) const {
  const auto found = std::ranges::find(kinds_, name, &Kind::name);
  if (found == kinds_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kinds_.begin());
}

void UnionSection::add_kind(Kind kind) {
  if (index_of(kind.name) || (spelling_ == Spelling::kByKind && !kind.section)) {
    throw Error(ErrorKind::kBug, fmt::format("{} cannot have the kind `{}`", name_, kind.name));
  }
  words_.add(kind.name);
  kinds_.push_back(std::move(kind));
}

std::optional<UnionSection::Choice> UnionSection::choose(const Node& node, Reader& reader) const {
  if (node.broken) return std::nullopt;
  return spelling_ == Spelling::kByKind ? choose_by_kind(node, reader)
                                        : choose_by_key(node, reader);
}

std::optional<UnionSection::Choice> UnionSection::choose_by_kind(const Node& node,
                                                                 Reader& reader) const {
  if (node.kind != Node::Kind::kMap) {
    reader.error(node,
                 fmt::format("{} is needed here as a map, not {}", name_, reader.quote(node)));
    return std::nullopt;
  }
  const Node* kind = node.find("kind");
  if (!kind) {
    reader.error(node.home(), fmt::format("`kind` is missing: one of {}", words_.list()));
    return std::nullopt;
  }
  if (kind->broken) return std::nullopt;
  const auto index = index_of(kind->text);
  if (!index) {
    const bool tellable = kind->kind == Node::Kind::kScalar && !reader.is_secret(*kind);
    reader.error(*kind, tellable
                            ? words_.refusal(kind->text)
                            : fmt::format("{} is none of {}", reader.quote(*kind), words_.list()));
    return std::nullopt;
  }
  return Choice{*index, &node};
}

std::optional<UnionSection::Choice> UnionSection::choose_by_key(const Node& node,
                                                                Reader& reader) const {
  if (node.kind != Node::Kind::kMap || node.children.empty()) {
    const bool empty = node.kind == Node::Kind::kMap;
    reader.error(node,
                 fmt::format("{} is needed here as a map with one key, not {}; the key is "
                             "one of {}",
                             name_, empty ? "an empty map" : reader.quote(node), words_.list()));
    return std::nullopt;
  }
  if (node.children.size() > 1) {
    const Node& second = node.children[1];
    reader.error(second.key_where,
                 fmt::format("{} has one key, and this one has `{}` already; begin another "
                             "with `-`",
                             name_, node.children[0].key));
    return std::nullopt;
  }
  const Node& only = node.children[0];
  const auto index = index_of(only.key);
  if (!index) {
    reader.error(only.key_where, words_.refusal(only.key));
    return std::nullopt;
  }
  return Choice{*index, &only};
}

Node UnionSection::show_kind(const Node& node) const {
  Node shown;
  if (spelling_ == Spelling::kByKind) {
    const Node& kind = *node.find("kind");
    shown = kinds_[*index_of(kind.text)].section->show_fields(node);
    Node word = Node::scalar(kind.text);
    word.key = "kind";
    shown.children.insert(shown.children.begin(), std::move(word));
    return shown;
  }
  const Node& only = node.children[0];
  shown.kind = Node::Kind::kMap;
  shown.children.push_back(kinds_[*index_of(only.key)].type->show(only));
  shown.children.back().key = only.key;
  return shown;
}

void UnionSection::parts(Sections& sections) const {
  for (const Kind& kind : kinds_) {
    if (spelling_ == Spelling::kByKind) {
      kind.section->parts(sections);  // Its own keys are told with the union.
    } else {
      kind.type->sections(sections);
    }
  }
}

}  // namespace headrace::stack
