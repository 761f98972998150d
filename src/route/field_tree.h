#pragma once

#include <cstdint>
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

  FieldTree() : fields_(1, kNone), leads_on_(1, false) {}

  /// The number of the field at `path`, given on first sight.
  std::uint32_t add(std::string_view path);
  /// The node that an event's name leads to from `node`, kNone if to none. A name may hold dots:
  /// {"a.b":1} and {"a":{"b":1}} are the same field.
  std::uint32_t step(std::uint32_t node, std::string_view name) const;
  /// The field that ends at `node`, kNone if none does.
  std::uint32_t field_at(std::uint32_t node) const { return fields_[node]; }
  /// Do longer paths go through `node`?
  bool leads_on(std::uint32_t node) const { return leads_on_[node]; }
  std::uint32_t size() const { return count_; }

 private:
  struct Edge {
    std::uint32_t from;
    std::string name;
    bool operator==(const Edge&) const = default;
  };
  struct EdgeView {
    std::uint32_t from;
    std::string_view name;
  };
  struct EdgeHash {
    using is_transparent = void;
    std::size_t operator()(const Edge& edge) const { return hash64(edge.name, edge.from); }
    std::size_t operator()(const EdgeView& edge) const { return hash64(edge.name, edge.from); }
  };
  struct EdgeEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.from == b.from && a.name == b.name;
    }
  };

  std::uint32_t child(std::uint32_t node, std::string_view part) const;

  std::unordered_map<Edge, std::uint32_t, EdgeHash, EdgeEqual> edges_;
  std::vector<std::uint32_t> fields_;  // By node.
  std::vector<bool> leads_on_;         // By node.
  std::uint32_t count_ = 0;
};

}  // namespace headrace
