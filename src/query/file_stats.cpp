#include "query/file_stats.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "format/parquet/stats.h"
#include "query/delta_view.h"
#include "table/delta/stats_limit.h"

namespace headrace {
namespace {

constexpr std::size_t kIndexedColumns = 32;  // Delta's default.
constexpr std::size_t kTextLooked = 200;     // Characters of a text; bounds are shorter.

/// A column that has statistics, and where its values stand in the row of aggregates.
struct Leaf {
  std::size_t nulls = 0;
  std::optional<std::size_t> least;
  std::optional<std::size_t> most;
};

bool is_real(TypeKind kind) { return kind == TypeKind::kFloat || kind == TypeKind::kDouble; }
bool is_moment(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz;
}
bool has_bounds(TypeKind kind) {
  return kind != TypeKind::kBoolean && kind != TypeKind::kBinary && kind != TypeKind::kList &&
         kind != TypeKind::kMap;
}

/// The SQL that looks at all leaves at once, and what comes of its one row.
class StatsQuery {
 public:
  explicit StatsQuery(const Snapshot& snapshot)
      : snapshot_(snapshot), limit_(snapshot.schema, snapshot.partition_by, snapshot.properties) {
    for (const Field& field : snapshot.schema.fields) {
      if (is_partition_column(snapshot, field.name)) continue;
      collect(field, sql_name(field.name), field.name);
    }
  }

  std::string sql(const std::string& path) const {
    return fmt::format("SELECT count(*)::VARCHAR{} FROM read_parquet({})", aggregates_,
                       sql_string(literal_path(path)));
  }

  FileStats read(const std::vector<Cell>& row) const {
    FileStats out;
    std::from_chars(row[0].text.data(), row[0].text.data() + row[0].text.size(), out.rows);
    out.json = fmt::format("{{\"numRecords\":{}", out.rows);
    for (const Part part : {Part::kLeast, Part::kMost, Part::kNulls}) {
      out.json += part == Part::kLeast  ? ",\"minValues\":"
                  : part == Part::kMost ? ",\"maxValues\":"
                                        : ",\"nullCount\":";
      if (!append_members(out.json, snapshot_.schema.fields, true, part, row)) {
        out.json += "{}";
      }
    }
    out.json += '}';
    return out;
  }

 private:
  enum class Part : unsigned char { kLeast, kMost, kNulls };

  std::size_t ask(const std::string& expression) {
    aggregates_ += fmt::format(", ({})::VARCHAR", expression);
    return ++asked_;
  }

  void collect(const Field& field, const std::string& expression, const std::string& path) {
    if (field.type.kind == TypeKind::kStruct) {
      for (const Field& member : field.type.fields) {
        collect(member, fmt::format("{}.{}", expression, sql_name(member.name)),
                path + "." + member.name);
      }
      return;
    }
    const bool wanted = limit_.said() ? limit_.wants(path) : leaves_.size() < kIndexedColumns;
    if (!wanted) return;
    Leaf leaf;
    leaf.nulls = ask(fmt::format("count(*) - count({})", expression));
    if (has_bounds(field.type.kind)) {
      leaf.least = ask(bound(field.type.kind, expression, "min"));
      leaf.most = ask(bound(field.type.kind, expression, "max"));
    }
    leaves_.emplace(&field, std::move(leaf));
  }

  static std::string bound(TypeKind kind, const std::string& expression, std::string_view which) {
    if (kind == TypeKind::kString) {
      return fmt::format("{}(left({}, {}))", which, expression, kTextLooked);
    }
    if (is_moment(kind)) return fmt::format("epoch_us({}({}))", which, expression);
    if (is_real(kind)) {
      return fmt::format("CASE WHEN bool_or(isnan({0})) THEN NULL ELSE {1}({0}) END", expression,
                         which);
    }
    return fmt::format("{}({})", which, expression);
  }

  static std::optional<std::int64_t> whole(const std::string& text) {
    std::int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
  }

  static bool append_moment(std::string& out, const std::string& text, bool zone, bool up) {
    const auto micros = whole(text);
    if (!micros) return false;
    constexpr std::int64_t kFirst = -62'135'596'800'000'000;  // The year 1,
    constexpr std::int64_t kEnd = 253'402'300'800'000'000;    // and the year 10000.
    const Time time{Duration(*micros)};
    const auto cut = up ? std::chrono::ceil<std::chrono::milliseconds>(time)
                        : std::chrono::floor<std::chrono::milliseconds>(time);
    if (*micros < kFirst || *micros >= kEnd - 1'000) return false;
    std::string moment = format_time(cut);
    if (moment.ends_with('Z')) moment.pop_back();
    if (moment.find('.') == std::string::npos) moment += ".000";
    out += '"' + moment + (zone ? "Z\"" : "\"");
    return true;
  }

  static bool append_bound(std::string& out, const Field& field, const std::string& text, bool up) {
    switch (field.type.kind) {
      case TypeKind::kFloat:
      case TypeKind::kDouble:
        if (text.find_first_of("nN") != std::string::npos) return false;  // nan, inf: no JSON.
        out += text;
        return true;
      case TypeKind::kString: {
        const auto cut = up ? parquet_file::upper_bound_text(text)
                            : std::optional(parquet_file::lower_bound_text(text));
        if (cut) append_json_string(out, *cut);
        return cut.has_value();
      }
      case TypeKind::kDate:
        if (text.size() != 10) return false;  // Before the year 0 or after 9999.
        out += '"' + text + '"';
        return true;
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampNtz:
        return append_moment(out, text, field.type.kind == TypeKind::kTimestamp, up);
      default:
        out += text;
        return true;
    }
  }

  bool append_leaf(std::string& out, const Field& field, Part part,
                   const std::vector<Cell>& row) const {
    const auto found = leaves_.find(&field);
    if (found == leaves_.end()) return false;
    const Leaf& leaf = found->second;
    if (part == Part::kNulls) {
      out += row.at(leaf.nulls).text;
      return true;
    }
    const auto at = part == Part::kLeast ? leaf.least : leaf.most;
    if (!at || row.at(*at).kind == CellKind::kNull) return false;
    return append_bound(out, field, row[*at].text, part == Part::kMost);
  }

  /// An object of the members that have something to say.
  bool append_members(std::string& out, const std::vector<Field>& fields, bool top, Part part,
                      const std::vector<Cell>& row) const {
    const std::size_t start = out.size();
    char separator = '{';
    for (const Field& field : fields) {
      if (top && is_partition_column(snapshot_, field.name)) continue;
      const std::size_t before = out.size();
      out += separator;
      append_json_string(out, field.name);
      out += ':';
      const bool said = field.type.kind == TypeKind::kStruct
                            ? append_members(out, field.type.fields, false, part, row)
                            : append_leaf(out, field, part, row);
      if (said) {
        separator = ',';
      } else {
        out.resize(before);
      }
    }
    if (out.size() == start) return false;
    out += '}';
    return true;
  }

  const Snapshot& snapshot_;
  const delta::StatsLimit limit_;
  std::size_t asked_ = 0;
  std::string aggregates_;
  std::unordered_map<const Field*, Leaf> leaves_;  // By the field in `snapshot_`.
};

}  // namespace

FileStats file_stats(Engine& engine, const Snapshot& snapshot, const std::string& path) {
  const StatsQuery query(snapshot);
  const auto rows = engine.rows(query.sql(path));
  return query.read(rows.at(0));
}

}  // namespace headrace
