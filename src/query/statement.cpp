#include "query/statement.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "query/sql_effects.h"
#include "query/sql_text.h"

namespace headrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostConstants = 2'000;

std::string_view text_of(dom::element node, std::string_view field) {
  std::string_view text;
  if (node[field].get(text) != simdjson::SUCCESS) return "";
  return text;
}

dom::array array_of(dom::element node, std::string_view field) {
  static dom::parser parser;
  static const dom::array empty = parser.parse(std::string_view("[]")).get_array().value();
  dom::array array;
  return node[field].get(array) == simdjson::SUCCESS ? array : empty;
}

std::optional<dom::element> member(dom::element node, std::string_view field) {
  dom::element found;
  if (node[field].get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
  return found;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Functions whose value depends on nothing but their arguments and, for those of `kMoving`, on when
// the statement runs.
constexpr std::array kSteady = {
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "||",
    "to_years",
    "to_months",
    "to_weeks",
    "to_days",
    "to_hours",
    "to_minutes",
    "to_seconds",
    "to_milliseconds",
    "to_microseconds",
    "trunc",
    "date_trunc",
    "make_date",
    "make_timestamp",
    "lower",
    "upper",
    "abs",
    "round",
    "floor",
    "ceil",
    "date_add",
};
constexpr std::array kMoving = {
    "now",
    "today",
    "current_date",
    "current_timestamp",
    "get_current_timestamp",
    "current_localtimestamp",
    "localtimestamp",
    "transaction_timestamp",
};

template <std::size_t N>
bool among(const std::array<const char*, N>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const char* n) { return equal_ignoring_case(n, name); });
}

/// Is this expression the same for all rows? `moving` is set if it depends on the time.
bool is_constant(dom::element node, bool& moving) {
  const std::string_view kind = text_of(node, "class");
  if (kind == "CONSTANT") return true;
  if (kind == "CAST") {
    const auto child = member(node, "child");
    return child && is_constant(*child, moving);
  }
  if (kind == "COLUMN_REF") {  // current_date comes without parentheses.
    const dom::array names = array_of(node, "column_names");
    std::string_view name;
    if (names.size() != 1 || names.at(0).get(name) != simdjson::SUCCESS) return false;
    moving = true;
    return among(kMoving, name);
  }
  if (kind != "FUNCTION" || !text_of(node, "schema").empty()) return false;
  const std::string_view name = text_of(node, "function_name");
  const bool moves = among(kMoving, name);
  moving = moving || moves;
  if (!moves && !among(kSteady, name)) return false;
  for (const dom::element child : array_of(node, "children")) {
    if (!is_constant(child, moving)) return false;
  }
  return true;
}

/// A table in FROM with the names by which its columns are called there.
struct TableInFrom {
  dom::element node;
  std::string alias;
  bool alone = false;  // No other table is in this FROM, so bare column names are its own.
};

std::optional<Test> test_of(std::string_view type) {
  constexpr std::pair<std::string_view, Test> kTests[] = {
      {"COMPARE_EQUAL", Test::kEqual},
      {"COMPARE_NOTEQUAL", Test::kNotEqual},
      {"COMPARE_LESSTHAN", Test::kLess},
      {"COMPARE_LESSTHANOREQUALTO", Test::kLessEqual},
      {"COMPARE_GREATERTHAN", Test::kGreater},
      {"COMPARE_GREATERTHANOREQUALTO", Test::kGreaterEqual},
  };
  for (const auto& [name, test] : kTests) {
    if (name == type) return test;
  }
  return std::nullopt;
}

Test turned_round(Test test) {
  switch (test) {
    case Test::kLess:
      return Test::kGreater;
    case Test::kLessEqual:
      return Test::kGreaterEqual;
    case Test::kGreater:
      return Test::kLess;
    case Test::kGreaterEqual:
      return Test::kLessEqual;
    default:
      return test;
  }
}

/// Builds the references of one statement from its syntax tree.
class Reader {
 public:
  void read(dom::element statement) {
    find_tables(statement);
    for (auto& [name, count] : tables_) {
      // A name used anywhere that read_select() did not get to may want any row.
      if (count > 0) references_.push_back({name, Predicate{}});
    }
    if (calls_sql_) {
      for (Reference& reference : references_) reference.predicate = {};
    }
  }

