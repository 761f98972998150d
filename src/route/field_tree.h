#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/hash.h"

namespace headrace {

/// The fields that patterns ask for, numbered from 0, as a tree over the parts of their paths. An
/// event is walked along it, so that what nobody asks for is passed by.
class FieldTree {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kRoot = 0;

  /// The number of the field at `path`, given on first sight.
  std::uint32_t add(std::string_view path);
  /// The node that an event's name leads to from `node`, kNone if to none. A name may hold dots:
  /// {"a.b":1} and {"a":{"b":1}} are the same field. Bytes up to `limit` may be read.
  std::uint32_t step(std::uint32_t node, std::string_view name, const char* limit) const;
  /// The same for a name that ends with its quote, quickly if it leads nowhere: `text` is what
  /// follows the quote before it, and at least eight bytes. False if step() has to tell.
  bool leads_nowhere(std::uint32_t node, const char* text) const {
    std::uint64_t head;
    std::memcpy(&head, text, 8);
    const Node& from = nodes_[node];
    if (from.edges.size() > kFewEdges) return false;
    for (const Edge& edge : from.edges) {
      if (((head ^ edge.head) & edge.mask) == 0) return false;
    }
    return true;
  }
  std::uint32_t step(std::uint32_t node, std::string_view name) const {
    return step(node, name, name.data() + name.size());
  }
  /// The field at a path, kNone if nobody asks for it.
  std::uint32_t find(std::string_view path) const {
    const std::uint32_t node = step(kRoot, path);
    return node == kNone ? kNone : field_at(node);
  }
  /// The field that ends at `node`, kNone if none does.
  std::uint32_t field_at(std::uint32_t node) const { return nodes_[node].field; }
  /// Do longer paths go through `node`?
  bool leads_on(std::uint32_t node) const { return !nodes_[node].edges.empty(); }
  std::uint32_t size() const { return count_; }

 private:
  static constexpr std::size_t kFewEdges = 8;
  struct Edge {
    std::uint64_t head;  // The first eight bytes of the name; zero after its end.
    std::uint64_t mask;  // Which bits of a head the name has.
    std::uint32_t to;
    std::string name;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash64(text); }
  };
  struct Node {
    std::uint32_t field = kNone;
    std::vector<Edge> edges;
    /// The same edges by name; filled once they are too many to look at one by one.
    std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> by_name;
  };

  std::uint32_t child(std::uint32_t node, std::string_view part) const;
  std::uint32_t step_by_hash(std::uint32_t node, std::string_view name) const;
  std::uint32_t add_child(std::uint32_t node, std::string_view part);

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::uint32_t count_ = 0;
};

}  // namespace headrace
