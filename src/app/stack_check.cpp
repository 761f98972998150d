#include "app/stack_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "app/match.h"
#include "route/pattern.h"
#include "store/stores.h"

namespace headrace {
namespace {

using stack::Diagnostics;
using stack::Where;

/// Where a route's steps put objects, as far as the stack file tells.
struct Target {
  std::string store;
  std::string bucket;
  std::string prefix;  ///< The part of the key before the first field.
};

class Checker {
 public:
  Checker(const StackFile& stack, Diagnostics& diagnostics)
      : stack_(stack), diagnostics_(diagnostics) {}

  void run() {
    for (const auto& [name, source] : stack_.sources) check_source(name, source);
    for (const auto& [name, dataset] : stack_.datasets) {
      check_name(stack_.stores, "store", dataset->store, dataset.where);
    }
    for (const auto& [name, table] : stack_.tables) check_table(name, table);
    check_places();
    for (const auto& [name, route] : stack_.routes) check_route(name, route);
    check_setup();
    for (const auto& test : stack_.tests) check_test(test);
    if (!diagnostics_.ok()) return;
    check_followers();
    warn_of_cycles();
    warn_of_two_ways();
  }

 private:
  template <class Map>
  bool check_name(const Map& known, std::string_view what, const std::string& name, Where where) {
    if (known.contains(name)) return true;
    std::vector<std::string> names;
    for (const auto& entry : known) names.push_back(entry.first);
    diagnostics_.error(
        where, fmt::format("no {} is named `{}`{}", what, name, stack::did_you_mean(name, names)));
    return false;
  }

  void check_source(const std::string& name, const stack::Positioned<SourceStanza>& source) {
    const std::string& store = common(*source).store;
    const bool known = check_name(stack_.stores, "store", store, source.where);
    if (known && std::holds_alternative<WatchStanza>(*source) &&
        !std::holds_alternative<FileStoreStanza>(*stack_.stores.at(store))) {
      diagnostics_.error(source.where,
                         fmt::format("`watch` needs a store of kind file, and `{}` is another: "
                                     "take listing, webhook, sqs or kafka",
                                     store));
    }
    const auto* webhook = std::get_if<WebhookStanza>(&*source);
    if (webhook == nullptr) return;
    const auto [other, first] = doors_.try_emplace({webhook->listen, webhook->path}, name);
    if (first) return;
    diagnostics_.error(source.where,
                       fmt::format("the source `{}` has the same path and address", other->second));
  }

  void check_table(const std::string& name, const stack::Positioned<TableConfig>& table) {
    check_name(stack_.stores, "store", table->store, table.where);
    try {
      const KeyTemplate in_name = KeyTemplate::parse(name);
      const KeyTemplate in_location = KeyTemplate::parse(table->location);
      const std::set<std::string> named(in_name.fields().begin(), in_name.fields().end());
      const std::set<std::string> located(in_location.fields().begin(), in_location.fields().end());
      if (named != located) {
        diagnostics_.error(table.where,
                           fmt::format("the table's name and its location must have the same "
                                       "fields; the name has [{}], the location [{}]",
                                       fmt::join(named, ", "), fmt::join(located, ", ")));
      }
    } catch (const Error& error) {
      diagnostics_.error(table.where, error.what());
    }
    try {
      family_members(*table);
    } catch (const Error& error) {
      diagnostics_.error(table.where, error.what());
    }
    const std::size_t slash = table->location.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == table->location.size() ||
        table->location.find('{') < slash) {
      diagnostics_.error(table.where,
                         fmt::format("location `{}`: expected bucket/prefix", table->location));
    }
    for (const auto& [source_name, source] : stack_.sources) {
      const SourceFields& from = common(*source);
      if (from.bucket.empty()) continue;  // Whoever sends the events decides.
      if (from.store == table->store && overlap(from.bucket + "/" + from.prefix, table->location)) {
        diagnostics_.warning(table.where,
                             fmt::format("the table lies where the source `{}` looks: its files "
                                         "would become events",
                                         source_name));
      }
    }
  }