  std::vector<Reference> take_references() { return std::move(references_); }
  const std::vector<std::string>& expressions() const { return expressions_; }
  std::vector<Constant>& constants() { return constants_; }

 private:
  /// Walks the whole tree, whatever it holds.
  void find_tables(dom::element node) {
    if (node.is_array()) {
      for (const dom::element child : node.get_array().value()) find_tables(child);
      return;
    }
    if (!node.is_object()) return;
    const std::string_view type = text_of(node, "type");
    if (type == "BASE_TABLE" && !text_of(node, "table_name").empty()) note_table(node);
    if (type == "TABLE_FUNCTION") note_function(node);
    if (type == "SELECT_NODE") read_select(node);
    for (const auto& field : node.get_object().value()) find_tables(field.value);
  }

  void note_table(dom::element node) {
    if (!text_of(node, "schema_name").empty()) return;
    ++tables_[std::string(text_of(node, "table_name"))];
  }

  void note_function(dom::element node) {
    const auto function = member(node, "function");
    const std::string_view name = function ? text_of(*function, "function_name") : "";
    calls_sql_ = calls_sql_ || equal_ignoring_case(name, "query") ||
                 equal_ignoring_case(name, "query_table");
  }

  void read_select(dom::element select) {
    const auto from = member(select, "from_table");
    const auto where = member(select, "where_clause");
    if (!from || !where || member(select, "sample")) return;
    std::vector<TableInFrom> tables;
    collect(*from, tables);
    for (TableInFrom& table : tables) {
      table.alone = text_of(*from, "type") == "BASE_TABLE";
      Predicate predicate = read_predicate(*where, table);
      if (predicate.kind == Predicate::Kind::kAnything) continue;
      const std::string name(text_of(table.node, "table_name"));
      --tables_[name];
      references_.push_back({name, std::move(predicate)});
    }
  }

  /// Tables whose rows WHERE may be applied to before they are joined.
  void collect(dom::element from, std::vector<TableInFrom>& tables) {
    const std::string_view type = text_of(from, "type");
    if (type == "BASE_TABLE") {
      if (!text_of(from, "schema_name").empty() || member(from, "sample") ||
          array_of(from, "column_name_alias").size() > 0) {
        return;
      }
      const std::string_view alias = text_of(from, "alias");
      tables.push_back({from, std::string(alias.empty() ? text_of(from, "table_name") : alias)});
      return;
    }
    if (type != "JOIN" || member(from, "sample")) return;
    const std::string_view form = text_of(from, "ref_type");
    const std::string_view join = text_of(from, "join_type");
    if (form != "" && form != "REGULAR" && form != "CROSS") return;
    const auto left = member(from, "left");
    const auto right = member(from, "right");
    const bool inner = join == "" || join == "INNER";
    if (left && (inner || join == "LEFT" || join == "SEMI" || join == "ANTI")) {
      collect(*left, tables);
    }
    if (right && (inner || join == "RIGHT")) collect(*right, tables);
  }

  Predicate read_predicate(dom::element node, const TableInFrom& table) {
    const std::string_view type = text_of(node, "type");
    if (type == "CONJUNCTION_AND" || type == "CONJUNCTION_OR") {
      return read_conjunction(node, table, type == "CONJUNCTION_AND");
    }
    if (const auto test = test_of(type)) return read_comparison(node, table, *test);
    if (type == "COMPARE_BETWEEN") return read_between(node, table);
    if (type == "COMPARE_IN") return read_in(node, table);
    if (type == "OPERATOR_IS_NULL" || type == "OPERATOR_IS_NOT_NULL") {
      const dom::array children = array_of(node, "children");
      if (children.size() != 1) return {};
      const Test test = type == "OPERATOR_IS_NULL" ? Test::kIsNull : Test::kIsNotNull;
      return make_test(children.at(0).value(), table, test, {});
    }
    return {};
  }

