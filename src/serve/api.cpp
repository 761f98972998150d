#include "serve/api.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <utility>

#include "core/error.h"

namespace headrace {
namespace {

constexpr std::string_view kRoot = "/api/v1/";
constexpr std::size_t kPage = 1'000;
constexpr std::size_t kPageBytes = 8u << 20;  // Of dead letters' bodies.
/// Of the route under which a source keeps what it could not read.
constexpr std::string_view kSourcePrefix = "source:";

Error invalid(const std::string& what) { return Error(ErrorKind::kInvalid, what); }

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient:
      return 503;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kInvalid:
    case ErrorKind::kCorrupt:
      return 400;
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kBug:
      return 500;
  }
  std::unreachable();
}

std::uint64_t number_of(std::string_view name, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) {
    throw invalid(fmt::format("{}: '{}' is no whole number", name, text));
  }
  return value;
}

Time time_of(std::string_view name, std::string_view text) {
  const auto time = parse_time(text);
  if (!time)
    throw invalid(fmt::format("{}: '{}' is no time like 2026-01-31T09:00:00Z", name, text));
  return *time;
}

ErrorKind kind_of(std::string_view text) {
  for (const ErrorKind kind : {ErrorKind::kTransient, ErrorKind::kConflict, ErrorKind::kInvalid,
                               ErrorKind::kCorrupt, ErrorKind::kCancelled, ErrorKind::kBug}) {
    if (to_string(kind) == text) return kind;
  }
  throw invalid(fmt::format(
      "kind: '{}' is none of transient, conflict, invalid, corrupt, cancelled, bug", text));
}

/// What an action is to work on: its body's fields, scalars as text, "ids" apart.
struct ActionBody {
  std::map<std::string, std::string> fields;
  std::optional<std::vector<std::string>> ids;
};

ActionBody read_body(const std::string& body) {
  ActionBody out;
  if (body.empty()) return out;
  try {
    simdjson::dom::parser parser;
    for (const auto [key, value] : parser.parse(body).get_object()) {
      if (key == "ids") {
        out.ids.emplace();
        for (const auto id : value.get_array()) {
          out.ids->push_back(id.is_string() ? std::string(std::string_view(id))
                                            : simdjson::minify(id));
        }
      } else if (value.is_string()) {
        out.fields[std::string(key)] = std::string(std::string_view(value));
      } else {
        out.fields[std::string(key)] = simdjson::minify(value);
      }
    }
  } catch (const simdjson::simdjson_error& error) {
    throw invalid(fmt::format("the request's body is no JSON object: {}", error.what()));
  }
  return out;
}

