#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/type.h"

/// The parts of Spec and Union that do not depend on C++ types: keys, messages, schema, reference.
namespace headrace::stack {

/// The words of a choice, for messages and the schema.
class ChoiceWords {
 public:
  void add(std::string word) { words_.push_back(std::move(word)); }
  /// "`evolve`, `fixed`"
  std::string list() const;
  /// "`evlove` is none of `evolve`, `fixed`; did you mean `evolve`?"
  std::string refusal(std::string_view word) const;
  /// One of the words, or a variable.
  void schema(JsonWriter& json) const;
  const std::vector<std::string>& all() const { return words_; }

 private:
  std::vector<std::string> words_;
};

/// One key of a spec.
struct FieldInfo {
  std::string name;
  std::string doc;
  bool required = false;
  bool secret = false;
  std::shared_ptr<const AnyType> type;
  std::optional<Node> fallback;  ///< What `show` prints where the key is left out; no secret.
  std::vector<Node> examples;
};

/// A map whose keys are known.
class StructSection : public Section {
 public:
  StructSection(std::string name, std::string doc) : name_(std::move(name)), doc_(std::move(doc)) {}

  const std::string& name() const override { return name_; }
  const std::string& doc() const { return doc_; }
  const std::vector<FieldInfo>& fields() const { return fields_; }
  void set_shorthand(std::string field) { shorthand_ = std::move(field); }

  void definition(JsonWriter& json) const override;
  std::string reference() const override;
  void parts(Sections& sections) const override;

  /// The schema of the map itself; with a `kind`, that key must have that value.
  void map_schema(JsonWriter& json, std::string_view kind) const;
  /// The rows of its keys.
  std::string table() const;
  /// A value that read well, with defaults and without secrets; keys of others are left out.
  Node show_fields(const Node& node) const;

 protected:
  void add_field(FieldInfo info) { fields_.push_back(std::move(info)); }
  /// The map that `node` is or, by shorthand, stands for, which is then kept in `spelled_out`.
  /// Null after an error.
  const Node* as_map(const Node& node, Node& spelled_out, Reader& reader) const;
  /// Are there no keys but its own and `beside`?
  bool check_keys(const Node& map, Reader& reader, std::string_view beside) const;
  /// Always false.
  bool report_missing(const Node& map, const FieldInfo& field, Reader& reader) const;

 private:
  Node spell_out(const Node& scalar) const;

  std::string name_;
  std::string doc_;
  std::string shorthand_;
  std::vector<FieldInfo> fields_;
};

/// One of several kinds of things.
class UnionSection : public Section {
 public:
  enum class Spelling : unsigned char { kByKind, kByKey };

  UnionSection(std::string name, std::string doc, Spelling spelling)
      : name_(std::move(name)), doc_(std::move(doc)), spelling_(spelling) {}

  const std::string& name() const override { return name_; }
  void definition(JsonWriter& json) const override;
  std::string reference() const override;
  void parts(Sections& sections) const override;

 protected:
  struct Kind {
    std::string name;
    std::string doc;
    std::shared_ptr<const AnyType> type;
    const StructSection* section = nullptr;  // Part of `type`; null if that is no spec.
  };
  struct Choice {
    std::size_t index = 0;
    const Node* node = nullptr;  // What the kind's type is to read.
  };

  void add_kind(Kind kind);
  /// Which kind `node` is; nothing after an error.
  std::optional<Choice> choose(const Node& node, Reader& reader) const;
  /// The key that says which, where it stands beside the fields of the kind.
  std::string_view beside() const { return spelling_ == Spelling::kByKind ? "kind" : ""; }
  Node show_kind(const Node& node) const;

 private:
  std::optional<Choice> choose_by_kind(const Node& node, Reader& reader) const;
  std::optional<Choice> choose_by_key(const Node& node, Reader& reader) const;
  std::optional<std::size_t> index_of(std::string_view name) const;

  std::string name_;
  std::string doc_;
  Spelling spelling_;
  ChoiceWords words_;
  std::vector<Kind> kinds_;
};

/// The whole language below `root` as one JSON Schema (draft-07) document, for editors.
std::string json_schema(const StructSection& root);
/// The same for people, in Markdown: `root`'s keys, then a heading for each part.
std::string reference_markdown(const StructSection& root);

}  // namespace headrace::stack