  Predicate read_conjunction(dom::element node, const TableInFrom& table, bool all) {
    Predicate out{.kind = all ? Predicate::Kind::kAll : Predicate::Kind::kAny};
    for (const dom::element child : array_of(node, "children")) {
      Predicate part = read_predicate(child, table);
      const bool anything = part.kind == Predicate::Kind::kAnything;
      if (anything && !all) return {};
      if (!anything) out.parts.push_back(std::move(part));
    }
    return out.parts.empty() ? Predicate{} : out;
  }

  Predicate read_comparison(dom::element node, const TableInFrom& table, Test test) {
    const auto left = member(node, "left");
    const auto right = member(node, "right");
    if (!left || !right) return {};
    Predicate out = make_test(*left, table, test, {*right});
    if (out.kind == Predicate::Kind::kAnything) {
      out = make_test(*right, table, turned_round(test), {*left});
    }
    return out;
  }

  Predicate read_between(dom::element node, const TableInFrom& table) {
    const auto input = member(node, "input");
    const auto lower = member(node, "lower");
    const auto upper = member(node, "upper");
    if (!input || !lower || !upper) return {};
    return make_test(*input, table, Test::kBetween, {*lower, *upper});
  }

  Predicate read_in(dom::element node, const TableInFrom& table) {
    std::vector<dom::element> values;
    for (const dom::element child : array_of(node, "children")) values.push_back(child);
    if (values.size() < 2) return {};
    const dom::element column = values.front();
    values.erase(values.begin());
    return make_test(column, table, Test::kIn, values);
  }

  Predicate make_test(dom::element column, const TableInFrom& table, Test test,
                      const std::vector<dom::element>& values) {
    Predicate out{.kind = Predicate::Kind::kTest, .column = column_of(column, table), .test = test};
    if (out.column.empty() || constants_.size() + values.size() > kMostConstants) return {};
    std::vector<Constant> found;
    for (const dom::element value : values) {
      Constant constant{.literal = text_of(value, "class") == "CONSTANT"};
      if (!is_constant(value, constant.moving)) return {};
      found.push_back(std::move(constant));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      out.constants.push_back(constants_.size());
      constants_.push_back(std::move(found[i]));
      expressions_.push_back(simdjson::minify(values[i]));
    }
    return out;
  }

  /// The column's path inside the table; empty if it is not surely this table's.
  static std::vector<std::string> column_of(dom::element node, const TableInFrom& table) {
    if (text_of(node, "class") != "COLUMN_REF") return {};
    std::vector<std::string> names;
    for (const dom::element part : array_of(node, "column_names")) {
      std::string_view name;
      if (part.get(name) != simdjson::SUCCESS) return {};
      names.emplace_back(name);
    }
    if (names.size() > 1 && equal_ignoring_case(names.front(), table.alias)) {
      names.erase(names.begin());
      return names;
    }
    return table.alone && names.size() == 1 ? names : std::vector<std::string>{};
  }

  std::map<std::string, int> tables_;  // Name -> uses that no reference stands for yet.
  std::vector<Reference> references_;
  std::vector<std::string> expressions_;
  std::vector<Constant> constants_;
  bool calls_sql_ = false;
};

std::optional<std::int64_t> integer(const Cell& cell) {
  std::int64_t value = 0;
  const char* end = cell.text.data() + cell.text.size();
  if (cell.kind == CellKind::kNull || std::from_chars(cell.text.data(), end, value).ptr != end) {
    return std::nullopt;
  }
  return value;
}

