#include "app/engine.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <list>
#include <set>
#include <span>

#include "app/stack_changes.h"
#include "core/error.h"
#include "serve/control_socket.h"
#include "work/durably.h"

namespace headrace {
namespace {

constexpr Duration kOncePoll = std::chrono::milliseconds(20);
constexpr int kOnceTries = 10;  // Of a source that can't be reached: about half a minute.
constexpr Duration kExpireEvery = std::chrono::hours(1);
/// So many changes are named in a message.
constexpr std::size_t kNamed = 10;

}  // namespace

/// Coroutines that run beside each other until cancelled together.
class StackEngine::Background {
 public:
  explicit Background(Executor executor) : executor_(std::move(executor)) {}

  /// `ended` is told how it ended; null for a normal end or a cancellation.
  void start(Task<> task, std::function<void(std::exception_ptr)> ended) {
    ++running_;
    boost::asio::cancellation_signal& signal = signals_.emplace_back();
    boost::asio::co_spawn(
        executor_, std::move(task),
        boost::asio::bind_cancellation_slot(
            signal.slot(), [this, ended = std::move(ended)](std::exception_ptr failure) {
              --running_;
              if (failure && to_error(failure).kind() == ErrorKind::kCancelled) failure = nullptr;
              ended(failure);
              changed_.notify_all();
            }));
  }

  void cancel() {
    for (auto& signal : signals_) signal.emit(boost::asio::cancellation_type::terminal);
  }

  Task<> all_ended() {
    while (running_ > 0) co_await changed_.wait();
  }

 private:
  Executor executor_;
  std::list<boost::asio::cancellation_signal> signals_;
  std::size_t running_ = 0;
  Signal changed_;
};

StackEngine::StackEngine(Parts& parts, const Log& log)
    : parts_(parts), log_(log), written_(parts.stack.written) {
  const StepServices& services = parts.services;
  for (const Parts::NamedSource& source : parts.sources) {
    intakes_.push_back(std::make_unique<Intake>(source.name, *source.source, source.own_id,
                                                parts.routes, *parts.ledger, *parts.self_writes,
                                                services.clock, services.random, log));
  }
  for (const auto& plan : parts.routes.plans) {
    workers_.push_back(
        std::make_unique<RouteWorker>(*plan, *parts.ledger, services, batches_, log));
  }
}

StackEngine::~StackEngine() = default;

void StackEngine::stop() {
  stopping_ = true;
  stop_asked_.notify_all();
}

void StackEngine::ended(std::exception_ptr failure) {
  if (failure && !failure_) failure_ = failure;
  if (failure) stop();
}

ApiHooks StackEngine::hooks() {
  return {.status = [this](JsonWriter& json) { write_status(json); },
          .send =
              [this](Event event) {
                return intakes_.empty()
                           ? throw Error(ErrorKind::kInvalid, "the stack has no sources")
                           : intakes_[0]->send(std::move(event));
              },
          .reread =
              [this](std::string source, std::vector<DeadLetter> letters) {
                return reread(std::move(source), std::move(letters));
              },
          .reload = [this] { return reload(); }};
}

Task<> StackEngine::run(RunOptions options) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  once_ = options.once;
  co_await parts_.self_writes->recover();

  Api api(*parts_.ledger, parts_.given.clock, hooks());
  std::unique_ptr<ControlSocket> socket;
  Background sources(executor);
  routes_ = std::make_unique<Background>(executor);
  Background& routes = *routes_;
  const auto failed = [this](std::exception_ptr failure) { ended(failure); };
  std::size_t sources_left = intakes_.size();
  if (options.once) {
    for (const auto& source : parts_.sources) source.source->drain();
  }
  for (const auto& source : parts_.sources) sources.start(source.source->run(), failed);
  for (const auto& intake : intakes_) {
    const int tries = options.once ? kOnceTries : kForEver;
    sources.start(intake->run(tries), [&, failed](std::exception_ptr failure) {
      --sources_left;
      failed(failure);
      stop_asked_.notify_all();
    });
  }
  for (const auto& worker : workers_) routes.start(worker->run(), failed);
  routes.start(expire_dead_letters(), failed);
  routes.start(reload_when_asked(), failed);
  if (!options.once) routes.start(parts_.caretaker->run(), failed);
  if (!options.once) routes.start(parts_.crawler->run(), failed);
  if (options.control_socket) {
    socket =
        std::make_unique<ControlSocket>(executor, parts_.stack.state / "control.sock", api, log_);
    routes.start(socket->run(), failed);
  }

  if (options.once) {
    while (!stopping_ && sources_left > 0) co_await stop_asked_.wait();
    for (const auto& worker : workers_) worker->drain();
    co_await run_once();
  }
  while (!options.once && !stopping_) co_await stop_asked_.wait();

