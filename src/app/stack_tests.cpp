#include "app/stack_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "app/engine.h"
#include "app/parts.h"
#include "app/resolver.h"
#include "core/error.h"
#include "format/compression.h"
#include "ledger/memory/memory_ledger.h"
#include "query/query.h"

namespace headrace {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw errno_error(errno, "open " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A source may take the events of any bucket; then it does not matter which.
ObjectKey object_of(const SourceFields& from, const TestConfig& test) {
  return {from.bucket.empty() ? "bucket" : from.bucket, test.given.key};
}

/// Puts the object and appends its event for the one route, due at once.
Task<> land(Parts& parts, const TestConfig& test) {
  const RouteConfig& route = *parts.stack.routes.at(test.route);
  const SourceFields from = sources_of(parts.stack, route).front();
  Event event;
  event.id = parts.given.random.uuid();
  event.detail_type = std::string(detail_type_of(event.kind));
  event.time = parts.given.clock.now();
  event.store = from.store;
  event.origin = *route.from.front();
  event.producer = "test";
  event.object = object_of(from, test);
  if (from.key) {
    auto fields = from.key->match(test.given.key);
    if (!fields) {
      throw Error(ErrorKind::kInvalid, fmt::format("the key {} does not fit the source's {}",
                                                   test.given.key, from.key->text()));
    }
    event.key_fields = std::move(*fields);
  }
  Bytes bytes = read_file(test.given.object);
  event.size = bytes.size();
  event.etag = co_await parts.stores.at(from.store).put(event.object, std::move(bytes));

  const std::vector<std::uint32_t> wanting = parts.routes.rules->wanting(event);
  for (const std::uint32_t index : wanting) {
    if (parts.routes.plans[index]->name != test.route) continue;
    NewEvent append;
    append.body = to_json(event);
    append.wants.push_back({parts.routes.plans[index]->id, event.time});
    std::vector<NewEvent> events;
    events.push_back(std::move(append));
    co_await parts.ledger->append(std::move(events));
    co_return;
  }
  throw Error(ErrorKind::kInvalid, "the route does not want this object");
}

Task<std::uint64_t> rows_of(Parts& parts, const std::string& table) {
  const auto snapshot = co_await parts.catalog->open(table).snapshot();
  std::uint64_t rows = 0;
  if (snapshot) {
    for (const TableFile& file : snapshot->files) rows += file.live_rows().value_or(0);
  }
  co_return rows;
}

struct Found {
  std::uint64_t objects = 0;
  std::uint64_t lines = 0;
};

/// The objects under a prefix, and their lines once they are unpacked.
Task<Found> found_under(Parts& parts, StoreUrl where) {
  Store& store = parts.stores.at(where.store);
  Found found;
  ListOptions options{.prefix = where.object.path};
  while (true) {
    const ListPage page = co_await store.list(where.object.bucket, options);
    for (const ObjectInfo& info : page.objects) {
      auto object = co_await store.get(info.key);
      if (!object) continue;
      ++found.objects;
      const auto plain = decompressing(std::move(object->body));
      bool open = false;  // A last line without its end.
      for (Bytes piece = co_await plain->read(); !piece.empty(); piece = co_await plain->read()) {
        found.lines += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
        open = piece.back() != '\n';
      }
      found.lines += open ? 1 : 0;
    }
    if (!page.next) co_return found;
    options.start_after = *page.next;
  }
}

Task<> check_under(Parts& parts, const TestConfig::Expect& expect,
                   std::vector<std::string>& faults) {
  const Found found = co_await found_under(parts, parse_store_url(*expect.under));
  const auto compare = [&](const std::optional<std::uint64_t>& wanted, std::uint64_t there,
                           const char* what) {
    if (!wanted || *wanted == there) return;
    faults.push_back(
        fmt::format("under {} are {} {}, expected {}", *expect.under, there, what, *wanted));
  };
  compare(expect.objects, found.objects, "objects");
  compare(expect.rows, found.lines, "rows");
}

Task<> check(Parts& parts, const TestConfig& test, std::vector<std::string>& faults) {
  const RouteConfig& route = *parts.stack.routes.at(test.route);
  if (test.expect.under) co_await check_under(parts, test.expect, faults);
  if (test.expect.rows && test.expect.table) {
    const std::uint64_t rows = co_await rows_of(parts, *test.expect.table);
    if (rows != *test.expect.rows) {
      faults.push_back(fmt::format("table {} has {} rows, expected {}", *test.expect.table, rows,
                                   *test.expect.rows));
    }
  }
  if (test.expect.object) {
    const SourceFields from = sources_of(parts.stack, route).front();
    const auto now =
        co_await read_object(parts.stores.at(from.store), object_of(from, test), 1u << 30);
    if (!now) {
      faults.push_back(fmt::format("the object {} is gone", test.given.key));
    } else if (*now != read_file(*test.expect.object)) {
      faults.push_back(fmt::format("the object differs from {}; it is now: {}",
                                   test.expect.object->filename().string(),
                                   std::string_view(*now).substr(0, 500)));
    }
  }
  const auto letters = co_await parts.ledger->dead_letters({.limit = 1'000});
  if (letters.size() != test.expect.dead) {
    faults.push_back(fmt::format("{} dead letters, expected {}", letters.size(), test.expect.dead));
    for (const DeadLetter& letter : letters) faults.push_back("dead letter: " + letter.error);
  }
}

}  // namespace

std::vector<std::string> run_stack_test(const StackFile& stack, const TestConfig& test,
                                        const Log& log) {
  std::vector<std::string> faults;
  boost::asio::io_context loop;
  try {
    Parts parts(stack, {loop, real_clock(), real_random(), silent_log(), true},
                make_memory_ledger({}, real_clock()));
    std::unique_ptr<StackEngine> engine;
    std::exception_ptr failure;
    const auto all = [&]() -> Task<> {
      co_await parts.wire();
      engine = std::make_unique<StackEngine>(parts, log);
      co_await land(parts, test);
      co_await engine->run({.once = true, .control_socket = false});
      co_await check(parts, test, faults);
    };
    boost::asio::co_spawn(loop, all(), [&](std::exception_ptr ended) { failure = ended; });
    loop.run();
    engine.reset();
    if (failure) std::rethrow_exception(failure);
  } catch (...) {
    faults.push_back(to_error(std::current_exception()).what());
  }
  return faults;
}

}  // namespace headrace