/// Lets the engine turn the expressions into values, all at once.
void evaluate(Engine& engine, const std::vector<std::string>& expressions,
              std::vector<Constant>& constants) {
  std::string list;
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    list += (i > 0 ? "," : "") + expressions[i];
    names += fmt::format("{}c{}", i > 0 ? ", " : "", i);
    values += fmt::format(
        "{0}typeof(c{1}), c{1}::VARCHAR, epoch_us(TRY_CAST(c{1}::VARCHAR AS TIMESTAMP)), "
        "epoch_us(TRY_CAST(c{1}::VARCHAR AS TIMESTAMPTZ)), "
        "epoch_us(TRY_CAST(c{1}::VARCHAR AS DATE)::TIMESTAMP)",
        i > 0 ? ", " : "", i);
  }
  const std::string tree = fmt::format(
      R"({{"error":false,"statements":[{{"node":{{"type":"SELECT_NODE","cte_map":{{"map":[]}},)"
      R"("select_list":[{}],)"
      R"("from_table":{{"type":"EMPTY"}},"aggregate_handling":"STANDARD_HANDLING"}}}}]}})",
      list);
  const auto text = engine.rows("SELECT json_deserialize_sql($1::JSON)", {tree});
  const auto row = engine.rows(
      fmt::format("SELECT {} FROM ({}) AS constants({})", values, text.at(0).at(0).text, names));
  for (std::size_t i = 0; i < constants.size(); ++i) {
    const Cell* cell = &row.at(0).at(i * 5);
    constants[i].type = cell[0].text;
    if (cell[1].kind != CellKind::kNull) constants[i].text = cell[1].text;
    constants[i].naive_time = integer(cell[2]);
    constants[i].zoned_time = integer(cell[3]);
    constants[i].day_time = integer(cell[4]);
  }
}

/// The SELECT inside of an EXPLAIN, a COPY (...) TO or a CREATE TABLE ... AS; else the whole.
std::string_view select_in(std::string_view whole) {
  const std::string_view sql = without_wrapping(whole);
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  if (tokens.size() < 3) return sql;
  if (tokens[0].is("copy") && tokens[1].is("(")) {
    int depth = 0;
    for (const SqlToken& token : tokens) {
      if (token.is("(")) ++depth;
      if (token.is(")") && --depth == 0) {
        return sql.substr(tokens[1].end(), token.offset - tokens[1].end());
      }
    }
  }
  if (tokens[0].is("create")) {
    const auto as = std::ranges::find_if(tokens, [](const SqlToken& t) { return t.is("as"); });
    if (as != tokens.end() && std::next(as) != tokens.end()) return sql.substr(as[1].offset);
  }
  return sql;
}

/// Names without predicates, for statements whose syntax tree cannot be had.
std::vector<Reference> names_only(Engine& engine, const std::string& sql) {
  std::vector<Reference> references;
  for (std::string& name : engine.table_names(sql)) references.push_back({std::move(name), {}});
  return references;
}

/// The syntax tree does not tell a CTE from a table; where the engine can, names it does not call
/// tables are left out.
void drop_cte_names(Engine& engine, const std::string& sql, std::vector<Reference>& references) {
  const std::vector<std::string> tables = engine.table_names(sql);
  if (tables.empty()) return;
  std::erase_if(references, [&](const Reference& reference) {
    return std::ranges::none_of(
        tables, [&](const std::string& name) { return equal_ignoring_case(name, reference.name); });
  });
}

}  // namespace

Statement analyse(Engine& engine, std::string_view sql) {
  Statement statement;
  const std::string select(select_in(sql));
  const auto tree = engine.rows(
      "SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default "
      ":= true)",
      {select});
  dom::parser parser;
  dom::element root;
  bool failed = true;
  if (parser.parse(tree.at(0).at(0).text).get(root) != simdjson::SUCCESS ||
      root["error"].get(failed) != simdjson::SUCCESS || failed) {
    statement.references = names_only(engine, std::string(sql));
    return statement;
  }
  Reader reader;
  reader.read(root);
  statement.references = reader.take_references();
  drop_cte_names(engine, std::string(sql), statement.references);
  statement.constants = std::move(reader.constants());
  try {
    if (!statement.constants.empty()) evaluate(engine, reader.expressions(), statement.constants);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    // A constant that has no value (1/'x') fails again, with its caret, when the statement is run.
    for (Reference& reference : statement.references) reference.predicate = {};
  }
  return statement;
}

bool hides_references(std::string_view sql) {
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  if (tokens.empty()) return false;
  if (tokens[0].is("prepare")) return true;
  if (!tokens[0].is("create")) return false;
  for (const SqlToken& token : tokens) {
    if (token.is("view") || token.is("macro") || token.is("function")) return true;
    if (token.is("table") || token.is("as")) return false;
  }
  return false;
}

}  // namespace headrace
