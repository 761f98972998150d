#include "table/delta/stats_limit.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "core/json.h"

namespace headrace::delta {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kCount = "delta.dataSkippingNumIndexedCols";
constexpr std::string_view kColumns = "delta.dataSkippingStatsColumns";

/// Leaves in order; lists and maps count as one, as Spark counts them.
void gather_leaves(const std::vector<Field>& fields, const std::string& parent,
                   std::vector<std::string>& out) {
  for (const Field& field : fields) {
    const std::string path = parent + field.name;
    if (field.type.kind == TypeKind::kStruct) {
      gather_leaves(field.type.fields, path + ".", out);
    } else {
      out.push_back(path);
    }
  }
}

/// "a, b.c, `odd name`": names, without the quotes.
std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '`') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (c != ' ' || quoted) {
      out.back() += c;
    }
  }
  return out;
}

void write_wanted(JsonWriter& json, const dom::object& from, const std::string& parent,
                  const std::set<std::string>& wanted) {
  json.begin_object();
  for (const auto [key, value] : from) {
    const std::string path = parent + std::string(key);
    if (wanted.contains(path)) {
      json.key(key).raw(simdjson::minify(value));
      continue;
    }
    const auto inside = wanted.lower_bound(path + ".");
    const bool has_some = inside != wanted.end() && inside->starts_with(path + ".");
    if (has_some && value.is_object()) {
      json.key(key);
      write_wanted(json, value.get_object().value(), path + ".", wanted);
    }
  }
  json.end_object();
}

}  // namespace

std::optional<std::vector<std::string>> named_stats_columns(const Texts& properties) {
  const auto columns = properties.find(std::string(kColumns));
  if (columns == properties.end()) return std::nullopt;
  return split_names(columns->second);
}

std::optional<std::int64_t> counted_stats_columns(const Texts& properties) {
  const auto count = properties.find(std::string(kCount));
  if (count == properties.end()) return std::nullopt;
  std::int64_t most = -1;
  std::from_chars(count->second.data(), count->second.data() + count->second.size(), most);
  return most;
}

StatsLimit::StatsLimit(const Schema& schema, const std::vector<std::string>& partition_columns,
                       const Texts& properties) {
  std::vector<Field> fields;
  for (const Field& field : schema.fields) {
    if (std::ranges::find(partition_columns, field.name) == partition_columns.end()) {
      fields.push_back(field);
    }
  }
  std::vector<std::string> leaves;
  gather_leaves(fields, "", leaves);
  if (const auto names = named_stats_columns(properties)) {
    for (const std::string& leaf : leaves) {
      const bool named = std::ranges::any_of(*names, [&](const std::string& name) {
        return leaf == name || leaf.starts_with(name + ".");
      });
      if (named) wanted_.insert(leaf);
    }
    all_ = false;
    said_ = true;
    return;
  }
  const auto most = counted_stats_columns(properties);
  if (!most) return;
  said_ = true;
  if (*most < 0 || static_cast<std::uint64_t>(*most) >= leaves.size()) return;
  wanted_.insert(leaves.begin(), leaves.begin() + *most);
  all_ = false;
}

std::string StatsLimit::apply(std::string stats) const {
  if (all_) return stats;
  dom::parser parser;
  dom::object whole;
  if (parser.parse(stats).get(whole) != simdjson::SUCCESS) return stats;
  JsonWriter json;
  json.begin_object();
  for (const auto [key, value] : whole) {
    json.key(key);
    const bool by_column = key == "minValues" || key == "maxValues" || key == "nullCount";
    if (by_column && value.is_object()) {
      write_wanted(json, value.get_object().value(), "", wanted_);
    } else {
      json.raw(simdjson::minify(value));
    }
  }
  json.end_object();
  return std::move(json).text();
}

}  // namespace headrace::delta