std::optional<std::string> field(const std::map<std::string, std::string>& fields,
                                 const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

/// The object an event in a body is about, if it is an event.
std::string object_of(BytesView body) {
  try {
    const Event event = event_from_json(body);
    return event.store + "://" + event.object.text();
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

bool glob_match(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

Api::Api(Ledger& ledger, Clock& clock, ApiHooks hooks)
    : ledger_(ledger), clock_(clock), hooks_(std::move(hooks)) {}

Task<ApiResponse> Api::handle(ApiRequest request) {
  std::optional<Error> failure;
  try {
    co_return ApiResponse{200, co_await dispatch(request)};
  } catch (...) {
    failure = to_error(std::current_exception());
  }
  if (failure->kind() == ErrorKind::kCancelled) throw *failure;
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.key("kind").string(to_string(failure->kind())).key("message").string(failure->what());
  json.end_object().end_object();
  co_return ApiResponse{status_of(failure->kind()), std::move(json).text()};
}

Task<std::string> Api::dispatch(const ApiRequest& request) {
  if (!request.path.starts_with(kRoot)) throw invalid("no such path: " + request.path);
  const std::string path = request.path.substr(kRoot.size());
  if (request.method == "GET") {
    if (path == "status") co_return co_await status();
    if (path == "tasks" || path.starts_with("tasks/")) co_return co_await list_tasks(request);
    if (path == "dead" || path.starts_with("dead/")) co_return co_await list_dead(request);
  } else if (request.method == "POST") {
    if (path == "tasks/cancel") co_return co_await change_tasks(request, true);
    if (path == "tasks/run-now") co_return co_await change_tasks(request, false);
    if (path == "dead/redrive") co_return co_await change_dead(request, true);
    if (path == "dead/drop") co_return co_await change_dead(request, false);
    if (path == "events") co_return co_await send(request);
    if (path == "reload") co_return co_await reload();
  }
  throw invalid(fmt::format("no such call: {} {}", request.method, request.path));
}

std::optional<RouteId> Api::find_route(const std::string& name) const {
  for (const auto& [id, known] : ledger_.route_names()) {
    if (known == name) return id;
  }
  return std::nullopt;
}

std::string Api::route_name(RouteId id) const {
  const auto names = ledger_.route_names();
  const auto found = names.find(id);
  return found == names.end() ? "?" : found->second;
}

Task<std::string> Api::status() {
  JsonWriter json;
  json.begin_object().key("time").string(format_time(clock_.now()));
  json.key("routes").begin_array();
  const auto names = ledger_.route_names();
  for (const auto& [id, counters] : ledger_.counters()) {
    const auto name = names.find(id);
    // A source is a route of the ledger only to keep what it could not decode.
    if (name != names.end() && name->second.starts_with(kSourcePrefix) && counters.dead == 0) {
      continue;
    }
    json.begin_object().key("route").string(name == names.end() ? "?" : name->second);
    json.key("tasks").number(counters.appended).key("pending").number(counters.pending());
    json.key("done").number(counters.done).key("retried").number(counters.retried);
    json.key("cancelled").number(counters.cancelled).key("dead").number(counters.dead);
    json.end_object();
  }
  json.end_array();
  if (hooks_.status) hooks_.status(json);
  json.end_object();
  co_return std::move(json).text();
}

void Api::write_task(JsonWriter& json, const PendingTask& task) const {
  json.begin_object().key("id").string(task.id.text());
  json.key("route").string(route_name(task.id.route)).key("due").string(format_time(task.due));
  json.key("attempt").number(task.attempt);
  json.key("state").string(task.running              ? "running"
                           : task.due > clock_.now() ? "scheduled"
                                                     : "waiting");
  json.key("object").string(object_of(task.body)).key("last_error").string(task.last_error);
}

Task<std::string> Api::list_tasks(const ApiRequest& request) {
  const std::string path = request.path.substr(kRoot.size());
  Find find;
  if (path.starts_with("tasks/")) {
    const auto id = TaskId::parse(path.substr(6));
    if (!id) throw invalid("'" + path.substr(6) + "' is no task id: `task ls` shows them");
    find.route = id->route;
    find.limit = kPage;
    while (true) {
      const auto page = co_await ledger_.tasks(find);
      for (const PendingTask& task : page) {
        if (task.id != *id) continue;
        JsonWriter json;
        write_task(json, task);
        json.key("event").raw(task.body).end_object();
        co_return std::move(json).text();
      }
      if (page.size() < find.limit) throw invalid("no task " + id->text() + ": it may have ended");
      find.after_task = page.back().id;
    }
  }
  if (const auto name = field(request.query, "route")) {
    find.route = find_route(*name);
    if (!find.route) throw invalid("no route '" + *name + "' in the ledger");
  }
  if (const auto limit = field(request.query, "limit")) find.limit = number_of("limit", *limit);
  if (const auto after = field(request.query, "after")) find.after_task = TaskId::parse(*after);
  find.limit = std::min(find.limit, kPage);
  const auto tasks = co_await ledger_.tasks(find);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  for (const PendingTask& task : tasks) {
    write_task(json, task);
    json.end_object();
  }
  json.end_array();
  if (tasks.size() == find.limit) json.key("next").string(tasks.back().id.text());
  json.end_object();
  co_return std::move(json).text();
}

Task<std::string> Api::change_tasks(const ApiRequest& request, bool cancel) {
  const ActionBody body = read_body(request.body);
  std::vector<TaskId> ids;
  if (body.ids) {
    for (const std::string& text : *body.ids) {
      const auto id = TaskId::parse(text);
      if (!id) throw invalid("'" + text + "' is no task id: `task ls` shows them");
      ids.push_back(*id);
    }
  } else {
    const auto name = field(body.fields, "route");
    if (!name) throw invalid("say which tasks: ids or a route");
    Find find{.route = find_route(*name), .limit = kPage};
    if (!find.route) throw invalid("no route '" + *name + "' in the ledger");
    while (true) {
      const auto page = co_await ledger_.tasks(find);
      for (const PendingTask& task : page) ids.push_back(task.id);
      if (page.size() < find.limit) break;
      find.after_task = page.back().id;
    }
  }
  const std::size_t matched = ids.size();
  std::size_t changed = 0;
  if (field(body.fields, "dry_run") != "true") {
    changed = cancel ? co_await ledger_.cancel(std::move(ids))
                     : co_await ledger_.reschedule(std::move(ids), clock_.now());
  }
  co_return fmt::format(R"({{"matched":{},"changed":{}}})", matched, changed);
}

namespace {

struct DeadFilter {
  Find find;
  std::optional<std::string> key;
};

DeadFilter dead_filter(const std::map<std::string, std::string>& fields) {
  DeadFilter filter;
  if (const auto kind = field(fields, "kind")) filter.find.kind = kind_of(*kind);
  if (const auto since = field(fields, "since")) filter.find.since = time_of("since", *since);
  if (const auto until = field(fields, "until")) filter.find.until = time_of("until", *until);
  if (const auto after = field(fields, "after")) filter.find.after = number_of("after", *after);
  filter.key = field(fields, "key");
  filter.find.limit = kPage;
  filter.find.bytes = kPageBytes;
  return filter;
}

bool wanted(const DeadFilter& filter, const DeadLetter& letter) {
  if (!filter.key) return true;
  const std::string object = object_of(letter.body);
  const std::size_t start = object.find("://");
  return start != std::string::npos && glob_match(*filter.key, object.substr(start + 3));
}

}  // namespace

void Api::write_dead(JsonWriter& json, const DeadLetter& letter) const {
  json.begin_object().key("id").number(letter.id).key("route").string(route_name(letter.route));
  json.key("at").string(format_time(letter.at)).key("attempts").number(letter.attempts);
  json.key("kind").string(to_string(letter.kind)).key("object").string(object_of(letter.body));
  json.key("error").string(letter.error);
}

Task<std::string> Api::list_dead(const ApiRequest& request) {
  const std::string path = request.path.substr(kRoot.size());
  if (path.starts_with("dead/")) {
    const std::uint64_t id = number_of("id", path.substr(5));
    const auto found = co_await ledger_.dead_letters({.after = id - 1, .limit = 1});
    if (found.empty() || found[0].id != id) throw invalid(fmt::format("no dead letter {}", id));
    JsonWriter json;
    write_dead(json, found[0]);
    if (object_of(found[0].body).empty()) {
      json.key("body").string(found[0].body);
    } else {
      json.key("event").raw(found[0].body);
    }
    json.end_object();
    co_return std::move(json).text();
  }
  DeadFilter filter = dead_filter(request.query);
  if (const auto name = field(request.query, "route")) {
    filter.find.route = find_route(*name);
    if (!filter.find.route) throw invalid("no route '" + *name + "' in the ledger");
  }
  const auto limit_text = field(request.query, "limit");
  const std::size_t limit =
      std::min<std::size_t>(limit_text ? number_of("limit", *limit_text) : 100, kPage);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  std::size_t given = 0;
  bool more = true;
  while (more && given < limit) {
    const auto page = co_await ledger_.dead_letters(filter.find);
    more = !page.empty();
    for (const DeadLetter& letter : page) {
      filter.find.after = letter.id;
      if (!wanted(filter, letter)) continue;
      write_dead(json, letter);
      json.end_object();
      if (++given == limit) break;
    }
  }
  json.end_array();
  if (given == limit) json.key("next").number(filter.find.after);
  json.end_object();
  co_return std::move(json).text();
}

/// An action under way.
struct Api::DeadAction {
  bool redrive = false;
  bool dry_run = false;
  Time first;
  Duration spacing{};
  std::size_t matched = 0;
  std::size_t changed = 0;
  std::optional<Reread> reread;
  std::string note;

  std::string answer() const {
    JsonWriter json;
    json.begin_object().key("matched").number(matched).key("changed").number(changed);
    if (reread) {
      json.key("reread").begin_object();
      json.key("read").number(reread->read).key("unreadable").number(reread->unreadable);
      json.key("events").number(reread->events).key("duplicates").number(reread->duplicates);
      json.key("last_error").string(reread->last_error).end_object();
    }
    if (!note.empty()) json.key("note").string(note);
    json.end_object();
    return std::move(json).text();
  }
};

Task<std::string> Api::change_dead(const ApiRequest& request, bool redrive) {
  const ActionBody body = read_body(request.body);
  DeadAction action{.redrive = redrive,
                    .dry_run = field(body.fields, "dry_run") == "true",
                    .first = clock_.now(),
                    .note = {}};
  if (const auto rate = field(body.fields, "rate")) {
    const std::uint64_t per_second = number_of("rate", *rate);
    if (per_second == 0) throw invalid("rate: 0 per second would never end");
    action.spacing = Duration(1'000'000 / static_cast<std::int64_t>(per_second));
  }
  if (body.ids) {
    std::vector<std::uint64_t> ids;
    for (const std::string& text : *body.ids) ids.push_back(number_of("id", text));
    co_await change_named(std::move(ids), action);
    co_return action.answer();
  }
  DeadFilter filter = dead_filter(body.fields);
  const auto name = field(body.fields, "route");
  if (!name && field(body.fields, "all") != "true") {
    throw invalid("say which dead letters: ids, a route, or all");
  }
  if (name) {
    filter.find.route = find_route(*name);
    if (!filter.find.route) throw invalid("no route '" + *name + "' in the ledger");
  }
  // Or those that die again at once would be redriven for ever.
  filter.find.until = std::min(filter.find.until.value_or(action.first), action.first);
  const auto limit_text = field(body.fields, "limit");
  const std::uint64_t limit = limit_text ? number_of("limit", *limit_text) : UINT64_MAX;
  while (action.matched < limit) {
    auto page = co_await ledger_.dead_letters(filter.find);
    if (page.empty()) break;
    filter.find.after = page.back().id;
    std::erase_if(page, [&](const DeadLetter& letter) { return !wanted(filter, letter); });
    if (page.size() > limit - action.matched) page.resize(limit - action.matched);
    action.matched += page.size();
    co_await change_page(std::move(page), action);
  }
  co_return action.answer();
}

Task<> Api::change_named(std::vector<std::uint64_t> ids, DeadAction& action) {
  action.matched = ids.size();
  std::vector<DeadLetter> page;
  std::size_t bytes = 0;
  for (const std::uint64_t id : ids) {
    auto found = co_await ledger_.dead_letters({.after = id - 1, .limit = 1});
    if (found.empty() || found[0].id != id) continue;
    bytes += found[0].body.size();
    page.push_back(std::move(found[0]));
    if (page.size() < kPage && bytes < kPageBytes) continue;
    co_await change_page(std::exchange(page, {}), action);
    bytes = 0;
  }
  co_await change_page(std::move(page), action);
}

Task<> Api::change_page(std::vector<DeadLetter> page, DeadAction& action) {
  if (action.dry_run || page.empty()) co_return;
  if (action.redrive) co_return co_await redrive(std::move(page), action);
  std::vector<std::uint64_t> ids;
  for (const DeadLetter& letter : page) ids.push_back(letter.id);
  action.changed += co_await ledger_.drop_dead(std::move(ids));
}

Task<> Api::redrive(std::vector<DeadLetter> page, DeadAction& action) {
  const auto names = ledger_.route_names();
  std::vector<std::uint64_t> ids;
  std::map<std::string, std::vector<DeadLetter>> of_sources;
  for (DeadLetter& letter : page) {
    const auto name = names.find(letter.route);
    // As a task nobody would take it, and it would be lost from sight.
    if (name != names.end() && name->second.starts_with(kSourcePrefix)) {
      of_sources[name->second.substr(kSourcePrefix.size())].push_back(std::move(letter));
    } else {
      ids.push_back(letter.id);
    }
  }
  if (!ids.empty()) {
    const std::size_t some = co_await ledger_.redrive(std::move(ids), action.first, action.spacing);
    action.first += action.spacing * static_cast<std::int64_t>(some);
    action.changed += some;
  }
  for (auto& [source, letters] : of_sources) {
    co_await reread(source, std::move(letters), action);
  }
}

Task<> Api::reread(std::string source, std::vector<DeadLetter> letters, DeadAction& action) {
  if (!hooks_.reread) {
    action.note = "what a source could not read is read again by a running engine: `headrace run`";
    co_return;
  }
  const auto some = co_await hooks_.reread(source, std::move(letters));
  if (!some) {
    action.note = "the stack has no source '" + source + "' that could read its messages again";
    co_return;
  }
  if (!action.reread) action.reread.emplace();
  Reread& sum = *action.reread;
  sum.read += some->read;
  sum.unreadable += some->unreadable;
  sum.events += some->events;
  sum.duplicates += some->duplicates;
  if (!some->last_error.empty()) sum.last_error = some->last_error;
  action.changed += some->read;
}

Task<std::string> Api::reload() {
  if (!hooks_.reload) {
    throw Error(ErrorKind::kConflict,
                "no engine runs with this stack's `state`: `headrace run` starts one, which reads "
                "the file as it is now");
  }
  const Reloaded reloaded = co_await hooks_.reload();
  JsonWriter json;
  const auto names = [&](const char* key, const std::vector<std::string>& routes) {
    json.key(key).begin_array();
    for (const std::string& name : routes) json.string(name);
    json.end_array();
  };
  json.begin_object().key("routes").number(std::uint64_t{reloaded.routes});
  names("changed", reloaded.changed);
  names("added", reloaded.added);
  json.end_object();
  co_return std::move(json).text();
}

Task<std::string> Api::send(const ApiRequest& request) {
  if (!hooks_.send) throw invalid("events can be sent only to a running engine: `headrace run`");
  const std::size_t tasks = co_await hooks_.send(event_from_json(request.body));
  co_return fmt::format(R"({{"tasks":{}}})", tasks);
}

}  // namespace headrace
