#include "app/parts.h"

#include <fmt/format.h>

#include <cstdlib>

#include "app/match.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/retry.h"
#include "ledger/ledger_id.h"
#include "ledger/rocksdb/rocks_ledger.h"
#include "step/table.h"
#include "step/table_family.h"
#include "store/file/file_store.h"
#include "store/memory/memory_store.h"
#include "store/retrying_store.h"

namespace headrace {
namespace {

constexpr std::size_t kIoThreads = 4;
/// Twenty pauses of 50 ms on average.
constexpr RetryPolicy kLedgerInUse{
    .attempts = 21,
    .backoff = {.base = std::chrono::milliseconds(100), .cap = std::chrono::milliseconds(100)}};

std::size_t cpu_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

std::unique_ptr<Step> make_step(const StepStanza& stanza, const std::filesystem::path& folder,
                                const StepServices& services) {
  struct Make {
    const std::filesystem::path& folder;
    const StepServices& services;
    std::unique_ptr<Step> operator()(const EditConfig& c) { return make_edit_step(c, services); }
    std::unique_ptr<Step> operator()(const TagConfig& c) { return make_tag_step(c, services); }
    std::unique_ptr<Step> operator()(const CopyConfig& c) { return make_copy_step(c, services); }
    std::unique_ptr<Step> operator()(const MoveConfig& c) { return make_move_step(c, services); }
    std::unique_ptr<Step> operator()(const DeleteConfig& c) {
      return make_delete_step(c, services);
    }
    std::unique_ptr<Step> operator()(const RepartitionConfig&) { return nullptr; }
    std::unique_ptr<Step> operator()(const SqlConfig& c) {
      return make_sql_step(c, folder, services);
    }
    std::unique_ptr<Step> operator()(const TableStepConfig&) { return nullptr; }
  };
  return std::visit(Make{folder, services}, stanza);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::unique_ptr<Store> make_remote_store(const S3StoreStanza& stanza, const std::string& name,
                                         const Parts::Given& given) {
  RetryingStoreConfig retrying;
  retrying.policy.attempts = static_cast<int>(stanza.attempts);
  return make_retrying_store(make_s3_admin(stanza, name, given), given.clock, given.random,
                             std::move(retrying));
}

struct MakeStore {
  const std::string& name;
  const Parts::Given& given;
  CpuPool& io;

  std::unique_ptr<Store> operator()(const FileStoreStanza& file) const {
    return make_file_store({.path = file.path.string()}, io, given.clock);
  }
  std::unique_ptr<Store> operator()(const S3StoreStanza& s3) const {
    return make_remote_store(s3, name, given);
  }
};

/// Where new files of tables lie until they are uploaded.
std::filesystem::path scratch_folder(const StackFile& stack) {
  return stack.state / "cache" / "upkeep";
}

/// Little, since it works beside everything else.
QueryOptions engine_for_upkeep(const StackFile& stack) {
  return {
      .memory_bytes = 512u << 20, .threads = 1, .temp_folder = scratch_folder(stack) / "spilled"};
}

}  // namespace

std::unique_ptr<S3Store> make_s3_admin(const S3StoreStanza& stanza, const std::string& name,
                                       const Parts::Given& given) {
  std::string region = environment("AWS_REGION");
  if (region.empty()) region = environment("AWS_DEFAULT_REGION");
  return make_s3_store(stanza, name, std::move(region), given.loop.get_executor(), given.clock,
                       given.random);
}

void add_environment_s3(Parts::Given given, Stores& stores) {
  if (stores.contains(kEnvironmentS3)) return;
  S3StoreStanza stanza;
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (stanza.endpoint.empty()) stanza.endpoint = environment(name);
  }
  stores.add(std::string(kEnvironmentS3),
             make_remote_store(stanza, std::string(kEnvironmentS3), given));
}

void add_stores(const StackFile& stack, Parts::Given given, CpuPool& io, Stores& stores) {
  for (const auto& [name, stanza] : stack.stores) {
    if (given.in_memory) {
      stores.add(name, make_memory_store(given.clock));
      continue;
    }
    stores.add(name, std::visit(MakeStore{name, given, io}, *stanza));
  }
}

void add_plain_files(Parts::Given given, CpuPool& io, Stores& stores) {
  if (stores.contains(kPlainFiles)) return;
  stores.add(std::string(kPlainFiles),
             make_file_store({.path = "/", .plain = true}, io, given.clock));
}

std::unique_ptr<Catalog> make_catalog(const StackFile& stack, Stores& stores, Parts::Given given,
                                      CpuPool* cpu) {
  std::vector<TableConfig> tables;
  for (const auto& [name, table] : stack.tables) tables.push_back(*table);
  return std::make_unique<Catalog>(stores, std::move(tables), given.clock, given.random, given.log,
                                   cpu);
}

std::unique_ptr<Ledger> open_ledger(const StackFile& stack, Clock& clock, const Log& log) {
  const auto& rocks = std::get<RocksLedgerStanza>(stack.ledger);
  LedgerLimits limits;
  limits.dedupe_window = rocks.dedupe_window;
  limits.body_bytes = kRawBytes;
  return open_rocks_ledger(stack.state / "ledger", limits, clock, log);
}

Task<std::unique_ptr<Ledger>> wait_for_ledger(const StackFile& stack, Clock& clock, Random& random,
                                              const Log& log) {
  std::optional<Error> in_use;
  auto open = [&]() -> Task<std::unique_ptr<Ledger>> {
    try {
      co_return open_ledger(stack, clock, log);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
      if (!in_use) log.info("waiting for the ledger", {{"why", error.what()}});
      in_use = error;
    }
    throw Error(ErrorKind::kTransient, in_use->what());
  };
  co_return co_await with_retry(kLedgerInUse, clock, random, open);
}

RouteMatch match_of(const StackFile& stack, const std::string& name, const RouteConfig& route) {
  MatchSpec spec = match_of(stack.folder, route.match);
  const std::string tags = fmt::format("{}", fmt::join(spec.unless_tagged, "\n"));
  std::vector<std::string> from;
  for (const auto& source : route.from) from.push_back(*source);
  return {{name, std::move(from), Pattern::parse(spec.pattern)},
          std::move(spec.unless_tagged),
          hash64(spec.pattern, hash64(tags))};
}

std::vector<RouteRule> rules_of(const StackFile& stack) {
  std::vector<RouteRule> rules;
  for (const auto& [name, route] : stack.routes) {
    rules.push_back(match_of(stack, name, *route).rule);
  }
  return rules;
}

void set_live_parts(RoutePlan& plan, const RouteConfig& route, const RouteMatch& match) {
  plan.after = route.after;
  plan.retry = route.retry;
  plan.keep_dead = route.dead_letters.keep;
  plan.unless_tagged = match.unless_tagged;
  plan.match_hash = match.hash;
}

Parts::Parts(const StackFile& the_stack, Given the_given, std::unique_ptr<Ledger> the_ledger)
    : stack(the_stack),
      given(the_given),
      io(kIoThreads),
      cpu(cpu_threads()),
      ledger(std::move(the_ledger)),
      self_writes(std::make_unique<LedgerSelfWrites>(*ledger, stores, given.clock, given.random,
                                                     given.log)),
      services{given.loop.get_executor(), stores, cpu, given.clock, given.random, *self_writes} {
  add_stores(stack, given, io, stores);
  catalog = make_catalog(stack, stores, given, &cpu);
  resolver = std::make_unique<StackResolver>(&stack, catalog.get(), stores, given.in_memory);
  caretaker = std::make_unique<Caretaker>(
      Caretaker::Services{*catalog, stores, *resolver, given.clock, given.random, given.log,
                          engine_for_upkeep(stack), scratch_folder(stack)});
  crawler = std::make_unique<Crawler>(
      stack,
      Crawler::Services{*resolver, given.clock, given.random, given.log, engine_for_upkeep(stack)});
}

Parts::~Parts() {
  sources.clear();
  routes.plans.clear();
  if (ledger) ledger->close();
  io.join();
  cpu.join();
  std::error_code ignored;
  if (!temp.empty()) std::filesystem::remove_all(temp, ignored);
}

std::unique_ptr<Sink> Parts::make_sink(const StepStanza& stanza, const std::string& route,
                                       const SourceFields& from) {
  RowPredicate keep = rows_wanted(rows_of(stanza));
  if (const auto* repartition = std::get_if<RepartitionConfig>(&stanza)) {
    return make_repartition_sink(*repartition, route, std::move(keep), work_folder(route),
                                 services);
  }
  const std::string table = table_of(stanza);
  const CommitConfig& commit = stack.tables.at(table)->commit;
  ObjectTransform transform;
  if (const auto* sql = std::get_if<SqlConfig>(&stanza)) {
    transform = make_sql_transform(*sql, work_folder(route), services);
  }
  TableSinkLimits limits{.commit_bytes = commit.bytes,
                         .commit_every = commit.every,
                         .commit_tasks = commit.tasks,
                         .only = family_members(*stack.tables.at(table)),
                         .keep = std::move(keep),
                         .transform = std::move(transform)};
  if (const auto* step = std::get_if<TableStepConfig>(&stanza)) follow(*step, limits);
  limits.committed = [this](const std::string& to, std::uint64_t files) {
    caretaker->committed(to, files);
  };
  if (!rows_name_table(table, from)) {
    return make_table_sink(table, *catalog, services, std::move(limits));
  }
  return make_table_family_sink(table, *catalog, services,
                                {.limits = std::move(limits),
                                 .tables = stack.tables.at(table)->limit,
                                 .folder = work_folder(route)});
}

void Parts::follow(const TableStepConfig& step, TableSinkLimits& limits) {
  limits.follow = step;
  limits.object_column = step.object_column();
  limits.line_column = step.line_column();
  if (!step.any()) return;
  limits.rows.emplace(TableObjects::Services{.resolver = *resolver,
                                             .random = given.random,
                                             .engine = engine_for_upkeep(stack),
                                             .scratch = scratch_folder(stack)});
}

std::filesystem::path Parts::work_folder(const std::string& route) {
  if (given.in_memory && temp.empty()) {
    temp = std::filesystem::temp_directory_path() / ("headrace-" + given.random.uuid());
  }
  // A route's name may hold anything.
  const std::string own = fmt::format("{:016x}", hash64(route));
  return (given.in_memory ? temp : stack.state / "work") / own;
}

Task<std::unique_ptr<RoutePlan>> Parts::make_plan(const RouteConfig& route,
                                                  const RouteMatch& match) {
  auto plan = std::make_unique<RoutePlan>();
  plan->name = match.rule.name;
  plan->id = co_await ledger->route_id(plan->name);
  plan->writer = fmt::format("{}/{}/{}", own_id, stack.name, plan->name);
  plan->concurrency = route.limits.concurrency;
  if (route.limits.rate) plan->rate_per_second = route.limits.rate->per_second();
  set_live_parts(*plan, route, match);
  for (const auto& step : route.steps) {
    if (is_sink(step.value)) {
      plan->sink = make_sink(step.value, plan->name, sources_of(stack, route).front());
    } else {
      plan->steps.push_back(make_step(step.value, work_folder(plan->name), services));
    }
  }
  co_return plan;
}

Task<> Parts::wire() {
  own_id = co_await ledger_id(*ledger, given.random,
                              given.in_memory ? std::string() : place_of(stack.state / "ledger"));
  std::vector<RouteRule> rules;
  for (const auto& [name, route] : stack.routes) {
    RouteMatch match = match_of(stack, name, *route);
    routes.plans.push_back(co_await make_plan(*route, match));
    rules.push_back(std::move(match.rule));
  }
  routes.rules = std::make_shared<const Routes>(std::move(rules));
  if (given.in_memory) co_return;
  for (const auto& [name, stanza] : stack.sources) {
    sources.push_back(make_source(name, *stanza, co_await ledger->route_id("source:" + name)));
  }
}

}  // namespace headrace
