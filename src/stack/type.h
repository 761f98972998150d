#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "stack/diagnostics.h"
#include "stack/node.h"

namespace headrace::stack {

/// One pass over one file: where errors go and what relative paths start from. Not for several
/// threads; outlived by what it refers to.
class Reader {
 public:
  Reader(std::filesystem::path folder, Diagnostics& diagnostics)
      : folder_(std::move(folder)), diagnostics_(diagnostics) {}

  void error(Where where, std::string message) { diagnostics_.error(where, std::move(message)); }
  void error(const Node& node, std::string message) { error(node.where, std::move(message)); }

  /// "`5 min`", "a list", "a map", "nothing" for messages; "`***`" for a secret.
  std::string quote(const Node& node) const;
  bool is_secret(const Node& node) const { return node.secret || secret_levels_ > 0; }
  /// `path` as seen from the file's folder; an absolute one stays.
  std::filesystem::path place(const std::filesystem::path& path) const;

  /// While it lives, all that is read is a secret, whatever the file says. Literal secrets are
  /// taken out of the lines that errors show.
  class Secrecy {
   public:
    Secrecy(Reader& reader, const Node& node);
    ~Secrecy() { --reader_.secret_levels_; }
    Secrecy(const Secrecy&) = delete;
    Secrecy& operator=(const Secrecy&) = delete;

   private:
    Reader& reader_;
  };

 private:
  std::filesystem::path folder_;
  Diagnostics& diagnostics_;
  int secret_levels_ = 0;
};

class Sections;

/// A kind of value, without its C++ type: what the schema, the reference and `show` need to know.
class AnyType {
 public:
  virtual ~AnyType() = default;
  /// "duration", "list of text", "[retry](#retry)": Markdown for the reference.
  virtual std::string words() const = 0;
  /// Writes one JSON Schema (draft-07) object.
  virtual void schema(JsonWriter& json) const = 0;
  /// Adds the specs and unions it consists of.
  virtual void sections(Sections&) const {}
  /// A value that read well, as `show` prints it: defaults filled in, secrets masked.
  virtual Node show(const Node& node) const = 0;
};

/// How values of T are read from nodes. Immutable once built; any thread may read.
template <class T>
class Type : public AnyType {
 public:
  /// The value; nothing if the node was wrong, which was reported then.
  virtual std::optional<T> read(const Node& node, Reader& reader) const = 0;
  /// A default as a node; nothing if there is nothing to show.
  virtual std::optional<Node> write(const T& value) const = 0;
  /// Turns a default into what it is beside this file: relative paths move to its folder.
  virtual void place(T&, const Reader&) const {}
};

template <class T>
using TypePtr = std::shared_ptr<const Type<T>>;

/// A named part of the language with a definition in the schema and a heading in the reference.
class Section {
 public:
  virtual ~Section() = default;
  virtual const std::string& name() const = 0;
  virtual void definition(JsonWriter& json) const = 0;
  /// Markdown without the heading of the section itself.
  virtual std::string reference() const = 0;
  virtual void parts(Sections& sections) const = 0;
};

/// The sections of a language, each once, parents before children. Throws kBug if two share a name.
class Sections {
 public:
  void add(const Section& section);
  const std::vector<const Section*>& all() const { return all_; }

 private:
  std::vector<const Section*> all_;
};

/// "file store" -> "file_store" in the schema, "file-store" in links.
std::string definition_name(std::string_view name);
std::string link_to(std::string_view name);

/// Writes {"$ref":"#/definitions/file_store"}.
void write_reference(JsonWriter& json, std::string_view name);
/// Writes a schema object for text of a shape; `pattern` holds no anchors. A variable fits as well.
void write_pattern(JsonWriter& json, std::string_view pattern);
/// Writes an alternative for text that is replaced before it is read: "${env:NAME}".
void write_variable(JsonWriter& json);

/// Reads YAML that is part of the program, such as an example. Throws kBug if it is wrong.
Node node_of(std::string_view yaml);

}  // namespace headrace::stack