  stopping_ = true;
  sources.cancel();
  co_await sources.all_ended();
  routes.cancel();
  co_await routes.all_ended();
  using namespace boost::asio::experimental::awaitable_operators;
  const Time until = parts_.given.clock.now() + options.grace;  // For all routes together.
  for (const auto& worker : workers_) {
    co_await (worker->finish() || parts_.given.clock.sleep_until(until));
  }
  if (failure_) std::rethrow_exception(failure_);
}

Task<std::optional<Reread>> StackEngine::reread(std::string source,
                                                std::vector<DeadLetter> letters) {
  for (const auto& intake : intakes_) {
    if (intake->name() == source) co_return co_await intake->reread(std::move(letters));
  }
  co_return std::nullopt;
}

Task<> StackEngine::run_once() {
  std::vector<RouteId> routes;
  for (const auto& plan : parts_.routes.plans) routes.push_back(plan->id);
  Clock& clock = parts_.given.clock;
  const Time started = clock.now();
  while (!stopping_) {
    // What failed and is to be tried again belongs to this run; what is scheduled for later
    // doesn't.
    Time until = started;
    for (const auto& worker : workers_) until = std::max(until, worker->latest_retry());
    if (co_await parts_.ledger->idle(routes, until)) co_return;
    co_await clock.sleep(kOncePoll);
  }
}

Task<> StackEngine::expire_dead_letters() {
  while (true) {
    for (std::size_t i = 0; i < parts_.routes.plans.size(); ++i) {  // Their number may grow.
      const RoutePlan& plan = *parts_.routes.plans[i];
      const Time before = parts_.given.clock.now() - plan.keep_dead;
      const auto expire = [&] { return parts_.ledger->expire_dead(plan.id, before); };
      const std::size_t dropped = co_await durably(parts_.given.clock, parts_.services.random, log_,
                                                   "drop old dead letters", expire);
      if (dropped > 0) {
        log_.info("old dead letters dropped", {{"route", plan.name}, {"count", dropped}});
      }
    }
    co_await parts_.given.clock.sleep(kExpireEvery);
  }
}

/// A reading of the stack file, ready to be taken.
struct StackEngine::NextStack {
  struct Route {
    const RouteConfig* config;  // In `stack`.
    RouteMatch match;
  };
  StackFile stack;
  StackChanges changes;
  std::vector<Route> routes;  // Those of plans there are, then new ones by name.
  std::shared_ptr<const Routes> rules;
};

/// On the CPU pool. Only a reload writes what this reads.
StackEngine::NextStack StackEngine::read_again() const {
  const std::string file = parts_.stack.file.string();
  LoadedStack loaded = load_stack_file(parts_.stack.file);
  if (!loaded.stack) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} has errors; the engine goes on with what it has:\n{}", file,
                            loaded.diagnostics));
  }
  NextStack next{std::move(*loaded.stack), {}, {}, nullptr};
  next.changes = changes_between(written_, next.stack.written);
  const std::vector<std::string>& fixed = next.changes.fixed;
  if (!fixed.empty()) {
    const std::span named(fixed.data(), std::min(fixed.size(), kNamed));
    const std::string more =
        named.size() == fixed.size() ? "" : fmt::format(" and {} more", fixed.size() - kNamed);
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: {}{} cannot change while the engine runs, and nothing was "
                            "changed; restart the engine to take the file as it is now",
                            file, fmt::join(named, ", "), more));
  }
  std::vector<RouteRule> rules;
  const auto add = [&](const std::string& name) {
    const RouteConfig& config = *next.stack.routes.at(name);
    RouteMatch match = match_of(next.stack, name, config);
    rules.push_back(std::move(match.rule));
    match.rule = {name, {}, {}};
    next.routes.push_back({&config, std::move(match)});
  };
  for (const auto& plan : parts_.routes.plans) add(plan->name);
  for (const std::string& name : next.changes.added) add(name);
  next.rules = std::make_shared<const Routes>(std::move(rules), parts_.routes.rules.get());
  return next;
}

Task<Reloaded> StackEngine::reload() {
  if (once_) {
    throw Error(ErrorKind::kInvalid, "`run --once` keeps the stack it began with: run it again");
  }
  if (reloading_) {
    throw Error(ErrorKind::kConflict, "the stack file is being read already: try again");
  }
  reloading_ = true;
  const std::shared_ptr<void> read(nullptr, [this](void*) { reloading_ = false; });
  auto work = [this] { return read_again(); };
  co_return co_await take(co_await run_on(parts_.cpu, work));
}

