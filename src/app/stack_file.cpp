#include "app/stack_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "app/match.h"
#include "app/stack_check.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "stack/document.h"

namespace headrace {
namespace {

const stack::Union<StoreStanza>& store_union() {
  static const auto kinds = stack::Union<StoreStanza>::by_kind("store", "Where objects are")
                                .add("file", file_store_spec())
                                .add("s3", s3_store_spec());
  return kinds;
}

const stack::Union<SourceStanza>& source_union() {
  static const auto kinds = stack::Union<SourceStanza>::by_kind("source", "Where events come from")
                                .add("watch", watch_spec())
                                .add("listing", listing_spec())
                                .add("webhook", webhook_spec())
                                .add("sqs", sqs_spec())
                                .add("kafka", kafka_spec());
  return kinds;
}

const stack::Union<LedgerStanza>& ledger_union() {
  static const auto rocks =
      stack::Spec<RocksLedgerStanza>("rocksdb ledger", "An embedded ledger in the state folder")
          .field("dedupe_window", &RocksLedgerStanza::dedupe_window,
                 "How long a second announcement of one change is recognised",
                 stack::at_least(std::chrono::minutes(1)));
  static const auto kinds =
      stack::Union<LedgerStanza>::by_kind("ledger", "Where pending work is kept")
          .add("rocksdb", rocks);
  return kinds;
}

const stack::Union<StepStanza>& step_union() {
  static const auto kinds =
      stack::Union<StepStanza>::by_key("step", "What is done to the object")
          .add("edit", edit_spec())
          .add_value<Tags>("tag", "Adds these tags to the object",
                           [](Tags tags) { return TagConfig{std::move(tags)}; })
          .add("copy", copy_spec())
          .add("move", move_spec())
          .add("delete", delete_spec())
          .add("repartition", repartition_spec())
          .add("sql", sql_spec())
          .add("table", table_step_spec());
  return kinds;
}

const stack::Spec<RouteConfig>& route_spec() {
  static const auto spec =
      stack::Spec<RouteConfig>("route", "Which events become tasks, when, and what they do")
          .field("from", &RouteConfig::from,
                 "Names of the sources; an object that several of them announce is one event",
                 stack::required(), stack::example("landing"), stack::example("[queue, sweep]"))
          .field("match", &RouteConfig::match,
                 "Which events: bucket, key, size, type, key_fields, unless_tagged, or a whole "
                 "EventBridge `pattern`; absent means all",
                 stack::example("{ key: { suffix: .json }, size: { \">\": 0 } }"))
          .field("after", &RouteConfig::after, "How long after the event the task is due")
          .field("steps", &RouteConfig::steps,
                 "In this order; a table or repartition only as the last", stack::required(),
                 step_union())
          .field("retry", &RouteConfig::retry, "Tries", retry_spec())
          .field("limits", &RouteConfig::limits, "Bounds", limits_spec())
          .field("dead_letters", &RouteConfig::dead_letters, "Tasks that failed for good",
                 dead_letters_spec());
  return spec;
}

const stack::Spec<TestConfig>& test_spec() {
  static const auto given =
      stack::Spec<TestConfig::Given>("given", "The object of a test")
          .field("object", &TestConfig::Given::object, "File with its bytes", stack::required())
          .field("key", &TestConfig::Given::key, "Its key", stack::required());
  static const auto expect =
      stack::Spec<TestConfig::Expect>("expect", "What must come of it")
          .field("table", &TestConfig::Expect::table, "The table whose rows are counted")
          .field("under", &TestConfig::Expect::under,
                 "URL of a prefix whose objects are counted in its place",
                 stack::example("\"lake://out/by_type/\""))
          .field("objects", &TestConfig::Expect::objects, "Objects under that prefix")
          .field("rows", &TestConfig::Expect::rows,
                 "Rows of that table, or lines of the objects under that prefix")
          .field("object", &TestConfig::Expect::object, "File that the object equals afterwards")
          .field("dead", &TestConfig::Expect::dead, "Dead letters");
  static const auto spec =
      stack::Spec<TestConfig>("test", "One object through one route, in memory")
          .field("name", &TestConfig::name, "What it shows")
          .field("route", &TestConfig::route, "The route", stack::required())
          .field("given", &TestConfig::given, "The object", stack::required(), given)
          .field("expect", &TestConfig::expect, "The outcome", stack::required(), expect);
  return spec;
}

const stack::Spec<StackFile>& stack_spec() {
  static const auto spec =
      stack::Spec<StackFile>("stack", "A Headrace stack: everything in one file")
          .field("version", &StackFile::version, "Version of the language", stack::required(),
                 stack::at_least(1), stack::at_most(1))
          .field("name", &StackFile::name, "Name of the stack; tables remember it",
                 stack::required())
          .field("state", &StackFile::state, "Folder for the ledger and the control socket")
          .field("ledger", &StackFile::ledger, "Where pending work is kept", ledger_union(),
                 stack::otherwise("{ kind: rocksdb }"))
          .field("stores", &StackFile::stores, "Object stores by name", store_union())
          .field("sources", &StackFile::sources, "Sources of events by name", source_union())
          .field("tables", &StackFile::tables, "Tables and families of tables by name",
                 table_spec())
          .field("datasets", &StackFile::datasets, "Files for SQL, by name", dataset_spec())
          .field("sql", &StackFile::sql, "Limits of `headrace sql`", sql_limits_spec())
          .field("routes", &StackFile::routes, "Routes by name", route_spec())
          .field("setup", &StackFile::setup, "What `apply` makes beside what follows from the rest",
                 setup_spec())
          .field("tests", &StackFile::tests, "The stack's own tests", test_spec());
  return spec;
}

/// A route whose table removes the rows of deleted objects has to hear of deletions.
void let_deletions_through(RouteConfig& route) {
  for (const auto& step : route.steps) {
    const auto* table = std::get_if<TableStepConfig>(&step.value);
    if (table != nullptr && table->on_delete == OnDelete::kRemove) {
      route.match.text = with_deletions(route.match.text);
    }
  }
}

std::uint64_t hash_of(const stack::Node& node) {
  JsonWriter json;
  stack::write_json(json, node);
  return hash64(std::move(json).text());
}

/// Maps are gone into down to the third level: "stores.lake.path".
void add_hashes(const std::string& path, const stack::Node& node, int levels,
                WrittenStack::Hashes& out) {
  if (levels == 0 || node.kind != stack::Node::Kind::kMap) {
    out[path] = hash_of(node);
    return;
  }
  for (const stack::Node& child : node.children) {
    add_hashes(path + "." + child.key, child, levels - 1, out);
  }
}

WrittenStack hashes_of(const stack::Node& root) {
  WrittenStack out;
  for (const stack::Node& part : root.children) {
    if (part.key != "routes") {
      add_hashes(part.key, part, 2, out.parts);
      continue;
    }
    for (const stack::Node& route : part.children) {
      WrittenStack::Hashes& hashes = out.routes[route.key];
      for (const stack::Node& value : route.children) hashes[value.key] = hash_of(value);
    }
  }
  return out;
}

LoadedStack read_stack(stack::Document document, const std::filesystem::path& folder) {
  LoadedStack loaded;
  loaded.stack = document.read(stack_spec());
  if (loaded.stack) {
    loaded.stack->folder = folder;
    loaded.stack->written = hashes_of(document.root());
    for (auto& [name, table] : loaded.stack->tables) table.value.name = name;
    for (auto& [name, route] : loaded.stack->routes) let_deletions_through(route.value);
    check_stack(*loaded.stack, document.diagnostics());
    if (!document.diagnostics().ok()) loaded.stack.reset();
  }
  loaded.diagnostics = document.diagnostics().text();
  return loaded;
}

}  // namespace

const SourceFields& common(const SourceStanza& source) {
  return std::visit([](const auto& kind) -> const SourceFields& { return kind; }, source);
}

std::vector<SourceFields> sources_of(const StackFile& stack, const RouteConfig& route) {
  std::vector<SourceFields> sources;
  for (const auto& name : route.from) sources.push_back(common(*stack.sources.at(*name)));
  return sources;
}

bool rows_name_table(const std::string& table, const SourceFields& from) {
  for (const std::string& field : KeyTemplate::parse(table).fields()) {
    if (!from.key || std::ranges::find(from.key->fields(), field) == from.key->fields().end()) {
      return true;
    }
  }
  return false;
}

std::set<std::string> family_members(const TableConfig& table) {
  std::vector<std::string> values = table.only;
  if (!table.only_file.empty()) {
    std::ifstream file(table.only_file);
    if (!file) throw errno_error(errno, "open " + table.only_file.string());
    for (std::string line; std::getline(file, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) values.push_back(line);
    }
  }
  if (values.empty()) return {};
  const KeyTemplate name = KeyTemplate::parse(table.name);
  if (name.fields().size() != 1) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("`only` is for families whose name has one field; `{}` has {}",
                            table.name, name.fields().size()));
  }
  std::set<std::string> names;
  for (const std::string& value : values) names.insert(name.build({{name.fields()[0], value}}));
  return names;
}

LoadedStack load_stack_file(const std::filesystem::path& path) {
  LoadedStack loaded =
      read_stack(stack::Document::open(path, stack::machine_environment()), path.parent_path());
  if (loaded.stack) loaded.stack->file = std::filesystem::absolute(path);
  return loaded;
}

LoadedStack load_stack_text(const std::string& name, std::string text,
                            const std::filesystem::path& folder) {
  return read_stack(stack::Document(folder / name, std::move(text), stack::machine_environment()),
                    folder);
}

std::string show_stack_file(const std::filesystem::path& path, std::string& diagnostics) {
  auto document = stack::Document::open(path, stack::machine_environment());
  const auto stack = document.read(stack_spec());
  diagnostics = document.diagnostics().text();
  return stack ? document.show(stack_spec()) : "";
}

std::string stack_schema() { return stack::json_schema(stack_spec()); }
std::string stack_reference() { return stack::reference_markdown(stack_spec()); }

}  // namespace headrace
