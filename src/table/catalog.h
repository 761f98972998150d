#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/key_template.h"
#include "core/random.h"
#include "core/task.h"
#include "store/stores.h"
#include "table/table.h"
#include "table/table_config.h"

namespace headrace {

/// The tables of a stack by name. Tables of a family come into being on their first commit; the
/// catalog finds those that are there by looking for their folders.
///
/// Threads  One executor. Tables live as long as the catalog.
class Catalog {
 public:
  /// All references outlive the catalog. `cpu` may be null.
  Catalog(Stores& stores, std::vector<TableConfig> tables, Clock& clock, Random& random,
          const Log& log, CpuPool* cpu);

  /// The name that `pattern` (a configured name) stands for, given an object's key fields. Throws
  /// kInvalid if a field is missing.
  std::string name_for(std::string_view pattern, const KeyFields& fields) const;
  /// The configuration behind a table's name; nullptr if there is none.
  const TableConfig* config_of(std::string_view name) const;
  /// Where the table of this name lies, there already or not; nullopt if no configured table has
  /// the name.
  std::optional<StoreUrl> locate(std::string_view name) const;
  /// The table of this name, there already or not. Throws kInvalid for a name that no configured
  /// table has, naming those that are near.
  Table& open(std::string_view name);
  /// Names of the tables that exist: those with a `_delta_log`.
  Task<std::vector<std::string>> names();

 private:
  struct Entry {
    TableConfig config;
    KeyTemplate name;
    KeyTemplate location;
  };
  const Entry* entry_of(std::string_view name) const;
  Task<> find_members(const Entry& entry, std::string bucket, std::string prefix,
                      std::size_t levels, std::vector<std::string>& found);
  Task<bool> exists(const Entry& entry, const std::string& bucket, const std::string& prefix);

  Stores& stores_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  CpuPool* cpu_;
  std::vector<Entry> entries_;
  std::map<std::string, std::unique_ptr<Table>, std::less<>> open_;
};

}  // namespace headrace
