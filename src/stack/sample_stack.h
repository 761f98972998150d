#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/key_template.h"
#include "stack/document.h"

/// A small language with every part a spec can have, for the tests and the fuzzer of this room.
namespace headrace::stack::sample {

struct FileStore {
  std::filesystem::path path;
};

struct WebStore {
  std::string endpoint;
  std::string token;
  int port = 443;
  bool verify = true;
};

using Store = std::variant<FileStore, WebStore>;

struct Backoff {
  Duration base = std::chrono::seconds(1);
  Duration cap = std::chrono::minutes(5);
};

struct Retry {
  int attempts = 5;
  Backoff backoff;
};

enum class Evolution { kEvolve, kFixed };

struct Table {
  Positioned<std::string> store;
  std::vector<std::string> partition_by;
  Evolution schema = Evolution::kEvolve;
  std::uint64_t bytes = 128 << 20;
};

struct Edit {
  std::map<std::string, std::string> set;
};

struct Load {
  std::string table;
  std::optional<double> sample;
};

/// What the program makes of a step; only the words for the tests.
struct Step {
  std::string words;
};

struct Route {
  std::optional<KeyTemplate> key;
  std::optional<Json> match;
  std::optional<Duration> after;
  std::optional<Rate> rate;
  std::vector<Positioned<Step>> steps;
  Retry retry;
};

struct Stack {
  int version = 1;
  std::string name;
  std::filesystem::path state = "./state";
  Positioned<Store> ledger;
  std::map<std::string, Positioned<Store>> stores;
  std::map<std::string, Table> tables;
  std::map<std::string, Positioned<Route>> routes;
};

inline const Spec<FileStore>& file_store_spec() {
  static const auto spec =
      Spec<FileStore>("file store", "A folder; its first-level folders are buckets.")
          .field("path", &FileStore::path, "Folder, relative to the stack file.", required(),
                 example("./buckets"));
  return spec;
}

inline const Spec<WebStore>& web_store_spec() {
  static const auto spec =
      Spec<WebStore>("web store", "Objects behind HTTP.")
          .field("endpoint", &WebStore::endpoint, "Where it listens.", required())
          .field("token", &WebStore::token, "What it wants to see.", secret())
          .field("port", &WebStore::port, "TCP port.", at_least(1), at_most(65535))
          .field("verify", &WebStore::verify, "Whether its certificate must hold.")
          .check([](const WebStore& store) -> std::string {
            return store.port == 80 && store.verify ? "port 80 has no certificate" : "";
          });
  return spec;
}

inline const Union<Store>& stores_union() {
  static const auto kinds = Union<Store>::by_kind("store", "Where objects are.")
                                .add("file", file_store_spec())
                                .add("web", web_store_spec());
  return kinds;
}

inline const Spec<Retry>& retry_spec() {
  static const auto backoff = Spec<Backoff>("backoff", "How long to wait between tries.")
                                  .field("base", &Backoff::base, "Longest first pause.",
                                         at_least(std::chrono::milliseconds(1)))
                                  .field("cap", &Backoff::cap, "Longest pause of all.");
  static const auto spec = Spec<Retry>("retry", "What happens after a failure.")
                               .field("attempts", &Retry::attempts, "Tries in all.", at_least(1))
                               .field("backoff", &Retry::backoff, "The pauses.", backoff);
  return spec;
}

inline const Spec<Table>& table_spec() {
  static const auto spec =
      Spec<Table>("table", "A Delta table.")
          .field("store", &Table::store, "Where its files are.", required())
          .field("partition_by", &Table::partition_by, "Columns as folders.",
                 example("[country, date]"))
          .field("schema", &Table::schema, "What happens to new columns.",
                 one_of<Evolution>({{"evolve", Evolution::kEvolve}, {"fixed", Evolution::kFixed}}))
          .field("bytes", &Table::bytes, "When to commit.", bytes(), at_least(1 << 10),
                 check([](std::uint64_t value) -> std::string {
                   return value % 2 == 0 ? "" : "an even number, please";
                 }));
  return spec;
}

inline const Union<Step>& steps_union() {
  static const auto edit = Spec<Edit>("edit", "Changes fields of every line.")
                               .field("set", &Edit::set, "Field to new value.", required());
  static const auto load =
      Spec<Load>("load", "Adds the object's rows to a table.")
          .field("table", &Load::table, "Name of the table.", required(), example("people"))
          .field("sample", &Load::sample, "Share of the rows.", at_least(0.0), at_most(1.0))
          .shorthand("table");
  static const auto kinds =
      Union<Step>::by_key("step", "What a task does.")
          .add("edit", edit,
               [](const Edit& config) -> Step {
                 if (config.set.empty()) throw Error(ErrorKind::kInvalid, "nothing to set");
                 return {fmt::format("edit {}", config.set.begin()->first)};
               })
          .add("table", load, [](const Load& config) { return Step{"load " + config.table}; })
          .add_value<std::map<std::string, std::string>>("tag", "Sets tags.", [](const auto& tags) {
            return Step{fmt::format("tag {}", tags.size())};
          });
  return kinds;
}

inline const Spec<Route>& route_spec() {
  static const auto spec =
      Spec<Route>("route", "What happens to which objects.")
          .field("key", &Route::key, "How keys are read.", example("dataset/{name}.json"))
          .field("match", &Route::match, "An event pattern.")
          .field("after", &Route::after, "How long to wait.", example("5m"))
          .field("rate", &Route::rate, "How fast at most.", example("200/s"))
          .field("steps", &Route::steps, "What to do, in order.", required(), steps_union())
          .field("retry", &Route::retry, "Tries.", retry_spec());
  return spec;
}

inline const Spec<Stack>& stack_spec() {
  static const auto spec = Spec<Stack>("example stack", "A language for tests.")
                               .field("version", &Stack::version, "Version of the language.",
                                      required(), at_least(1), at_most(1))
                               .field("name", &Stack::name, "Name of the stack.", required())
                               .field("state", &Stack::state, "Folder for what is kept.")
                               .field("ledger", &Stack::ledger, "Where work is kept.",
                                      stores_union(), otherwise("{ kind: file, path: ledger }"))
                               .field("stores", &Stack::stores, "Stores by name.", stores_union())
                               .field("tables", &Stack::tables, "Tables by name.", table_spec())
                               .field("routes", &Stack::routes, "Routes by name.", route_spec());
  return spec;
}

/// An outside world made of two maps.
class FakeEnvironment final : public Environment {
 public:
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;

  std::optional<std::string> variable(const std::string& name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::string file(const std::filesystem::path& path, std::size_t limit) const override {
    const auto found = files.find(path.generic_string());
    if (found == files.end()) {
      throw Error(ErrorKind::kInvalid, "read " + path.generic_string() + ": no such file");
    }
    if (found->second.size() > limit) throw Error(ErrorKind::kInvalid, "too large");
    return found->second;
  }
};

}  // namespace headrace::stack::sample
