#include "table/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace headrace {
namespace {

std::pair<std::string, std::string> split_location(const std::string& location) {
  const std::size_t slash = location.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == location.size()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("table location '{}': expected bucket/prefix", location));
  }
  std::string prefix = location.substr(slash + 1);
  while (prefix.ends_with('/')) prefix.pop_back();
  return {location.substr(0, slash), prefix};
}

}  // namespace

Catalog::Catalog(Stores& stores, std::vector<TableConfig> tables, Clock& clock, Random& random,
                 const Log& log, CpuPool* cpu)
    : stores_(stores), clock_(clock), random_(random), log_(log), cpu_(cpu) {
  for (TableConfig& config : tables) {
    KeyTemplate name = KeyTemplate::parse(config.name);
    KeyTemplate location = KeyTemplate::parse(config.location);
    entries_.push_back({std::move(config), std::move(name), std::move(location)});
  }
}

std::string Catalog::name_for(std::string_view pattern, const KeyFields& fields) const {
  for (const Entry& entry : entries_) {
    if (entry.config.name == pattern) return entry.name.build(fields);
  }
  throw Error(ErrorKind::kInvalid, fmt::format("the stack has no table '{}'", pattern));
}

const Catalog::Entry* Catalog::entry_of(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name.match(name)) return &entry;
  }
  return nullptr;
}

const TableConfig* Catalog::config_of(std::string_view name) const {
  const Entry* entry = entry_of(name);
  return entry == nullptr ? nullptr : &entry->config;
}

std::optional<StoreUrl> Catalog::locate(std::string_view name) const {
  const Entry* entry = entry_of(name);
  if (entry == nullptr) return std::nullopt;
  const auto [bucket, prefix] = split_location(entry->location.build(*entry->name.match(name)));
  return StoreUrl{entry->config.store, {bucket, prefix}};
}

Table& Catalog::open(std::string_view name) {
  const auto found = open_.find(name);
  if (found != open_.end()) return *found->second;
  const Entry* entry = entry_of(name);
  if (entry == nullptr) {
    std::string known;
    for (const Entry& each : entries_) known += (known.empty() ? "" : ", ") + each.config.name;
    throw Error(ErrorKind::kInvalid, fmt::format("no table '{}' in the stack; it has: {}", name,
                                                 known.empty() ? "none" : known));
  }
  const auto members = std::ranges::count_if(
      open_, [&](const auto& opened) { return entry->name.match(opened.first).has_value(); });
  if (static_cast<std::size_t>(members) >= entry->config.limit) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("table '{}': the family {} already has its limit of {} tables", name,
                            entry->config.name, entry->config.limit));
  }
  const StoreUrl place = *locate(name);
  auto table = open_table(stores_.at(place.store), place.object, clock_, random_,
                          {.partition_by = entry->config.partition_by,
                           .properties = entry->config.properties,
                           .cpu = cpu_,
                           .log = &log_});
  return *open_.emplace(std::string(name), std::move(table)).first->second;
}

Task<std::vector<std::string>> Catalog::names() {
  std::vector<std::string> found;
  for (const Entry& entry : entries_) {
    // Fields stand in whole path segments from the first one that has a brace.
    const auto [bucket, whole] = split_location(entry.config.location);
    const std::size_t brace = whole.find('{');
    if (brace == std::string::npos) {
      if (co_await exists(entry, bucket, whole)) found.push_back(entry.config.name);
      continue;
    }
    const std::size_t cut = whole.rfind('/', brace);
    const std::string fixed = cut == std::string::npos ? "" : whole.substr(0, cut + 1);
    const auto levels =
        static_cast<std::size_t>(std::ranges::count(whole.substr(fixed.size()), '/') + 1);
    co_await find_members(entry, bucket, fixed, levels, found);
  }
  std::ranges::sort(found);
  co_return found;
}

Task<> Catalog::find_members(const Entry& entry, std::string bucket, std::string prefix,
                             std::size_t levels, std::vector<std::string>& found) {
  Store& store = stores_.at(entry.config.store);
  ListOptions options{.prefix = prefix, .start_after = "", .delimiter = '/', .limit = 1000};
  while (true) {
    const ListPage page = co_await store.list(bucket, options);
    for (const std::string& folder : page.prefixes) {
      if (levels > 1) {
        co_await find_members(entry, bucket, folder, levels - 1, found);
        continue;
      }
      const std::string location = folder.substr(0, folder.size() - 1);
      const auto fields = entry.location.match(bucket + "/" + location);
      if (fields && co_await exists(entry, bucket, location)) {
        found.push_back(entry.name.build(*fields));
      }
    }
    if (!page.next) co_return;
    options.start_after = *page.next;
  }
}

Task<bool> Catalog::exists(const Entry& entry, const std::string& bucket,
                           const std::string& prefix) {
  const ListPage page = co_await stores_.at(entry.config.store)
                            .list(bucket, {.prefix = prefix + "/_delta_log/",
                                           .start_after = "",
                                           .delimiter = std::nullopt,
                                           .limit = 1});
  co_return !page.objects.empty();
}

}  // namespace headrace