  void check_route(const std::string& name, const stack::Positioned<RouteConfig>& route) {
    if (name.contains('/')) {
      diagnostics_.error(route.where, fmt::format("the route's name `{}` has a `/`, which parts "
                                                  "names in what the ledger keeps",
                                                  name));
    }
    const bool known = check_sources(route->from);
    try {
      Pattern::parse(match_of(stack_.folder, route->match).pattern);
    } catch (const Error& error) {
      diagnostics_.error(route->match.where, error.what());
    }
    if (route->steps.empty()) diagnostics_.error(route.where, "a route needs at least one step");
    for (std::size_t i = 0; i < route->steps.size(); ++i) {
      const auto& step = route->steps[i];
      if (is_sink(step.value) && i + 1 < route->steps.size()) {
        diagnostics_.error(step.where,
                           "a table or repartition gathers many tasks and must be the last step");
      }
      check_rows(step.value);
      const auto target = target_of(step.value);
      if (target && !target->store.empty()) {
        check_name(stack_.stores, "store", target->store, step.where);
      }
      const std::string table = table_of(step.value);
      if (table.empty()) continue;
      if (check_name(stack_.tables, "table", table, step.where) && known) {
        check_fields(table, step.where, *route);
      }
      const auto* follows = std::get_if<TableStepConfig>(&step.value);
      if (follows != nullptr && follows->object_column() && known) {
        check_following(*follows, step.where, *route);
      }
    }
  }

  bool check_sources(const stack::OneOrMore<stack::Positioned<std::string>>& from) {
    bool known = true;
    std::set<std::string> names;
    for (const auto& source : from) {
      known = check_name(stack_.sources, "source", *source, source.where) && known;
      if (names.insert(*source).second) continue;
      diagnostics_.error(source.where, fmt::format("the source `{}` is named twice", *source));
    }
    return known;
  }

  /// A table that follows its objects has to hear of every change of theirs.
  void check_following(const TableStepConfig& table, Where where, const RouteConfig& route) {
    if (rows_name_table(table.into, sources_of(stack_, route).front())) {
      diagnostics_.error(where,
                         "a family whose tables are named by its rows can't tell where these come "
                         "from: let the source's `key` give the fields of the table's name");
    }
    if (!table.any()) return;
    const MatchWords words = words_of(route.match.text);
    if (words.size) {
      diagnostics_.error(route.match.where,
                         "`size` would hide an object that became smaller, or is gone, from the "
                         "table that follows it: leave it out; empty objects bring no rows anyway");
    }
    if (table.on_delete != OnDelete::kRemove) return;
    if (!words.deletions) {
      diagnostics_.error(route.match.where,
                         "`on_delete: remove` needs the events of deletions: let the type, or the "
                         "pattern's detail-type, hold \"Object Deleted\" too");
    }
    if (route.steps.size() > 1) {
      diagnostics_.error(where,
                         "`on_delete: remove` must be in a route of its own: the steps before it "
                         "find no object to work on when one was deleted");
    }
  }

  /// A route whose table's rows say which object they are of.
  struct NamedLoad {
    std::string name;
    const RouteConfig* route = nullptr;
    const TableStepConfig* table = nullptr;
    AskedNames asked;
    std::vector<SourceFields> sources;
  };

  /// Two routes that bring an object's rows into one table, and one takes them away: those of the
  /// other too, and what both read they read at different times.
  void check_followers() {
    std::map<std::string, std::vector<NamedLoad>> by_table;
    for (const auto& [name, route] : stack_.routes) {
      const auto* table = std::get_if<TableStepConfig>(&route->steps.back().value);
      if (table == nullptr || !table->object_column()) continue;
      NamedLoad load{.name = name,
                     .route = &*route,
                     .table = table,
                     .asked = AskedNames(match_of(stack_.folder, route->match).pattern),
                     .sources = sources_of(stack_, *route)};
      std::vector<NamedLoad>& others = by_table[table->into];
      for (const NamedLoad& other : others) check_followers(other, load);
      others.push_back(std::move(load));
    }
  }

  void check_followers(const NamedLoad& one, const NamedLoad& other) {
    if (!(one.table->any() || other.table->any()) || !share_a_place(one.sources, other.sources) ||
        !one.asked.may_share_objects(other.asked)) {
      return;
    }
    diagnostics_.error(
        other.route->steps.back().where,
        fmt::format("the routes `{}` and `{}` load the table `{}` from objects that may be the "
                    "same, and `{}` removes an object's rows, those that the other brought too: "
                    "let one route load them, give each route its own table, or let `match` tell "
                    "their objects apart by `key`, `key_fields` or `bucket`",
                    one.name, other.name, one.table->into,
                    other.table->any() ? other.name : one.name));
  }

