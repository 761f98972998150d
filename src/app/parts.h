#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/crawler.h"
#include "app/resolver.h"
#include "app/stack_file.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "ledger/ledger.h"
#include "net/http_client.h"
#include "route/routes.h"
#include "source/memory.h"
#include "source/source.h"
#include "source/webhook/webhook_listener.h"
#include "step/step.h"
#include "step/table.h"
#include "store/s3/s3_store.h"
#include "store/stores.h"
#include "table/catalog.h"
#include "upkeep/caretaker.h"
#include "work/route_plan.h"
#include "work/self_writes.h"

namespace headrace {

/// HTTP clients by the file of the authorities they trust; the system's have no name.
using HttpClients = std::map<std::filesystem::path, std::unique_ptr<HttpClient>>;

/// What a route's `match:` says, with the files that it names.
struct RouteMatch {
  RouteRule rule;
  std::vector<std::string> unless_tagged;
  std::uint64_t hash = 0;  ///< Of both.
};

/// Everything one process needs to run a stack, built from it once and wired to each other. This
/// is the only place that names backends.
///
/// Order of members is order of construction; destruction goes the other way.
struct Parts {
  struct Given {
    boost::asio::io_context& loop;
    Clock& clock;
    Random& random;
    const Log& log;
    /// Stores in memory, no sources: for `headrace test`.
    bool in_memory = false;
  };

  /// Opens the stores. Throws Error for what cannot be had.
  Parts(const StackFile& stack, Given given, std::unique_ptr<Ledger> ledger);
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  /// Builds sources, routes and steps. After construction, on the loop.
  Task<> wire();
  /// A route made ready to run. Its sources, stores and tables are those of `stack`. References
  /// outlive the task, not the plan.
  Task<std::unique_ptr<RoutePlan>> make_plan(const RouteConfig& route, const RouteMatch& match);

  const StackFile& stack;
  Given given;
  boost::asio::thread_pool io;   ///< Blocking file calls.
  boost::asio::thread_pool cpu;  ///< Parsing, encoding, compressing.
  Stores stores;
  std::unique_ptr<Ledger> ledger;
  std::string own_id;  ///< The ledger's (ledger/ledger_id.h).
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<StackResolver> resolver;  ///< How rows of tables are read to change them.
  std::unique_ptr<Caretaker> caretaker;
  std::unique_ptr<Crawler> crawler;
  std::unique_ptr<LedgerSelfWrites> self_writes;

  HttpClients http;  ///< Of the sources.
  /// By the address they listen at; shared by the webhook sources that name it.
  std::map<std::string, std::shared_ptr<WebhookListener>> listeners;

  struct NamedSource {
    std::string name;
    RouteId own_id{};  ///< Under which its undecodable messages are kept.
    std::unique_ptr<SourceMemory> memory;
    std::unique_ptr<Source> source;
  };
  std::vector<NamedSource> sources;
  RouteTable routes;

  StepServices services;       ///< What steps refer to.
  std::filesystem::path temp;  ///< Of tests in memory; removed at the end.

 private:
  std::unique_ptr<Sink> make_sink(const StepStanza& stanza, const std::string& route,
                                  const SourceFields& from);
  void follow(const TableStepConfig& step, TableSinkLimits& limits);
  /// Where a route's sink may keep files that outlive a crash.
  std::filesystem::path work_folder(const std::string& route);
  NamedSource make_source(const std::string& name, const SourceStanza& stanza, RouteId own_id);
};

/// A route's `match:` with its pattern parsed. Throws kInvalid for what the language has not.
RouteMatch match_of(const StackFile& stack, const std::string& name, const RouteConfig& route);
/// The rules of all routes of a stack, by name.
std::vector<RouteRule> rules_of(const StackFile& stack);
/// What of a plan can be changed while its route is worked.
void set_live_parts(RoutePlan& plan, const RouteConfig& route, const RouteMatch& match);
/// The stack's ledger, for this process alone. Throws kConflict if another process has it.
std::unique_ptr<Ledger> open_ledger(const StackFile& stack, Clock& clock, const Log& log);
/// The same for who comes to stay: waits about a second for another process to let go, since verbs
/// hold the ledger only for a moment. References outlive the task.
Task<std::unique_ptr<Ledger>> wait_for_ledger(const StackFile& stack, Clock& clock, Random& random,
                                              const Log& log);
/// The client of those that trusts `ca_file`, empty for the system's authorities; made with the
/// proxies of the environment when first asked for. Throws kInvalid for a file that can't be read.
HttpClient& client_trusting(const std::filesystem::path& ca_file, HttpClients& clients,
                            const Parts::Given& given);
/// Adds the store behind file:// URLs.
void add_plain_files(Parts::Given given, CpuPool& io, Stores& stores);
/// Adds the store behind s3:// URLs, with endpoint, region and credentials from the environment as
/// every AWS tool takes them; a stack's own store of that name is left.
void add_environment_s3(Parts::Given given, Stores& stores);
/// A stack's s3 store with all that S3 has beyond a Store, and without retries: for setting up,
/// tearing down and `doctor`.
std::unique_ptr<S3Store> make_s3_admin(const S3StoreStanza& stanza, const std::string& name,
                                       const Parts::Given& given);
/// Only the stores and the catalog of a stack, for verbs that read tables and objects.
void add_stores(const StackFile& stack, Parts::Given given, CpuPool& io, Stores& stores);
std::unique_ptr<Catalog> make_catalog(const StackFile& stack, Stores& stores, Parts::Given given,
                                      CpuPool* cpu);

}  // namespace headrace
