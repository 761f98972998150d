#include "query/pruning.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/clock.h"

namespace headrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kHour = 3'600'000'000;
// A time without a zone may lie this far from the same digits in the session's zone.
constexpr std::int64_t kZones = 26 * kHour;
// How much later a statement may run than its constants were evaluated.
constexpr std::int64_t kMoving = 24 * kHour;
// Writers cut times to milliseconds, some of them downwards also for the maximum.
constexpr std::int64_t kCutTimes = 1'000;

/// A point on a column's axis: how far around it the truth may lie is in `slack`.
struct Point {
  std::variant<std::int64_t, double, std::string> value;
  std::int64_t slack = 0;  // Of integers, which times are too.
};

enum class Order : unsigned char { kBelow, kSame, kAbove, kUnknown };

Order order(std::int64_t a, std::int64_t b, std::int64_t slack) {
  if (a<b&& static_cast<std::uint64_t>(b) -
        static_cast<std::uint64_t>(a)> static_cast<std::uint64_t>(slack)) {
    return Order::kBelow;
  }
  if (a > b && static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b) >
                   static_cast<std::uint64_t>(slack)) {
    return Order::kAbove;
  }
  return a == b && slack == 0 ? Order::kSame : Order::kUnknown;
}

/// Numbers that went through text, floats or decimals: close is unknown.
Order order(double a, double b) {
  constexpr double kRelative = 1e-6;  // More than a float's rounding (6e-8).
  constexpr double kLeastFloat = 1e-44;
  const double slack = kRelative * std::max(std::abs(a), std::abs(b)) + kLeastFloat;
  if (a < b - slack) return Order::kBelow;
  if (a > b + slack) return Order::kAbove;
  return Order::kUnknown;
}

double real(const Point& point) {
  const auto* integer = std::get_if<std::int64_t>(&point.value);
  return integer ? static_cast<double>(*integer) : std::get<double>(point.value);
}