  /// What is no field of the keys is taken from the rows; a slip of the pen would be too.
  void check_fields(const std::string& table, Where where, const RouteConfig& route) {
    const std::vector<SourceFields> sources = sources_of(stack_, route);
    for (const SourceFields& from : sources) {
      check_fields(table, where, from);
      if (rows_name_table(table, from) == rows_name_table(table, sources.front())) continue;
      diagnostics_.error(where,
                         "the keys of one source give the fields of the table's name, those of "
                         "another do not: give both a `key` with these fields, or neither");
    }
  }

  void check_fields(const std::string& table, Where where, const SourceFields& from) {
    if (!from.key) return;
    try {
      for (const std::string& field : KeyTemplate::parse(table).fields()) {
        if (std::ranges::find(from.key->fields(), field) != from.key->fields().end()) continue;
        const std::string near = stack::did_you_mean(field, from.key->fields());
        if (near.empty()) continue;
        diagnostics_.warning(where, fmt::format("`{}` in the table's name is taken from the rows, "
                                                "since the source's keys have no such field{}",
                                                field, near));
      }
    } catch (const Error&) {
      return;  // The table itself has been complained about.
    }
  }

  void check_rows(const StepStanza& step) {
    const auto rows = rows_of(step);
    try {
      rows_wanted(rows);
    } catch (const Error& error) {
      diagnostics_.error(rows->where, error.what());
    }
  }

  void check_setup() {
    for (const auto& [name, source] : stack_.setup.sources) {
      check_name(stack_.sources, "source", name, source.where);
    }
    const auto check_s3 = [&](const std::string& store) {
      if (!check_name(stack_.stores, "store", store, {})) return;
      if (std::holds_alternative<S3StoreStanza>(*stack_.stores.at(store))) return;
      diagnostics_.error({}, fmt::format("setup: the store `{}` is not of kind s3", store));
    };
    for (const SetupBucketStanza& bucket : stack_.setup.buckets) check_s3(bucket.store);
    if (stack_.setup.state) check_s3(stack_.setup.state->store);
  }

  void check_test(const stack::Positioned<TestConfig>& test) {
    if (!check_name(stack_.routes, "route", test->route, test.where)) return;
    if (!std::filesystem::exists(test->given.object)) {
      diagnostics_.error(test.where, fmt::format("no such file: {}", test->given.object.string()));
    }
    const TestConfig::Expect& expect = test->expect;
    if (expect.table && expect.under) {
      diagnostics_.error(test.where,
                         "rows are counted in `table` or `under` a prefix, not in both");
    }
    if (expect.rows && !expect.table && !expect.under) {
      diagnostics_.error(test.where, "`rows` needs `table` or `under`");
    }
    if (expect.objects && !expect.under) diagnostics_.error(test.where, "`objects` needs `under`");
    try {
      if (expect.under) {
        check_name(stack_.stores, "store", parse_store_url(*expect.under).store, test.where);
      }
    } catch (const Error& error) {
      diagnostics_.error(test.where, error.what());
    }
  }

  /// Two tables in one place would each take the other's files for garbage.
  void check_places() {
    for (auto one = stack_.tables.begin(); one != stack_.tables.end(); ++one) {
      for (auto other = stack_.tables.begin(); other != one; ++other) {
        const TableConfig& a = *one->second;
        const TableConfig& b = *other->second;
        if (a.store != b.store || !(holds(a.location, b.location) || holds(b.location, a.location)))
          continue;
        diagnostics_.error(one->second.where,
                           fmt::format("the tables `{}` and `{}` lie in one place, or one within "
                                       "the other: give each its own location",
                                       one->first, other->first));
      }
    }
  }

  /// May the place `inner` be `outer`, or lie below it? Both may have fields.
  static bool holds(std::string_view outer, std::string_view inner) {
    while (outer.ends_with('/')) outer.remove_suffix(1);
    if (outer == inner.substr(0, inner.find_last_not_of('/') + 1)) return true;
    try {
      const KeyTemplate members = KeyTemplate::parse(std::string(outer));
      // Every folder on the way to `inner`, as far as its name has no fields.
      const std::string_view fixed = inner.substr(0, inner.find('{'));
      for (std::size_t at = fixed.find('/'); at != std::string_view::npos;
           at = fixed.find('/', at + 1)) {
        if (members.match(fixed.substr(0, at))) return true;
      }
      return fixed.size() == inner.size() && members.match(fixed).has_value();
    } catch (const Error&) {
      return false;  // Told of where the table is looked at on its own.
    }
  }

