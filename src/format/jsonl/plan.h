#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/schema.h"

namespace headrace::jsonl {

/// The metadata by which a string column is known to hold JSON text: any value, as it was spelled.
inline constexpr std::string_view kJsonTextMetadata = R"({"headrace.type":"json"})";
bool is_json_text(const Field& field);

/// The metadata of a string column that holds UUIDs in their usual spelling, kept as 16 bytes.
inline constexpr std::string_view kUuidMetadata = R"({"headrace.type":"uuid"})";
bool is_uuid_text(const Field& field);

inline constexpr std::uint32_t kNoNode = ~0u;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using NodeByName = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

/// A column, or a part of one, as the reader of rows and the column buffers see it. What reading a
/// row needs comes first.
struct Node {
  /// The key's usual spelling and its closing quote, and the bytes of it that count as bits; 0 if
  /// the key is longer or has to be escaped.
  alignas(32) std::array<char, 32> spelling{};
  std::uint32_t spelling_mask = 0;
  std::uint32_t id = 0;
  TypeKind kind = TypeKind::kStruct;
  bool json_text = false;
  bool uuid = false;
  bool quick = false;  ///< A text, a long or a double that files store: see RowReader.
  bool nullable = true;
  bool has_required = false;          ///< Some child is not nullable.
  int partition = -1;                 ///< Its place among the partition columns; -1 is none.
  std::vector<const Node*> children;  ///< In the order of the schema.

  std::uint32_t index = 0;  ///< Its place among its parent's children.
  std::uint32_t parent = kNoNode;
  int precision = 0;
  int scale = 0;
  std::uint8_t level = 0;  ///< Definition level of a present value (Dremel).
  std::string name;        ///< The column's name,
  std::string key;         ///< and its key in JSON.
  NodeByName by_key;       ///< Children of a struct.
  NodeByName by_folded_name;
};

/// A schema made ready for reading rows. Nodes are numbered; evolving adds nodes and never
/// renumbers any, so that what is indexed by node (buffers, marks) stays valid.
class Plan {
 public:
  /// Throws kInvalid for a schema that rows cannot be read into: partition columns that are nested.
  Plan(const Schema& schema, const std::vector<std::string>& partition_by);

  /// Takes over a schema that has grown out of the one before: fields added at the end, at any
  /// depth, and byte or short columns widened.
  void evolve(const Schema& schema);
  /// Counts the calls of evolve().
  std::uint32_t version() const { return version_; }

  const Node& root() const { return *nodes_[0]; }
  const Node& node(std::uint32_t id) const { return *nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }

  /// How messages and rescued data name a node: keys joined by '.', with '.' and '\' inside a key
  /// escaped by '\'. `key`, if given, is a member of the node.
  std::string path(std::uint32_t node, const std::string_view* key = nullptr) const;

 private:
  void add_children(std::uint32_t parent, const std::vector<Field>& fields);
  const Node* add(std::uint32_t parent, const Field& field);
  static void set_spelling(Node& node);
  void set_type(Node& node, const Field& field);

  std::vector<std::unique_ptr<Node>> nodes_;
  const std::vector<std::string> partition_by_;
  std::uint32_t version_ = 0;
};

/// The type that the node was made of.
DataType type_of(const Node& node);

/// Partition columns are those of `node`'s that no file holds.
inline bool is_stored(const Node& node) { return node.partition < 0; }

}  // namespace headrace::jsonl