Order order(const Point& a, const Point& b) {
  const auto* text_a = std::get_if<std::string>(&a.value);
  const auto* text_b = std::get_if<std::string>(&b.value);
  if (text_a && text_b) {
    const int compared = text_a->compare(*text_b);
    return compared < 0 ? Order::kBelow : compared > 0 ? Order::kAbove : Order::kSame;
  }
  if (text_a || text_b) return Order::kUnknown;
  const auto* a_int = std::get_if<std::int64_t>(&a.value);
  const auto* b_int = std::get_if<std::int64_t>(&b.value);
  if (a_int && b_int) return order(*a_int, *b_int, a.slack + b.slack);
  return order(real(a), real(b));
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<Point> finite(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return Point{*value};
}

bool is_integer(TypeKind kind) {
  return kind == TypeKind::kByte || kind == TypeKind::kShort || kind == TypeKind::kInteger ||
         kind == TypeKind::kLong;
}
bool is_real(TypeKind kind) {
  return kind == TypeKind::kFloat || kind == TypeKind::kDouble || kind == TypeKind::kDecimal;
}
bool is_time(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz;
}

/// "2024-06-15", "2024-06-15 12:30:45.000000", "2024-06-15T12:30:45.000Z" in microseconds.
std::optional<std::int64_t> parse_stored_time(std::string text) {
  if (text.size() == 10) text += "T00:00:00";
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  const std::size_t zone = text.find_first_of("Zz+-", std::min<std::size_t>(text.size(), 11));
  if (zone == std::string::npos) text += 'Z';
  const auto time = parse_time(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

/// A value as the log spells it in partition values.
std::optional<Point> stored_point(TypeKind kind, const std::string& text) {
  if (is_integer(kind)) {
    const auto value = parse<std::int64_t>(text);
    return value ? std::optional<Point>(Point{*value}) : std::nullopt;
  }
  if (is_real(kind)) return finite(parse<double>(text));
  if (kind == TypeKind::kString) return Point{text};
  if (kind == TypeKind::kBoolean && (text == "true" || text == "false")) {
    return Point{static_cast<std::int64_t>(text == "true")};
  }
  if (!is_time(kind)) return std::nullopt;
  const auto time = parse_stored_time(text);
  return time ? std::optional<Point>(Point{*time}) : std::nullopt;
}

/// A bound as statistics spell it; times that are cut to milliseconds lie up to `cut` above it.
std::optional<Point> stats_point(TypeKind kind, dom::element value, std::int64_t cut) {
  if (value.is_bool() && kind == TypeKind::kBoolean) {
    return Point{static_cast<std::int64_t>(value.get_bool().value())};
  }
  if (value.is_int64() && is_integer(kind)) return Point{value.get_int64().value()};
  if (value.is_number() && is_real(kind)) return finite(value.get_double().value());
  if (!value.is_string()) return std::nullopt;
  const std::string text(value.get_string().value());
  if (kind == TypeKind::kString) return Point{text};
  if (!is_time(kind)) return std::nullopt;
  auto point = stored_point(kind, text);
  if (point && kind != TypeKind::kDate) point->slack = cut;
  return point;
}

bool is_integer_type(std::string_view type) {
  return type == "TINYINT" || type == "SMALLINT" || type == "INTEGER" || type == "BIGINT";
}

std::optional<Point> number_constant(TypeKind kind, const Constant& constant) {
  const bool text = constant.type == "VARCHAR";
  if (is_integer(kind) && (is_integer_type(constant.type) || (text && constant.literal))) {
    const auto value = parse<std::int64_t>(*constant.text);
    return value ? std::optional<Point>(Point{*value}) : std::nullopt;
  }
  const bool number = is_integer_type(constant.type) || constant.type == "HUGEINT" ||
                      constant.type == "DOUBLE" || constant.type == "FLOAT" ||
                      constant.type.starts_with("DECIMAL");
  return number ? finite(parse<double>(*constant.text)) : std::nullopt;
}

std::optional<Point> time_constant(TypeKind kind, const Constant& constant) {
  const bool text = constant.type == "VARCHAR" && constant.literal;
  const bool zoned = constant.type == "TIMESTAMP WITH TIME ZONE";
  if (!text && !zoned && constant.type != "TIMESTAMP" && constant.type != "DATE") {
    return std::nullopt;
  }
  std::optional<std::int64_t> time = constant.naive_time;
  if (zoned || kind == TypeKind::kTimestamp) {
    time = constant.zoned_time;
  } else if (text && kind == TypeKind::kDate) {
    time = constant.day_time;
  }
  if (!time) return std::nullopt;
  std::int64_t slack = constant.moving ? kMoving : 0;
  if (zoned && kind != TypeKind::kTimestamp) slack += kZones;
  return Point{*time, slack};
}

/// The constant on the axis of a column of this type; nullopt if they do not compare surely.
std::optional<Point> constant_point(TypeKind kind, const Constant& constant) {
  if (!constant.text) return std::nullopt;
  if (is_integer(kind) || is_real(kind)) return number_constant(kind, constant);
  if (is_time(kind)) return time_constant(kind, constant);
  if (kind == TypeKind::kString && constant.type == "VARCHAR") return Point{*constant.text};
  if (kind == TypeKind::kBoolean && constant.type == "BOOLEAN") {
    return Point{static_cast<std::int64_t>(*constant.text == "true")};
  }
  return std::nullopt;
}

/// What a file says of one column.
struct Bounds {
  TypeKind kind = TypeKind::kString;
  std::optional<Point> least;
  std::optional<Point> most;
  bool all_null = false;
  bool no_null = false;
  bool one_value = false;  // A partition value: least and most are the value itself.
};

bool beyond(const std::optional<Point>& bound, const Point& point, Order wanted) {
  return bound && order(point, *bound) == wanted;
}

/// Can a value within the bounds be the point?
bool may_equal(const Bounds& bounds, const Point& point) {
  return !beyond(bounds.least, point, Order::kBelow) && !beyond(bounds.most, point, Order::kAbove);
}

/// Can a value within the bounds be above the point? (Or the same, if `or_same`.)
bool may_be_above(const Bounds& bounds, const Point& point, bool or_same) {
  const bool counts_nan = bounds.kind == TypeKind::kFloat || bounds.kind == TypeKind::kDouble;
  if (!bounds.most || (counts_nan && !bounds.one_value)) return true;
  const Order place = order(point, *bounds.most);
  return place != Order::kAbove && (or_same || place != Order::kSame);
}

bool may_be_below(const Bounds& bounds, const Point& point, bool or_same) {
  if (!bounds.least) return true;
  const Order place = order(point, *bounds.least);
  return place != Order::kBelow && (or_same || place != Order::kSame);
}

bool may_compare(const Bounds& bounds, Test test, const Point& point) {
  switch (test) {
    case Test::kEqual:
      return may_equal(bounds, point);
    case Test::kNotEqual:
      return !bounds.one_value || !bounds.least || order(point, *bounds.least) != Order::kSame;
    case Test::kLess:
      return may_be_below(bounds, point, false);
    case Test::kLessEqual:
      return may_be_below(bounds, point, true);
    case Test::kGreater:
      return may_be_above(bounds, point, false);
    case Test::kGreaterEqual:
      return may_be_above(bounds, point, true);
    default:
      return true;
  }
}

}  // namespace

struct Pruner::Parser {
  dom::parser json;
};

/// One file's partition values and statistics, the latter parsed when first asked for.
class Pruner::File {
 public:
  File(const Snapshot& snapshot, const TableFile& file, dom::parser& parser)
      : snapshot_(snapshot), file_(file), parser_(parser) {}

  /// nullopt if the table has no such column.
  std::optional<Bounds> bounds(const std::vector<std::string>& column) {
    std::vector<std::string> path;  // As data files and statistics spell it.
    std::string named;              // The column, as the table spells it.
    const Field* field = nullptr;
    for (const std::string& name : column) {
      if (field && field->type.kind != TypeKind::kStruct) return std::nullopt;
      field = find(field ? field->type.fields : snapshot_.schema.fields, name);
      if (!field) return std::nullopt;
      if (path.empty()) named = field->name;
      path.push_back(physical_name(*field, snapshot_.column_mapping));
    }
    const auto partition = file_.partition.find(named);
    if (path.size() == 1 && partition != file_.partition.end()) {
      return of_partition(field->type.kind, partition->second);
    }
    return of_stats(field->type.kind, path);
  }

 private:
  static const Field* find(const std::vector<Field>& fields, std::string_view name) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const auto at = std::ranges::find_if(fields, [&](const Field& field) {
      return std::ranges::equal(field.name, name, {}, lower, lower);
    });
    return at == fields.end() ? nullptr : &*at;
  }

  static Bounds of_partition(TypeKind kind, const std::optional<std::string>& value) {
    Bounds bounds{
        .kind = kind, .all_null = !value, .no_null = value.has_value(), .one_value = true};
    if (value) bounds.least = bounds.most = stored_point(kind, *value);
    return bounds;
  }

  Bounds of_stats(TypeKind kind, const std::vector<std::string>& path) {
    Bounds bounds{.kind = kind};
    if (!parse_stats()) return bounds;
    if (const auto least = at("minValues", path)) bounds.least = stats_point(kind, *least, 0);
    if (const auto most = at("maxValues", path)) bounds.most = stats_point(kind, *most, kCutTimes);
    const auto nulls = at("nullCount", path);
    std::uint64_t count = 0;
    // The count of a struct's member leaves out, or counts, rows where the struct is null: only a
    // column's own count is sure.
    if (path.size() == 1 && nulls && nulls->get(count) == simdjson::SUCCESS) {
      bounds.no_null = count == 0;
      bounds.all_null = file_.rows && *file_.rows > 0 && count == *file_.rows;
    }
    return bounds;
  }

  std::optional<dom::element> at(std::string_view group, const std::vector<std::string>& path) {
    dom::element node;
    if (stats_[group].get(node) != simdjson::SUCCESS) return std::nullopt;
    for (const std::string& name : path) {
      if (node[name].get(node) != simdjson::SUCCESS) return std::nullopt;
    }
    return node.is_null() ? std::nullopt : std::optional<dom::element>(node);
  }

  bool parse_stats() {
    if (!parsed_) {
      parsed_ = true;
      readable_ = !file_.stats.empty() &&
                  parser_.parse(file_.stats).get(stats_) == simdjson::SUCCESS && stats_.is_object();
    }
    return readable_;
  }

  const Snapshot& snapshot_;
  const TableFile& file_;
  dom::parser& parser_;
  dom::element stats_;
  bool parsed_ = false;
  bool readable_ = false;
};

Pruner::Pruner(const Snapshot& snapshot, const std::vector<Constant>& constants, bool text_by_bytes)
    : parser_(std::make_unique<Parser>()),
      snapshot_(snapshot),
      constants_(constants),
      text_by_bytes_(text_by_bytes) {
  clock_names_taken_ = std::ranges::any_of(snapshot.schema.fields, [](const Field& field) {
    return field.name.size() >= 12 &&
           (field.name.starts_with("current_") || field.name.starts_with("CURRENT_") ||
            field.name.starts_with("local"));
  });
}

Pruner::~Pruner() = default;

bool Pruner::may_match(const Predicate& predicate, const TableFile& file) {
  if (predicate.kind == Predicate::Kind::kAnything) return true;
  File facts(snapshot_, file, parser_->json);
  return may_match(predicate, facts);
}

bool Pruner::may_match(const Predicate& predicate, File& file) const {
  const auto may = [&](const Predicate& part) { return may_match(part, file); };
  switch (predicate.kind) {
    case Predicate::Kind::kAnything:
      return true;
    case Predicate::Kind::kAll:
      return std::ranges::all_of(predicate.parts, may);
    case Predicate::Kind::kAny:
      return std::ranges::any_of(predicate.parts, may);
    case Predicate::Kind::kTest:
      break;
  }
  return may_pass(predicate, file);
}

bool Pruner::may_pass(const Predicate& test, File& file) const {
  const auto bounds = file.bounds(test.column);
  if (!bounds) return true;
  if (test.test == Test::kIsNull) return !bounds->no_null;
  if (bounds->all_null) return false;  // No comparison with null is true.
  if (test.test == Test::kIsNotNull) return true;
  if (bounds->kind == TypeKind::kString && !text_by_bytes_) return true;
  std::vector<std::optional<Point>> points;
  for (const std::size_t index : test.constants) {
    const Constant& constant = constants_[index];
    if (constant.moving && clock_names_taken_) return true;
    points.push_back(constant_point(bounds->kind, constant));
  }
  const auto may_be = [&](const std::optional<Point>& point) {
    return !point || may_equal(*bounds, *point);
  };
  if (test.test == Test::kIn) return std::ranges::any_of(points, may_be);
  if (test.test != Test::kBetween) return !points[0] || may_compare(*bounds, test.test, *points[0]);
  if (points[0] && !may_be_above(*bounds, *points[0], true)) return false;
  // NaN, above the upper end too, passes nothing here, so a maximum that ignores it counts.
  if (points[0] && points[1] && beyond(bounds->most, *points[0], Order::kAbove)) return false;
  return !points[1] || may_compare(*bounds, Test::kLessEqual, *points[1]);
}

}  // namespace headrace