  static bool overlap(std::string_view a, std::string_view b) {
    a = a.substr(0, a.find('{'));
    b = b.substr(0, b.find('{'));
    return a.starts_with(b) || b.starts_with(a);
  }

  std::vector<Target> targets_of(const RouteConfig& route) const {
    std::vector<Target> targets;
    for (const SourceFields& from : sources_of(stack_, route)) {
      for (const auto& step : route.steps) {
        const auto target = target_of(step.value);
        if (!target) continue;
        targets.push_back({target->store.empty() ? from.store : target->store,
                           target->bucket.empty() ? from.bucket : target->bucket,
                           target->to.substr(0, target->to.find('{'))});
      }
    }
    return targets;
  }

  bool feeds(const Target& target, const RouteConfig& route) const {
    return std::ranges::any_of(route.from, [&](const auto& name) {
      const SourceFields& source = common(*stack_.sources.at(*name));
      return source.store == target.store && source.bucket == target.bucket &&
             overlap(source.prefix, target.prefix);
    });
  }

  std::vector<std::string> fed_by(const RouteConfig& route) const {
    std::vector<std::string> fed;
    for (const Target& target : targets_of(route)) {
      for (const auto& [name, other] : stack_.routes) {
        if (feeds(target, *other)) fed.push_back(name);
      }
    }
    return fed;
  }

  void warn_of_cycles() {
    for (const auto& [name, route] : stack_.routes) {
      std::vector<std::string> path{name};
      std::set<std::string> seen;
      std::function<bool(const std::string&)> back = [&](const std::string& at) {
        for (const std::string& next : fed_by(*stack_.routes.at(at))) {
          if (next == name) return true;
          if (next < name || !seen.insert(next).second) continue;
          path.push_back(next);
          if (back(next)) return true;
          path.pop_back();
        }
        return false;
      };
      if (!back(name)) continue;
      path.push_back(name);
      diagnostics_.warning(route.where,
                           fmt::format("routes may feed each other without end: {}; let `match` "
                                       "leave out what they write",
                                       fmt::join(path, " -> ")));
    }
  }

  /// One object that two routes hear of from different sources is loaded by both.
  void warn_of_two_ways() {
    // By table and match: there may be thousands of routes.
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> alike;
    for (const auto& [name, route] : stack_.routes) {
      const std::string table = table_of(route->steps.back().value);
      if (table.empty()) continue;
      std::vector<std::string>& others = alike[{table, route->match.text}];
      for (const std::string& other : others) warn_of_two_ways(other, name, route);
      others.push_back(name);
    }
  }

  void warn_of_two_ways(const std::string& other_name, const std::string& name,
                        const stack::Positioned<RouteConfig>& route) {
    const RouteConfig& other = *stack_.routes.at(other_name);
    if (!hear_of_the_same(*route, other)) return;
    diagnostics_.warning(
        route.where,
        fmt::format("the routes `{}` and `{}` would both load an object of which the sources of "
                    "both tell: one route `from: [{}]` loads it once",
                    other_name, name, fmt::join(names_of(other, *route), ", ")));
  }

  static std::set<std::string> names_of(const RouteConfig& route, const RouteConfig& other) {
    std::set<std::string> names;
    for (const auto& source : route.from) names.insert(*source);
    for (const auto& source : other.from) names.insert(*source);
    return names;
  }

  /// By different sources of one place.
  bool hear_of_the_same(const RouteConfig& route, const RouteConfig& other) const {
    if (names_of(route, route) == names_of(other, other)) return false;
    return share_a_place(sources_of(stack_, route), sources_of(stack_, other));
  }

  static bool share_a_place(const std::vector<SourceFields>& some,
                            const std::vector<SourceFields>& others) {
    for (const SourceFields& a : some) {
      for (const SourceFields& b : others) {
        const bool one_bucket = a.bucket == b.bucket || a.bucket.empty() || b.bucket.empty();
        if (a.store == b.store && one_bucket && overlap(a.prefix, b.prefix)) return true;
      }
    }
    return false;
  }

  const StackFile& stack_;
  Diagnostics& diagnostics_;
  std::map<std::pair<std::string, std::string>, std::string> doors_;  // Address and path -> source.
};

}  // namespace

void check_stack(const StackFile& stack, stack::Diagnostics& diagnostics) {
  Checker(stack, diagnostics).run();
}

}  // namespace headrace