Task<Reloaded> StackEngine::take(NextStack next) {
  // What is not needed any more, old rules or refused ones: freeing a large set takes a while,
  // which is not for this loop.
  const std::shared_ptr<void> free_beside(
      nullptr, [this, &next](void*) { boost::asio::post(parts_.cpu, [old = std::move(next)] {}); });
  const std::size_t known = parts_.routes.plans.size();
  std::vector<std::unique_ptr<RoutePlan>> plans;
  std::vector<std::unique_ptr<RouteWorker>> workers;
  for (const NextStack::Route& added : std::span(next.routes).subspan(known)) {
    plans.push_back(co_await parts_.make_plan(*added.config, added.match));
    workers.push_back(std::make_unique<RouteWorker>(*plans.back(), *parts_.ledger, parts_.services,
                                                    batches_, log_));
  }
  if (stopping_) throw Error(ErrorKind::kTransient, "the engine is stopping: start it again");

  // From here on nothing waits, so that no event meets half of it.
  std::set<std::string> changed(next.changes.changed.begin(), next.changes.changed.end());
  for (std::size_t i = 0; i < known; ++i) {
    RoutePlan& plan = *parts_.routes.plans[i];
    const NextStack::Route& read = next.routes[i];
    if (read.match.hash != plan.match_hash) changed.insert(plan.name);
    set_live_parts(plan, *read.config, read.match);
  }
  for (auto& plan : plans) parts_.routes.plans.push_back(std::move(plan));
  std::swap(parts_.routes.rules, next.rules);
  for (auto& worker : workers) {
    routes_->start(worker->run(), [this](std::exception_ptr failure) { ended(failure); });
    workers_.push_back(std::move(worker));
  }
  std::swap(written_, next.stack.written);
  Reloaded out{parts_.routes.plans.size(), {changed.begin(), changed.end()}, next.changes.added};
  log_.info("stack file read again",
            {{"routes", out.routes}, {"changed", out.changed.size()}, {"new", out.added.size()}});
  co_return out;
}

void StackEngine::reload_soon() {
  reload_asked_ = true;
  reload_changed_.notify_all();
}

Task<> StackEngine::reload_when_asked() {
  while (true) {
    while (!reload_asked_) co_await reload_changed_.wait();
    reload_asked_ = false;
    std::optional<Error> failure;
    try {
      co_await reload();
    } catch (...) {
      failure = to_error(std::current_exception());
    }
    if (!failure) continue;
    if (failure->kind() == ErrorKind::kCancelled) throw *failure;
    log_.error("the stack file was read again and not taken", {{"why", failure->what()}});
  }
}

EngineProgress StackEngine::progress() const {
  EngineProgress progress;
  for (const auto& intake : intakes_) progress.events += intake->counters().events;
  for (const auto& [id, counters] : parts_.ledger->counters()) {
    progress.pending += counters.pending();
    progress.done += counters.done;
    progress.retried += counters.retried;
    progress.dead += counters.dead;
  }
  for (const auto& worker : workers_) {
    progress.running += worker->running();
    if (worker->sink() != nullptr) progress.commits += worker->sink()->counters().commits;
  }
  return progress;
}

void StackEngine::write_status(JsonWriter& json) const {
  json.key("stack").string(parts_.stack.name).key("running").boolean(true);
  json.key("sources").begin_array();
  for (std::size_t i = 0; i < intakes_.size(); ++i) {
    const IntakeCounters& in = intakes_[i]->counters();
    json.begin_object().key("source").string(intakes_[i]->name()).key("events").number(in.events);
    json.key("tasks").number(in.tasks).key("duplicates").number(in.duplicates);
    json.key("own_writes").number(in.own_writes).key("unwanted").number(in.unwanted);
    json.key("undecodable").number(in.undecodable);
    parts_.sources[i].source->describe(json);
    json.end_object();
  }
  json.end_array().key("sinks").begin_array();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i]->sink() == nullptr) continue;
    const SinkWorker::Counters& sink = workers_[i]->sink()->counters();
    json.begin_object().key("route").string(parts_.routes.plans[i]->name);
    json.key("commits").number(sink.commits).key("gathered").number(sink.gathered);
    json.key("left_out").number(sink.left_out).end_object();
  }
  json.end_array();
  json.key("without_effect").begin_array();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const OutcomeCounters outcomes = workers_[i]->outcomes();
    if (!outcomes.any()) continue;
    json.begin_object().key("route").string(parts_.routes.plans[i]->name);
    json.key("skipped").number(outcomes.skipped).key("gone").number(outcomes.gone);
    json.key("superseded").number(outcomes.superseded).end_object();
  }
  json.end_array();
  write_waiting(json);
}

/// What is held up now, and by what.
void StackEngine::write_waiting(JsonWriter& json) const {
  json.key("waiting").begin_array();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto write = [&](std::string_view what, const Hindrance& why) {
      json.begin_object().key("route").string(parts_.routes.plans[i]->name);
      json.key("what").string(what).key("since").string(format_time(why.since));
      json.key("error").string(why.error).end_object();
    };
    const RouteWorker& worker = *workers_[i];
    if (worker.outage().now()) write("route", *worker.outage().now());
    if (worker.sink() == nullptr) continue;
    for (const auto& [group, why] : worker.sink()->waiting()) write("batch for " + group, why);
  }
  json.end_array();
}

}  // namespace headrace
