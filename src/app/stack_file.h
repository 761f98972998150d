#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "query/dataset_config.h"
#include "query/sql_limits.h"
#include "setup/setup_spec.h"
#include "source/source_spec.h"
#include "stack/one_or_more.h"
#include "stack/values.h"
#include "step/step_config.h"
#include "store/file/file_spec.h"
#include "store/s3/s3_spec.h"
#include "table/table_config.h"
#include "work/route_config.h"

namespace headrace {

using StoreStanza = std::variant<FileStoreStanza, S3StoreStanza>;
using SourceStanza =
    std::variant<WatchStanza, ListingStanza, WebhookStanza, SqsStanza, KafkaStanza>;

struct RocksLedgerStanza {
  Duration dedupe_window = std::chrono::hours(24);
};
using LedgerStanza = std::variant<RocksLedgerStanza>;

struct RouteConfig {
  stack::OneOrMore<stack::Positioned<std::string>> from;
  stack::Json match{"{}", {}};
  Duration after{};
  std::vector<stack::Positioned<StepStanza>> steps;
  RetryPolicy retry;
  LimitsConfig limits;
  DeadLettersConfig dead_letters;
};

/// One entry of `tests:`: an object that lands, and what must come of it.
struct TestConfig {
  std::string name;
  std::string route;
  struct Given {
    std::filesystem::path object;  ///< The object's bytes.
    std::string key;
  } given;
  struct Expect {
    std::optional<std::string> table;  ///< Its rows are counted.
    std::optional<std::string>
        under;  ///< A URL; the objects under it are counted, and their lines.
    std::optional<std::uint64_t> objects;
    std::optional<std::uint64_t> rows;
    std::optional<std::filesystem::path> object;  ///< What the object must hold afterwards.
    std::uint64_t dead = 0;
  } expect;
};

/// What stands in a stack file, by a hash of each value after variables were replaced: to tell what
/// another reading of it changed.
struct WrittenStack {
  using Hashes = std::map<std::string, std::uint64_t>;
  Hashes parts;                          ///< "name", "stores.lake.path": all but routes.
  std::map<std::string, Hashes> routes;  ///< Of each route, by key.
};

/// A stack file, checked: every name it refers to is there.
struct StackFile {
  int version = 1;
  std::filesystem::path file;    ///< Absolute; empty for a stack that was no file.
  std::filesystem::path folder;  ///< Where the file lies.
  std::string name;
  std::filesystem::path state = "./state";
  LedgerStanza ledger;
  std::map<std::string, stack::Positioned<StoreStanza>> stores;
  std::map<std::string, stack::Positioned<SourceStanza>> sources;
  std::map<std::string, stack::Positioned<TableConfig>> tables;
  std::map<std::string, stack::Positioned<DatasetConfig>> datasets;
  SqlLimits sql;
  std::map<std::string, stack::Positioned<RouteConfig>> routes;
  SetupStanza setup;
  std::vector<stack::Positioned<TestConfig>> tests;
  WrittenStack written;
};

/// The parts that all kinds of sources have.
const SourceFields& common(const SourceStanza& source);

/// The same of a route's sources, in the order it names them.
std::vector<SourceFields> sources_of(const StackFile& stack, const RouteConfig& route);

/// Do rows, rather than the keys of this source, tell to which table of a family they belong? The
/// sources of one route agree.
bool rows_name_table(const std::string& table, const SourceFields& from);
/// The tables of a family that are filled, as `only` and `only_file` say; empty: all. Throws
/// kInvalid for a file that cannot be read or a value that no table's name can hold.
std::set<std::string> family_members(const TableConfig& table);

/// A stack file as it was read: the stack if it has no errors, and what was said of it, ready to
/// print ("headrace.yaml:7:5: error: ...", the line, a caret); warnings come with a stack.
struct LoadedStack {
  std::optional<StackFile> stack;
  std::string diagnostics;
};

/// Reads and checks a stack file, offline. Throws Error only if the file cannot be read.
LoadedStack load_stack_file(const std::filesystem::path& path);
/// The same for text; relative paths start at `folder`.
LoadedStack load_stack_text(const std::string& name, std::string text,
                            const std::filesystem::path& folder);

/// The stack file as the program understands it: defaults filled in, secrets as ***. Empty if it
/// has errors; they are in `diagnostics` then.
std::string show_stack_file(const std::filesystem::path& path, std::string& diagnostics);

/// JSON Schema (draft-07) and reference documentation of the stack file.
std::string stack_schema();
std::string stack_reference();

}  // namespace headrace
