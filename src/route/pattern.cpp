#include "route/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/error.h"
#include "route/condition_parser.h"
#include "route/json_tree.h"

namespace headrace {
namespace {

constexpr std::size_t kMaxAlternatives = 1000;
constexpr std::size_t kMaxConditions = 100'000;
constexpr std::string_view kOr = "$or";

/// Names that stand for operators, now or some day: as fields under $or they are taken for
/// mistakes.
constexpr std::string_view kReserved[] = {"exactly",
                                          "equals-ignore-case",
                                          "prefix",
                                          "suffix",
                                          "anything-but",
                                          "exists",
                                          "wildcard",
                                          "numeric",
                                          "cidr",
                                          "=",
                                          "<",
                                          "<=",
                                          ">",
                                          ">=",
                                          "regex",
                                          "not-wildcard",
                                          "not-equals-ignore-case",
                                          "date-after",
                                          "date-on-or-after",
                                          "date-before",
                                          "date-on-or-before",
                                          "in-date-range",
                                          "ip-address-in-range",
                                          "ip-address-not-in-range"};

std::string join(const std::string* parent, const std::string& name) {
  return parent ? fmt::format("{}.{}", *parent, name) : name;
}

}  // namespace

/// Fields write their conditions into every alternative there is so far; `$or` copies the
/// alternatives, once for each of its branches. So a field that stands after `$or` overrides it.
class PatternParser {
 public:
  Pattern parse(const JsonTree& tree) {
    if (tree.kind != JsonTree::Kind::kObject) {
      refuse_pattern(tree, nullptr, "must be an object of fields");
    }
    object(tree, nullptr, false);
    Pattern pattern;
    for (const Draft& draft : drafts_) {
      Pattern::Alternative& fields = pattern.alternatives_.emplace_back();
      for (const auto& [path, conditions] : draft) {
        count(tree, conditions->size());
        fields.push_back({path, *conditions});
      }
    }
    return pattern;
  }

 private:
  struct PathLess {
    bool operator()(const std::string& a, const std::string& b) const { return path_less(a, b); }
  };
  using Conditions = std::shared_ptr<const std::vector<Condition>>;
  using Draft = std::map<std::string, Conditions, PathLess>;

  void object(const JsonTree& tree, const std::string* path, bool under_or) {
    if (tree.names.empty()) refuse_pattern(tree, path, "is empty: an object needs a field");
    for (std::size_t i = 0; i < tree.names.size(); ++i) {
      if (tree.names[i] == kOr) {
        branches(tree.items[i], path);
      } else {
        field(tree.names[i], tree.items[i], path, under_or);
      }
    }
  }

  void field(const std::string& name, const JsonTree& tree, const std::string* parent,
             bool under_or) {
    const std::string path = join(parent, name);
    if (under_or && std::ranges::find(kReserved, name) != std::end(kReserved)) {
      refuse_pattern(tree, &path, "is the name of an operator: it cannot be a field under $or");
    }
    if (tree.kind == JsonTree::Kind::kObject) {
      object(tree, &path, under_or);
    } else if (tree.kind == JsonTree::Kind::kArray) {
      const auto conditions =
          std::make_shared<const std::vector<Condition>>(parse_conditions(tree, path));
      for (Draft& draft : drafts_) draft[path] = conditions;
    } else {
      refuse_pattern(tree, &path,
                     fmt::format("is {}: it must be an array of values and operators, or an object "
                                 "of fields",
                                 describe(tree.kind)));
    }
  }

  void branches(const JsonTree& tree, const std::string* parent) {
    const std::string path = join(parent, std::string(kOr));
    if (tree.kind != JsonTree::Kind::kArray || tree.items.size() < 2) {
      refuse_pattern(tree, &path, "must be an array of at least two objects");
    }
    const std::vector<Draft> before = std::move(drafts_);
    std::vector<Draft> after;
    for (const JsonTree& branch : tree.items) {
      if (branch.kind != JsonTree::Kind::kObject) {
        refuse_pattern(branch, &path, "must hold nothing but objects");
      }
      drafts_ = before;
      object(branch, parent, true);
      if (after.size() + drafts_.size() > kMaxAlternatives) {
        refuse_pattern(
            tree, &path,
            fmt::format("makes more than {} combinations: split the pattern", kMaxAlternatives));
      }
      std::ranges::move(drafts_, std::back_inserter(after));
    }
    drafts_ = std::move(after);
  }

  void count(const JsonTree& tree, std::size_t conditions) {
    conditions_ += conditions;
    if (conditions_ > kMaxConditions) {
      refuse_pattern(
          tree, nullptr,
          fmt::format("has more than {} conditions once $or is multiplied out", kMaxConditions));
    }
  }

  std::vector<Draft> drafts_ = std::vector<Draft>(1);
  std::size_t conditions_ = 0;
};

Pattern Pattern::parse(std::string_view json) {
  try {
    return PatternParser().parse(parse_json_tree(json));
  } catch (const Error& error) {
    throw error.during("pattern");
  }
}

bool path_less(std::string_view a, std::string_view b) {
  // In UTF-16 what is beyond U+FFFF (F0 to F4 in UTF-8) comes before U+E000 to U+FFFF (EE, EF); in
  // all else the two orders agree.
  const auto rank = [](char c) {
    const int byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
  };
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

}  // namespace headrace
