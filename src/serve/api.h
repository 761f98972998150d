#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/task.h"
#include "event/event.h"
#include "ledger/ledger.h"
#include "work/intake.h"

namespace headrace {

/// A call of the API, free of HTTP: the same whether it came over the control socket of a running
/// engine or from a verb that opened the ledger itself.
struct ApiRequest {
  std::string method = "GET";
  std::string path;                          ///< "/api/v1/dead"
  std::map<std::string, std::string> query;  ///< Decoded.
  std::string body;                          ///< JSON, or empty.
};

struct ApiResponse {
  int status = 200;
  std::string body;  ///< JSON always; errors are {"error":{"kind":..,"message":..}}.
};

/// What a stack file that was read again came to.
struct Reloaded {
  std::size_t routes = 0;            ///< In all.
  std::vector<std::string> changed;  ///< By name.
  std::vector<std::string> added;
};

/// What the API can do beyond the ledger, given by whoever runs an engine.
struct ApiHooks {
  /// Adds members to the status object.
  std::function<void(JsonWriter&)> status;
  /// Takes an event in as if a source had given it; says how many tasks it made.
  std::function<Task<std::size_t>(Event)> send;
  /// Has the source of this name read dead letters of its own once more; nullopt if the stack has
  /// no such source.
  std::function<Task<std::optional<Reread>>(std::string, std::vector<DeadLetter>)> reread;
  /// Reads the stack file again and takes what can change while the engine runs, all or nothing.
  std::function<Task<Reloaded>()> reload;
};

/// The control API over a ledger. Paths, under /api/v1:
///
///   GET  status                                   health and counters by route
///   GET  tasks    ?route&limit&after              what waits, oldest due first
///   GET  tasks/ID
///   POST tasks/cancel, tasks/run-now              {"ids":[..]} or {"route":..}
///   GET  dead     ?route&kind&since&until&key&after&limit
///   GET  dead/ID
///   POST dead/redrive, dead/drop                  {"ids":[..]} or the filters above,
///                                                 "rate" (per second), "limit", "dry_run"
///   POST events                                   an event's JSON form
///   POST reload                                   {"routes":n,"changed":[..],"added":[..]}
///
/// `key` is a glob over "bucket/key" with * and ?. Lists answer {"items":[..],"next":..}; actions
/// answer {"matched":n,"changed":n}.
///
/// What a source could not read (its route is "source:NAME") is redriven by having the source read
/// it once more, which takes a running engine. The answer then has "reread":{"read":n,
/// "unreadable":n,"events":n,"duplicates":n,"last_error":".."}, and "note" if some were left out.
///
/// Actions on dead letters go through them in pages of bounded size, however many there are; what
/// dies meanwhile is not among them. If one fails in the middle, what went before is done.
///
/// Threads  One executor. References outlive the Api.
class Api {
 public:
  Api(Ledger& ledger, Clock& clock, ApiHooks hooks = {});

  /// Never throws but kCancelled: errors are answers with a status.
  Task<ApiResponse> handle(ApiRequest request);

 private:
  Task<std::string> dispatch(const ApiRequest& request);
  Task<std::string> status();
  Task<std::string> list_tasks(const ApiRequest& request);
  Task<std::string> change_tasks(const ApiRequest& request, bool cancel);
  Task<std::string> list_dead(const ApiRequest& request);
  Task<std::string> change_dead(const ApiRequest& request, bool redrive);
  struct DeadAction;
  Task<> change_named(std::vector<std::uint64_t> ids, DeadAction& action);
  Task<> change_page(std::vector<DeadLetter> page, DeadAction& action);
  Task<> redrive(std::vector<DeadLetter> page, DeadAction& action);
  Task<> reread(std::string source, std::vector<DeadLetter> letters, DeadAction& action);
  Task<std::string> send(const ApiRequest& request);
  Task<std::string> reload();
  std::optional<RouteId> find_route(const std::string& name) const;
  std::string route_name(RouteId id) const;
  void write_task(JsonWriter& json, const PendingTask& task) const;
  void write_dead(JsonWriter& json, const DeadLetter& letter) const;

  Ledger& ledger_;
  Clock& clock_;
  ApiHooks hooks_;
};

/// Does `text` match a glob of * (any run, also of '/') and ? (one byte)? Linear in practice.
bool glob_match(std::string_view glob, std::string_view text);

}  // namespace headrace
